//! The memory that a program takes.

use std::fs;

/// The largest number of bytes that this process has had in memory so far; `None` where the system
/// does not say, which Linux does.
pub fn peak_memory() -> Option<u64> {
    high_water_mark(&fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_and_read() {
        let status = "Name:\tbench\nVmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water_mark(status), Some(2 * 1024 * 1024));
        assert_eq!(high_water_mark("Name:\tbench\n"), None);
        assert_eq!(high_water_mark("VmHWM:\t2048 pages\n"), None);
    }
}

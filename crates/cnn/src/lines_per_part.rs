//! The cutting of a batch, such that a few threads end at the same time.

/// Lines in each part if `total` lines are cut into equal parts of `most` lines at most: into 2, 4, 8 or
/// another multiple of 4, of which 2 and 4 threads have the same number each. The last part may be shorter.
///
/// The number of threads plays no part, so a sum that is taken part by part has the same bits on any.
pub(crate) fn lines_per_part(total: usize, most: usize) -> usize {
    let parts = total.div_ceil(most.max(1));
    let parts = parts.next_multiple_of(if parts <= 2 { 2 } else { 4 });
    total.div_ceil(parts.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_equal_and_two_or_a_multiple_of_four() {
        // 2048 lines of 303 at most are 7 parts, so 8; 1000 of 300 are 4; 64 of 128 are 1, so 2.
        assert_eq!(
            [(2048, 303), (1000, 300), (64, 128)].map(|(n, m)| lines_per_part(n, m)),
            [256, 250, 32]
        );
        // As many as there are lines, if they are few.
        assert_eq!([(0, 5), (1, 5), (3, 1), (7, 0)].map(|(n, m)| lines_per_part(n, m)), [1; 4]);
        for total in 1..200 {
            for most in 1..50 {
                let lines = lines_per_part(total, most);
                assert!(lines <= most && total.div_ceil(lines) <= total.div_ceil(most) + 3);
            }
        }
    }
}

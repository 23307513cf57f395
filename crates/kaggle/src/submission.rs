//! The file that the competition takes.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::output_file::{file_error, writable};

const HEADER: &str = "Id,Category";

/// The predicted class of each test image, in their order.
///
/// As a file: UTF-8, the header `Id,Category`, then a line for each image with its number, from 1, and
/// its class as an integer from 0 to 9; every line ends with a line feed, and nothing is quoted. There
/// is at least one image.
#[derive(Debug, PartialEq)]
pub(crate) struct Submission {
    /// The class of each image.
    pub(crate) classes: Vec<usize>,
}

impl Submission {
    fn to_csv(&self) -> String {
        let rows = self.classes.iter().zip(1..).map(|(class, id)| format!("{id},{class}\n"));
        std::iter::once(format!("{HEADER}\n")).chain(rows).collect()
    }

    /// The submission in the bytes of a file; `file` is for messages.
    fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
        let header = format!("{HEADER}\n");
        let first = lines.next().unwrap_or_default();
        if first != header.as_bytes() {
            bail!("{file}, line 1: expected {header:?}, but got {}", shown(first));
        }
        let mut classes = Vec::new();
        for (line, id) in lines.zip(1_usize..) {
            match line.strip_prefix(format!("{id},").as_bytes()) {
                Some(&[class @ b'0'..=b'9', b'\n']) => classes.push(usize::from(class - b'0')),
                _ => bail!(
                    "{file}, line {}: expected \"{id},CLASS\\n\" with a class from 0 to 9, but got {}",
                    id + 1,
                    shown(line)
                ),
            }
        }
        let end = "line 2: expected at least one image, but got the end of the file";
        ensure!(!classes.is_empty(), "{file}, {end}");
        Ok(Self { classes })
    }

    /// Reads a submission; refused at the first line that is not byte for byte as the competition asks.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(file_error("read", path))?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// Checks the file, writes it as a whole, reads it again and compares.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let csv = self.to_csv();
        Self::parse("the predictions", csv.as_bytes())?;
        let target = writable(path)?;
        system::replace(&target, csv.as_bytes()).map_err(file_error("write", path))?;
        ensure!(
            Self::read(path)? == *self,
            "{}: expected what was written to it, but got another submission; is something else writing \
             there?",
            path.display()
        );
        Ok(())
    }
}

/// The beginning of a line, with what cannot be printed escaped.
fn shown(line: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(&line[..line.len().min(40)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        Submission::parse("s.csv", bytes).unwrap_err().to_string()
    }

    #[test]
    fn the_bytes_are_those_of_the_format_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.csv");
        let submission = Submission { classes: (0..1234).map(|i| i * 7 % 10).collect() };
        submission.write(&path).unwrap();
        let csv = fs::read_to_string(&path).unwrap();
        assert!(csv.starts_with("Id,Category\n1,0\n2,7\n3,4\n") && csv.ends_with("\n1234,1\n"));
        assert_eq!(csv.lines().count(), 1235);
        assert_eq!(Submission::read(&path).unwrap(), submission);
        for classes in [vec![], vec![1, 10]] {
            assert!(Submission { classes }.write(&path).is_err());
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), csv, "checked before it is written");
    }

    #[test]
    fn every_deviation_is_refused_at_its_line() {
        let header = r#"s.csv, line 1: expected "Id,Category\n", but got "#;
        assert_eq!(message(b""), format!("{header}\"\""));
        assert_eq!(message(b"id,label\n1,3\n"), format!(r#"{header}"id,label\n""#));
        assert_eq!(message(b"Id,Category\r\n"), format!(r#"{header}"Id,Category\r\n""#));
        assert!(message(b"\xEF\xBB\xBFId,Category\n").starts_with(header));
        let second = "s.csv, line 3: expected \"2,CLASS\\n\" with a class from 0 to 9, but got ";
        for row in ["2,3", "2,3\r\n", "2,3.0\n", "2, 3\n", "3,3\n", "02,3\n", "2,\"3\"\n", "\n"] {
            let text = format!("Id,Category\n1,3\n{row}");
            assert_eq!(message(text.as_bytes()), format!("{second}{row:?}"));
        }
        assert!(
            message(b"Id,Category\n").ends_with("at least one image, but got the end of the file")
        );
    }
}

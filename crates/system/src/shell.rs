//! Commands as one types them.

use std::ffi::OsStr;

/// A word for a POSIX shell: in single quotes where it has a sign that could mean something there.
///
/// The crate `shlex` quotes more, also `--a=b` and `1,2`, which our records and messages show as typed.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_back_the_word() {
        for (word, expected) in [
            ("--rate=0.1,step", "--rate=0.1,step"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}

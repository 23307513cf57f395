//! Digests in hexadecimal.

/// The bytes as `sha256sum` prints them: two lower-case digits each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Lines in which modules that choose among hosts say what they see.

use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyBuffer;
use std::io::Write;

/// What a version of the SDK shows text or bytes as.
pub trait Bytes {
    fn bytes(&self) -> &[u8];
}

impl Bytes for String {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Bytes for EnvoyBuffer<'_> {
    fn bytes(&self) -> &[u8] {
        self.as_slice()
    }
}

/// Bytes as printable text without spaces.
pub fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace(' ', "\\x20")
}

/// A value of a line; `-` where there is none, or where it is empty.
pub fn shown(value: Option<impl Bytes>) -> String {
    value.map(|value| escaped(value.bytes())).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned())
}

/// Several values, or `-` where there are none.
pub fn joined(values: impl Iterator<Item = String>) -> String {
    let all: Vec<_> = values.collect();
    if all.is_empty() {
        "-".to_owned()
    } else {
        all.join(",")
    }
}

/// Writes a line about `kind`, in one write; `config` is the configuration as printable text.
pub fn write(kind: &str, config: &str, pairs: &[(&str, String)]) {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let line = format!("dmconform {kind} {LANG} [{config}] {}\n", pairs.join(" "));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

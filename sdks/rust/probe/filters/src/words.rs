//! Lines in which modules say what they see.

use crate::LANG;
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

impl Bytes for &str {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Bytes for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
}

#[cfg(not(feature = "sdk-1-37"))]
impl Bytes for envoy_proxy_dynamic_modules_rust_sdk::EnvoyBuffer<'_> {
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
#[cfg(not(feature = "sdk-1-37"))]
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

//! How the API of a release hands out text of Envoy's: 1.38 copies it, later ones show it.

use crate::abi::envoy_dynamic_module_type_envoy_buffer as RawBuffer;
use crate::abi::envoy_dynamic_module_type_envoy_http_header as RawHeader;
use crate::buffer::EnvoyBuffer;

/// For Envoy to fill.
pub(crate) const NO_HEADER: RawHeader =
    RawHeader { key_ptr: std::ptr::null_mut(), key_length: 0, value_ptr: std::ptr::null_mut(), value_length: 0 };

/// Text of Envoy's.
#[cfg(feature = "sdk-1-38")]
pub type Text<'a> = String;

/// Text of Envoy's.
#[cfg(not(feature = "sdk-1-38"))]
pub type Text<'a> = EnvoyBuffer<'a>;

/// Bytes as the API of the release shows them.
#[cfg(feature = "sdk-1-38")]
pub(crate) fn of(bytes: EnvoyBuffer<'_>) -> Text<'_> {
    owned(bytes)
}

/// Bytes as the API of the release shows them.
#[cfg(not(feature = "sdk-1-38"))]
pub(crate) fn of(bytes: EnvoyBuffer<'_>) -> Text<'_> {
    bytes
}

/// A copy of bytes as text.
pub(crate) fn owned(bytes: EnvoyBuffer<'_>) -> String {
    String::from_utf8_lossy(bytes.as_slice()).into_owned()
}

/// Name and value of a header.
///
/// # Safety
/// `raw` points at what lives as long as `'a`.
pub(crate) unsafe fn of_header<'a>(raw: &RawHeader) -> (EnvoyBuffer<'a>, EnvoyBuffer<'a>) {
    let (name, value) = (
        RawBuffer { ptr: raw.key_ptr, length: raw.key_length },
        RawBuffer { ptr: raw.value_ptr, length: raw.value_length },
    );
    // SAFETY: the caller's promise.
    unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(value)) }
}

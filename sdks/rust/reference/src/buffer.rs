//! Views of memory that Envoy owns, valid as long as the borrow of the Envoy object they came from; and what Envoy gets.

use crate::abi::{
    envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_envoy_http_header as RawHeader,
    envoy_dynamic_module_type_module_buffer as ModuleBuffer,
};
use std::marker::PhantomData;

/// For Envoy to fill.
pub(crate) const NO_BYTES: RawBuffer = RawBuffer { ptr: std::ptr::null(), length: 0 };

/// Bytes of the module's, to be read by Envoy during a call.
pub(crate) fn module_buffer(bytes: &[u8]) -> ModuleBuffer {
    ModuleBuffer { ptr: bytes.as_ptr().cast(), length: bytes.len() }
}

/// Bytes of Envoy's, to read.
#[derive(Debug, Clone, Copy)]
pub struct EnvoyBuffer<'a>(&'a [u8]);

impl<'a> EnvoyBuffer<'a> {
    /// A view of bytes that are not Envoy's.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// # Safety
    /// `raw` is null, or points at `length` bytes that stay as they are for `'a`.
    pub(crate) unsafe fn from_raw(raw: RawBuffer) -> Self {
        if raw.ptr.is_null() {
            return Self(&[]);
        }
        // SAFETY: not null, and the caller vouches for the rest.
        Self(unsafe { std::slice::from_raw_parts(raw.ptr.cast(), raw.length) })
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0
    }

    /// The bytes, for as long as Envoy has them.
    pub(crate) fn into_slice(self) -> &'a [u8] {
        self.0
    }
}

/// Bytes of Envoy's, to read or change in place.
///
/// Two of them can view the same memory (a body that was received is sometimes the buffered one), so references are made
/// only for as long as a slice is borrowed.
#[derive(Debug)]
pub struct EnvoyMutBuffer<'a> {
    start: *mut u8,
    length: usize,
    owner: PhantomData<&'a mut [u8]>,
}

impl EnvoyMutBuffer<'_> {
    /// # Safety
    /// `raw` is null, or points at `length` bytes that live for the buffer's lifetime.
    pub(crate) unsafe fn from_raw(raw: RawBuffer) -> Self {
        Self {
            start: raw.ptr.cast_mut().cast(),
            length: if raw.ptr.is_null() { 0 } else { raw.length },
            owner: PhantomData,
        }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: not null, and `from_raw`'s caller vouched for the rest.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// The bytes, to change.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.start.is_null() {
            return &mut [];
        }
        // SAFETY: as in `as_slice`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

/// As many buffers as `count` says, filled in by `fill`, and how many bytes that is.
///
/// # Safety
/// `fill` fills in all of them or returns `false`, and the bytes stay as they are for `'a`.
pub(crate) unsafe fn chunks<'a>(
    count: usize,
    fill: impl FnOnce(*mut RawBuffer) -> bool,
) -> (Vec<EnvoyBuffer<'a>>, usize) {
    let mut raw = vec![NO_BYTES; count];
    if count == 0 || !fill(raw.as_mut_ptr()) {
        return (Vec::new(), 0);
    }
    let bytes = raw.iter().map(|chunk| chunk.length).sum();
    // SAFETY: the caller's promise.
    (raw.into_iter().map(|chunk| unsafe { EnvoyBuffer::from_raw(chunk) }).collect(), bytes)
}

/// An array of Envoy's; `None` where there is nothing.
///
/// # Safety
/// `first` is null, or points at `count` values that live for `'a`.
pub(crate) unsafe fn all_of<'a, T>(first: *const T, count: usize) -> Option<&'a [T]> {
    // SAFETY: not null, and the caller vouches for the rest.
    (!first.is_null() && count > 0).then(|| unsafe { std::slice::from_raw_parts(first, count) })
}

/// The headers of an answer, if there are any.
///
/// # Safety
/// `first` is null, or points at `count` headers that live for `'a`.
pub(crate) unsafe fn header_pairs<'a>(
    first: *const RawHeader,
    count: usize,
) -> Option<Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)>> {
    let text = |ptr, length| {
        // SAFETY: the caller's promise.
        unsafe { EnvoyBuffer::from_raw(RawBuffer { ptr, length }) }
    };
    // SAFETY: the caller's promise.
    let all = unsafe { all_of(first, count) }?;
    let pair = |one: &RawHeader| (text(one.key_ptr, one.key_length), text(one.value_ptr, one.value_length));
    Some(all.iter().map(pair).collect())
}

/// The pieces of a body, if there are any.
///
/// # Safety
/// `first` is null, or points at `count` pieces that live for `'a`.
pub(crate) unsafe fn pieces<'a>(first: *const RawBuffer, count: usize) -> Option<Vec<EnvoyBuffer<'a>>> {
    // SAFETY: the caller's promise.
    let all = unsafe { all_of(first, count) }?;
    // SAFETY: the caller's promise.
    Some(all.iter().map(|piece| unsafe { EnvoyBuffer::from_raw(*piece) }).collect())
}

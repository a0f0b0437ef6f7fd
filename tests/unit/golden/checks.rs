#![crate_type = "lib"]
#![allow(dead_code, unused_imports)]

#[allow(improper_ctypes, non_camel_case_types, non_upper_case_globals)]
mod abi {
    include!("abi.rs");
}

use core::mem::{align_of, offset_of, size_of};

/// How a value is passed.
trait Passed {
    const HOW: &'static str;
}

macro_rules! passed {
    ($($type:ty, $how:expr;)*) => { $(impl Passed for $type { const HOW: &'static str = $how; })* };
}

impl<T> Passed for *const T {
    const HOW: &'static str = "pointer";
}

impl<T> Passed for *mut T {
    const HOW: &'static str = "pointer";
}

impl<T, const N: usize> Passed for [T; N] {
    const HOW: &'static str = "array";
}

/// What a function returns, then its parameters.
trait Signature {
    const HOW: &'static [&'static str];
}

macro_rules! signature {
    ($($param:ident)*) => {
        impl<R: Passed, $($param: Passed),*> Signature for unsafe extern "C" fn($($param),*) -> R {
            const HOW: &'static [&'static str] = &[R::HOW, $($param::HOW),*];
        }
        impl<R, $($param),*> Passed for Option<unsafe extern "C" fn($($param),*) -> R> {
            const HOW: &'static str = "function";
        }
        impl<R: Passed, $($param: Passed),*> Signature for Option<unsafe extern "C" fn($($param),*) -> R> {
            const HOW: &'static [&'static str] = &[R::HOW, $($param::HOW),*];
        }
    };
}

const fn how<S: Signature>(_: &S) -> &'static [&'static str] {
    S::HOW
}

const fn field<S, F: Passed>(_: fn(&S) -> &F) -> &'static [&'static str] {
    &[F::HOW]
}

const fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if left[i] != right[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn same(left: &[&str], right: &[&str]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if !equal(left[i].as_bytes(), right[i].as_bytes()) {
            return false;
        }
        i += 1;
    }
    true
}

signature! {  }
signature! { P0 }
signature! { P0 P1 }
signature! { P0 P1 P2 }
signature! { P0 P1 P2 P3 }
signature! { P0 P1 P2 P3 P4 }
signature! { P0 P1 P2 P3 P4 P5 }
signature! { P0 P1 P2 P3 P4 P5 P6 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 }
signature! { P0 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 }
passed! {
    (), "void";
    bool, "bool";
    f32, "f32";
    f64, "f64";
    i8, "i8";
    i16, "i16";
    i32, "i32";
    i64, "i64";
    isize, "isize";
    u8, "u8";
    u16, "u16";
    u32, "u32";
    u64, "u64";
    usize, "usize";
    abi::envoy_dynamic_module_type_address, "envoy_dynamic_module_type_address";
    abi::envoy_dynamic_module_type_buffer, "envoy_dynamic_module_type_buffer";
    abi::envoy_dynamic_module_type_kind, "envoy_dynamic_module_type_kind";
    abi::envoy_dynamic_module_type_result, "envoy_dynamic_module_type_result";
    abi::envoy_dynamic_module_type_status, "envoy_dynamic_module_type_status";
}

const _: () = assert!(equal(abi::envoy_dynamic_modules_abi_version, b"v9.8.0\0"), "the ABI version");
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_abi_version_module_ptr>() == 8, "size of envoy_dynamic_module_type_abi_version_module_ptr");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_abi_version_module_ptr>() == 8, "alignment of envoy_dynamic_module_type_abi_version_module_ptr");
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_address>() == 72, "size of envoy_dynamic_module_type_address");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_address>() == 8, "alignment of envoy_dynamic_module_type_address");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_address, bytes) == 0, "offset of envoy_dynamic_module_type_address.bytes");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_address| &one.bytes), &["array"]), "type of envoy_dynamic_module_type_address.bytes");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_address, port) == 16, "offset of envoy_dynamic_module_type_address.port");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_address| &one.port), &["u16"]), "type of envoy_dynamic_module_type_address.port");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_address, kind) == 20, "offset of envoy_dynamic_module_type_address.kind");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_address| &one.kind), &["envoy_dynamic_module_type_kind"]), "type of envoy_dynamic_module_type_address.kind");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_address, table) == 24, "offset of envoy_dynamic_module_type_address.table");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_address| &one.table), &["array"]), "type of envoy_dynamic_module_type_address.table");
const _: fn(abi::envoy_dynamic_module_type_address) = |abi::envoy_dynamic_module_type_address { bytes: _, port: _, kind: _, table: _, }| ();
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_buffer>() == 16, "size of envoy_dynamic_module_type_buffer");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_buffer>() == 8, "alignment of envoy_dynamic_module_type_buffer");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_buffer, ptr) == 0, "offset of envoy_dynamic_module_type_buffer.ptr");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_buffer| &one.ptr), &["pointer"]), "type of envoy_dynamic_module_type_buffer.ptr");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_buffer, length) == 8, "offset of envoy_dynamic_module_type_buffer.length");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_buffer| &one.length), &["usize"]), "type of envoy_dynamic_module_type_buffer.length");
const _: fn(abi::envoy_dynamic_module_type_buffer) = |abi::envoy_dynamic_module_type_buffer { ptr: _, length: _, }| ();
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_done>() == 8, "size of envoy_dynamic_module_type_done");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_done>() == 8, "alignment of envoy_dynamic_module_type_done");
const _: () = assert!(same(<abi::envoy_dynamic_module_type_done as Signature>::HOW, &["void", "pointer", "pointer"]), "envoy_dynamic_module_type_done");
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_filter_envoy_ptr>() == 8, "size of envoy_dynamic_module_type_filter_envoy_ptr");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_filter_envoy_ptr>() == 8, "alignment of envoy_dynamic_module_type_filter_envoy_ptr");
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_filter_module_ptr>() == 8, "size of envoy_dynamic_module_type_filter_module_ptr");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_filter_module_ptr>() == 8, "alignment of envoy_dynamic_module_type_filter_module_ptr");
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_kind>() == 4, "size of envoy_dynamic_module_type_kind");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_kind>() == 4, "alignment of envoy_dynamic_module_type_kind");
const _: () = assert!(abi::envoy_dynamic_module_type_kind::Self_.0 as i64 == -1, "envoy_dynamic_module_type_kind_Self");
const _: () = assert!(abi::envoy_dynamic_module_type_kind::IpV4.0 as i64 == 4, "envoy_dynamic_module_type_kind_IpV4");
const _: () = assert!(abi::envoy_dynamic_module_type_kind::IpV6.0 as i64 == 6, "envoy_dynamic_module_type_kind_IpV6");
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_result>() == 48, "size of envoy_dynamic_module_type_result");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_result>() == 8, "alignment of envoy_dynamic_module_type_result");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_result, ok) == 0, "offset of envoy_dynamic_module_type_result.ok");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_result| &one.ok), &["bool"]), "type of envoy_dynamic_module_type_result.ok");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_result, status) == 4, "offset of envoy_dynamic_module_type_result.status");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_result| &one.status), &["envoy_dynamic_module_type_status"]), "type of envoy_dynamic_module_type_result.status");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_result, type_) == 8, "offset of envoy_dynamic_module_type_result.type");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_result| &one.type_), &["u8"]), "type of envoy_dynamic_module_type_result.type");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_result, ratio) == 16, "offset of envoy_dynamic_module_type_result.ratio");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_result| &one.ratio), &["f64"]), "type of envoy_dynamic_module_type_result.ratio");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_result, text) == 24, "offset of envoy_dynamic_module_type_result.text");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_result| &one.text), &["envoy_dynamic_module_type_buffer"]), "type of envoy_dynamic_module_type_result.text");
const _: () = assert!(offset_of!(abi::envoy_dynamic_module_type_result, then) == 40, "offset of envoy_dynamic_module_type_result.then");
const _: () = assert!(same(field(|one: &abi::envoy_dynamic_module_type_result| &one.then), &["function"]), "type of envoy_dynamic_module_type_result.then");
const _: fn(abi::envoy_dynamic_module_type_result) = |abi::envoy_dynamic_module_type_result { ok: _, status: _, type_: _, ratio: _, text: _, then: _, }| ();
const _: () = assert!(size_of::<abi::envoy_dynamic_module_type_status>() == 4, "size of envoy_dynamic_module_type_status");
const _: () = assert!(align_of::<abi::envoy_dynamic_module_type_status>() == 4, "alignment of envoy_dynamic_module_type_status");
const _: () = assert!(abi::envoy_dynamic_module_type_status::Continue.0 as i64 == 0, "envoy_dynamic_module_type_status_Continue");
const _: () = assert!(abi::envoy_dynamic_module_type_status::Stop.0 as i64 == 4294967295, "envoy_dynamic_module_type_status_Stop");
const _: () = assert!(same(how(&(abi::envoy_dynamic_module_callback_filter_address as unsafe extern "C" fn(_, _, _, _) -> _)), &["bool", "pointer", "pointer", "i64", "pointer"]), "envoy_dynamic_module_callback_filter_address");
const _: () = assert!(same(how(&(abi::envoy_dynamic_module_callback_filter_later as unsafe extern "C" fn(_, _, _, _) -> _)), &["envoy_dynamic_module_type_status", "pointer", "envoy_dynamic_module_type_buffer", "f64", "function"]), "envoy_dynamic_module_callback_filter_later");
const _: () = assert!(same(how(&(abi::envoy_dynamic_module_callback_now as unsafe extern "C" fn() -> _)), &["u64"]), "envoy_dynamic_module_callback_now");

// The dynamic-module ABI of Envoy 9.8, generated from the ABI data.

pub const envoy_dynamic_modules_abi_version: &[u8] = b"v9.8.0\0";

pub type envoy_dynamic_module_type_abi_version_module_ptr = *const ::std::os::raw::c_char;

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct envoy_dynamic_module_type_address {
    pub bytes: [u8; 16],
    pub port: u16,
    pub kind: envoy_dynamic_module_type_kind,
    pub table: [[*const ::std::os::raw::c_char; 3]; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct envoy_dynamic_module_type_buffer {
    pub ptr: *const ::std::os::raw::c_char,
    pub length: usize,
}

pub type envoy_dynamic_module_type_done =
    Option<unsafe extern "C" fn(context: *mut ::std::os::raw::c_void, texts: *const envoy_dynamic_module_type_buffer)>;

pub type envoy_dynamic_module_type_filter_envoy_ptr = *mut ::std::os::raw::c_void;

pub type envoy_dynamic_module_type_filter_module_ptr = *const ::std::os::raw::c_void;

#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct envoy_dynamic_module_type_kind(pub i32);

impl envoy_dynamic_module_type_kind {
    pub const Self_: Self = Self(-1);
    pub const IpV4: Self = Self(4);
    pub const IpV6: Self = Self(6);
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct envoy_dynamic_module_type_result {
    pub ok: bool,
    pub status: envoy_dynamic_module_type_status,
    pub type_: u8,
    pub ratio: f64,
    pub text: envoy_dynamic_module_type_buffer,
    pub then: envoy_dynamic_module_type_done,
}

#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct envoy_dynamic_module_type_status(pub u32);

impl envoy_dynamic_module_type_status {
    pub const Continue: Self = Self(0);
    pub const Stop: Self = Self(4294967295);
}

extern "C" {
    pub fn envoy_dynamic_module_callback_filter_address(filter_envoy_ptr: envoy_dynamic_module_type_filter_envoy_ptr, addresses: *const *const envoy_dynamic_module_type_address, in_: i64, out: *mut u32) -> bool;
    pub fn envoy_dynamic_module_callback_filter_later(filter_envoy_ptr: envoy_dynamic_module_type_filter_envoy_ptr, what: envoy_dynamic_module_type_buffer, weight: f64, done: envoy_dynamic_module_type_done) -> envoy_dynamic_module_type_status;
    pub fn envoy_dynamic_module_callback_now() -> u64;
}

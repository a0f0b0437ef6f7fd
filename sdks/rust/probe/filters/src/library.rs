//! Which library code is in, as the dynamic linker tells.

use std::ffi::{c_char, c_int, c_void, CStr};

/// glibc's `Dl_info`.
#[repr(C)]
struct DlInfo {
    file_name: *const c_char,
    file_base: *mut c_void,
    symbol_name: *const c_char,
    symbol_address: *mut c_void,
}

extern "C" {
    fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(handle: *mut c_void) -> c_int;
}

const RTLD_LAZY: c_int = 1;

/// The file name, without folders, of the library that contains `address`.
pub fn file_name_of(address: *const c_void) -> Option<String> {
    let mut info = DlInfo {
        file_name: std::ptr::null(),
        file_base: std::ptr::null_mut(),
        symbol_name: std::ptr::null(),
        symbol_address: std::ptr::null_mut(),
    };
    // SAFETY: `info` is what dladdr fills; a name that it gives lives as long as the library is loaded.
    let path = unsafe {
        if dladdr(address, &mut info) == 0 || info.file_name.is_null() {
            return None;
        }
        CStr::from_ptr(info.file_name).to_string_lossy()
    };
    path.rsplit('/').next().map(str::to_owned)
}

/// An address of this library's own: of several globally loaded probes, all would find the first one's marker.
static HERE: u8 = 0;

/// The file name, without folders, of the library that this code is in.
pub fn this_library() -> Option<String> {
    file_name_of(std::ptr::from_ref(&HERE).cast())
}

/// Where the global scope has a symbol. `RTLD_DEFAULT` would search this library too.
pub fn find_globally(name: &CStr) -> Option<*const c_void> {
    // SAFETY: a null path asks for the scope of the program itself; `name` ends with NUL.
    let found = unsafe {
        let global = dlopen(std::ptr::null(), RTLD_LAZY);
        let found = dlsym(global, name.as_ptr());
        dlclose(global);
        found
    };
    (!found.is_null()).then_some(found.cast_const())
}

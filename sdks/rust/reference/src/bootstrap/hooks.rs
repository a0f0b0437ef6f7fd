//! The functions that Envoy looks up and calls for bootstrap extensions. Each calls the module's code guarded: no panic leaves it.

use super::config::{EnvoyConfig, TimerRef};
use super::envoy::EnvoyExtension;
use super::{
    BootstrapExtension, BootstrapExtensionConfig, CompletionCallback, NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION,
};
use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::{header_pairs, module_buffer, pieces, EnvoyBuffer};
use crate::guard;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn BootstrapExtensionConfig>;

/// What Envoy holds for an extension: its worker threads call it at any time.
type Extension = Mutex<Box<dyn BootstrapExtension>>;

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_bootstrap_extension_config_envoy_ptr;
type ConfigPtr = abi::envoy_dynamic_module_type_bootstrap_extension_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_bootstrap_extension_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_bootstrap_extension_module_ptr;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_config_new(
    envoy: EnvoyConfigPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_bootstrap_extension_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION.get()?;
        new_config(&mut EnvoyConfig(envoy), &name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the extension.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_new(
    config: ConfigPtr,
    envoy: EnvoyPtr,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_bootstrap_extension", || config.new_bootstrap_extension(&mut EnvoyExtension(envoy)))
        .map_or(std::ptr::null(), |made| Box::into_raw(Box::new(Extension::new(made))).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_extension_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_destroy(extension: ModulePtr) {
    if !extension.is_null() {
        // SAFETY: Envoy's promise, see above; `…_extension_new` made it.
        let extension = unsafe { Box::from_raw(extension.cast::<Extension>().cast_mut()) };
        let _ = guard::run("drop of the extension", || drop(extension));
    }
}

/// # Safety
/// Called by Envoy with what `…_extension_new` returned, and its side of the extension.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_server_initialized(
    envoy: EnvoyPtr,
    extension: ModulePtr,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        call(envoy, extension, "on_server_initialized", |extension, envoy| extension.on_server_initialized(envoy));
    }
}

/// # Safety
/// Called by Envoy on a worker thread with what `…_extension_new` returned, and its side of the extension.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_worker_thread_initialized(
    envoy: EnvoyPtr,
    extension: ModulePtr,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        call(envoy, extension, "on_worker_thread_initialized", |extension, envoy| {
            extension.on_worker_thread_initialized(envoy);
        });
    }
}

/// # Safety
/// Called by Envoy with what `…_extension_new` returned, and its side of the extension.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_drain_started(
    envoy: EnvoyPtr,
    extension: ModulePtr,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, extension, "on_drain_started", |extension, envoy| extension.on_drain_started(envoy)) }
}

/// # Safety
/// Called by Envoy, which waits for `done`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_shutdown(
    envoy: EnvoyPtr,
    extension: ModulePtr,
    done: abi::envoy_dynamic_module_type_event_cb,
    context: *mut c_void,
) {
    let completion = CompletionCallback::new(done, context);
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, extension, "on_shutdown", |extension, envoy| extension.on_shutdown(envoy, completion)) }
}

/// # Safety
/// Called by Envoy with its side of the configuration and what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_config_scheduled(
    envoy: EnvoyConfigPtr,
    config: ConfigPtr,
    event_id: u64,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe { configured(envoy, config, "on_scheduled", |config, envoy| config.on_scheduled(envoy, event_id)) };
}

/// # Safety
/// Called by Envoy with its side of the configuration, what `…_config_new` returned, and an answer that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_http_callout_done(
    envoy: EnvoyConfigPtr,
    config: ConfigPtr,
    callout_id: u64,
    result: abi::envoy_dynamic_module_type_http_callout_result,
    headers: *mut abi::envoy_dynamic_module_type_envoy_http_header,
    headers_size: usize,
    body: *mut RawBuffer,
    body_size: usize,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let (headers, body) = (header_pairs(headers, headers_size), pieces(body, body_size));
        configured(envoy, config, "on_http_callout_done", |config, envoy| {
            config.on_http_callout_done(envoy, callout_id, result, headers.as_deref(), body.as_deref());
        });
    }
}

/// # Safety
/// Called by Envoy with its side of the configuration, what `…_config_new` returned, and a timer.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_timer_fired(
    envoy: EnvoyConfigPtr,
    config: ConfigPtr,
    timer: abi::envoy_dynamic_module_type_bootstrap_extension_timer_module_ptr,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        configured(envoy, config, "on_timer_fired", |config, envoy| config.on_timer_fired(envoy, &TimerRef(timer)));
    }
}

/// Answers 500 if the module's code panics.
///
/// # Safety
/// Called by Envoy with its side of the configuration, what `…_config_new` returned, and texts that are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_admin_request(
    envoy: EnvoyConfigPtr,
    config: ConfigPtr,
    method: RawBuffer,
    path: RawBuffer,
    body: RawBuffer,
) -> u32 {
    // SAFETY: Envoy's promise, see above.
    let (method, path, body) =
        unsafe { (EnvoyBuffer::from_raw(method), EnvoyBuffer::from_raw(path), EnvoyBuffer::from_raw(body)) };
    // SAFETY: Envoy's promise, see above.
    let answer = unsafe {
        configured(envoy, config, "on_admin_request", |config, envoy| {
            let (method, path) = (String::from_utf8_lossy(method.as_slice()), String::from_utf8_lossy(path.as_slice()));
            config.on_admin_request(envoy, &method, &path, body.as_slice())
        })
    };
    let Some((status, text)) = answer else { return 500 };
    // SAFETY: Envoy's promise, see above; the text outlives the call.
    unsafe {
        abi::envoy_dynamic_module_callback_bootstrap_extension_admin_set_response(
            envoy,
            module_buffer(text.as_bytes()),
        );
    }
    status
}

/// Defines the hooks for something that is known by its name, which comes or goes.
macro_rules! named_hooks {
    ($($hook:ident $method:ident;)*) => {
        $(
            /// # Safety
            /// Called by Envoy with its side of the configuration, what `…_config_new` returned, and a name that is valid
            /// during the call.
            #[no_mangle]
            pub unsafe extern "C" fn $hook(envoy: EnvoyConfigPtr, config: ConfigPtr, name: RawBuffer) {
                // SAFETY: Envoy's promise, see above.
                unsafe {
                    let name = EnvoyBuffer::from_raw(name);
                    configured(envoy, config, stringify!($method), |config, envoy| {
                        config.$method(envoy, &String::from_utf8_lossy(name.as_slice()));
                    });
                }
            }
        )*
    };
}

named_hooks! {
    envoy_dynamic_module_on_bootstrap_extension_cluster_add_or_update on_cluster_add_or_update;
    envoy_dynamic_module_on_bootstrap_extension_cluster_removal on_cluster_removal;
    envoy_dynamic_module_on_bootstrap_extension_listener_add_or_update on_listener_add_or_update;
    envoy_dynamic_module_on_bootstrap_extension_listener_removal on_listener_removal;
}

/// # Safety
/// Called by Envoy with its side of the configuration, what `…_config_new` returned, and a path that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_file_changed(
    envoy: EnvoyConfigPtr,
    config: ConfigPtr,
    path: RawBuffer,
    events: u32,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let path = EnvoyBuffer::from_raw(path);
        configured(envoy, config, "on_file_changed", |config, envoy| {
            config.on_file_changed(envoy, &String::from_utf8_lossy(path.as_slice()), events);
        });
    }
}

/// Calls an extension.
///
/// # Safety
/// `envoy` is Envoy's side of it, and `extension` what `…_extension_new` returned.
unsafe fn call(
    envoy: EnvoyPtr,
    extension: ModulePtr,
    name: &str,
    action: impl FnOnce(&mut Box<dyn BootstrapExtension>, &mut EnvoyExtension),
) {
    if extension.is_null() {
        return; // making it has failed
    }
    // SAFETY: the caller's promise.
    let extension = unsafe { &*extension.cast::<Extension>() };
    // A panic while it was locked has been logged.
    let mut extension = extension.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = guard::run(name, || action(&mut extension, &mut EnvoyExtension(envoy)));
}

/// Calls a configuration; `None` after a panic.
///
/// # Safety
/// `envoy` is Envoy's side of it, and `config` what `…_config_new` returned.
unsafe fn configured<R>(
    envoy: EnvoyConfigPtr,
    config: ConfigPtr,
    name: &str,
    action: impl FnOnce(&Config, &mut EnvoyConfig) -> R,
) -> Option<R> {
    // SAFETY: the caller's promise.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run(name, || action(config, &mut EnvoyConfig(envoy)))
}

//! The functions that Envoy looks up and calls for bootstrap extensions. Each calls the module's code guarded: no panic leaves it.

use super::envoy::{EnvoyConfig, EnvoyExtension};
use super::{BootstrapExtension, BootstrapExtensionConfig, NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION};
use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::EnvoyBuffer;
use crate::{guard, held};
use std::ffi::c_void;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn BootstrapExtensionConfig>;

/// What Envoy holds for an extension.
type Extension = Box<dyn BootstrapExtension>;

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
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_bootstrap_extension", || config.new_bootstrap_extension(&mut EnvoyExtension(envoy)))
        .map_or(std::ptr::null(), held::hold::<Extension>)
}

/// # Safety
/// Called by Envoy, once, with what `…_extension_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_destroy(extension: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_extension_new` made it.
    unsafe { held::destroy::<Extension>(extension) }
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
        held::call::<Extension, _>(extension, (), |extension| {
            let _ = guard::run("on_server_initialized", || {
                extension.on_server_initialized(&mut EnvoyExtension(envoy));
            });
        });
    }
}

/// # Safety
/// Called by Envoy, which waits for `done`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_bootstrap_extension_shutdown(
    _envoy: EnvoyPtr,
    _extension: ModulePtr,
    done: abi::envoy_dynamic_module_type_event_cb,
    context: *mut c_void,
) {
    if let Some(done) = done {
        // SAFETY: Envoy's function, to be called with Envoy's pointer.
        unsafe { done(context) }
    }
}

/// Answers 404: extensions of this SDK have no page of the admin interface.
#[no_mangle]
pub extern "C" fn envoy_dynamic_module_on_bootstrap_extension_admin_request(
    _envoy: EnvoyConfigPtr,
    _config: ConfigPtr,
    _method: RawBuffer,
    _path: RawBuffer,
    _body: RawBuffer,
) -> u32 {
    404
}

ignored_hooks! {
    envoy_dynamic_module_on_bootstrap_extension_worker_thread_initialized(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_bootstrap_extension_drain_started(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_bootstrap_extension_config_scheduled(EnvoyConfigPtr, ConfigPtr, u64);
    envoy_dynamic_module_on_bootstrap_extension_http_callout_done(
        EnvoyConfigPtr, ConfigPtr, u64, abi::envoy_dynamic_module_type_http_callout_result,
        *mut abi::envoy_dynamic_module_type_envoy_http_header, usize, *mut RawBuffer, usize
    );
    envoy_dynamic_module_on_bootstrap_extension_timer_fired(
        EnvoyConfigPtr, ConfigPtr, abi::envoy_dynamic_module_type_bootstrap_extension_timer_module_ptr
    );
    envoy_dynamic_module_on_bootstrap_extension_file_changed(EnvoyConfigPtr, ConfigPtr, RawBuffer, u32);
    envoy_dynamic_module_on_bootstrap_extension_cluster_add_or_update(EnvoyConfigPtr, ConfigPtr, RawBuffer);
    envoy_dynamic_module_on_bootstrap_extension_cluster_removal(EnvoyConfigPtr, ConfigPtr, RawBuffer);
    envoy_dynamic_module_on_bootstrap_extension_listener_add_or_update(EnvoyConfigPtr, ConfigPtr, RawBuffer);
    envoy_dynamic_module_on_bootstrap_extension_listener_removal(EnvoyConfigPtr, ConfigPtr, RawBuffer);
}

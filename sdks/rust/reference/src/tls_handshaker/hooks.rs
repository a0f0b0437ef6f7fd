//! The functions that Envoy looks up and calls for TLS handshakers. Each calls the module's code guarded: no panic leaves it, and a
//! handshake that panics fails.

use super::{
    HandshakeResult, TlsHandshaker, TlsHandshakerCapabilities, TlsHandshakerConfig, NEW_TLS_HANDSHAKER_CONFIG_FUNCTION,
};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_tls_handshaker_result as RawResult,
};
use crate::buffer::EnvoyBuffer;
use crate::{guard, held};

type ConfigPtr = abi::envoy_dynamic_module_type_tls_handshaker_config_module_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_tls_handshaker_module_ptr;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn TlsHandshakerConfig>;

/// What Envoy holds for the handshaker of a connection.
type Handshaker = Box<dyn TlsHandshaker>;

/// # Safety
/// Called by Envoy: `name`, `config` and `capabilities` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tls_handshaker_config_new(
    _envoy: abi::envoy_dynamic_module_type_tls_handshaker_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
    capabilities: *mut TlsHandshakerCapabilities,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config, capabilities) =
        unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config), &mut *capabilities) };
    let made: Option<Config> = guard::run("new_tls_handshaker_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_TLS_HANDSHAKER_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice(), capabilities)
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tls_handshaker_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, and a context of BoringSSL.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tls_handshaker_configure_ssl_context(
    config: ConfigPtr,
    ssl_ctx: abi::envoy_dynamic_module_type_tls_handshaker_ssl_ctx_ptr,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("configure_ssl_context", || config.configure_ssl_context(ssl_ctx)).unwrap_or(false)
}

/// Returns null if making the handshaker panics: Envoy then closes the connection.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and the connection's `SSL`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tls_handshaker_new(
    config: ConfigPtr,
    ssl: abi::envoy_dynamic_module_type_tls_handshaker_ssl_ptr,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_handshaker", || config.new_handshaker(ssl)).map_or(std::ptr::null(), held::hold::<Handshaker>)
}

/// # Safety
/// Called by Envoy, once, with what `…_handshaker_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tls_handshaker_destroy(handshaker: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_handshaker_new` made it.
    unsafe { held::destroy::<Handshaker>(handshaker) }
}

/// # Safety
/// Called by Envoy with what `…_handshaker_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tls_handshaker_handshake(handshaker: ModulePtr) -> RawResult {
    // SAFETY: Envoy's promise, see above.
    let result = unsafe {
        held::call::<Handshaker, _>(handshaker, HandshakeResult::Failed, |handshaker| {
            guard::run("handshake", || handshaker.handshake()).unwrap_or(HandshakeResult::Failed)
        })
    };
    match result {
        HandshakeResult::RunDefault => RawResult::RunDefault,
        HandshakeResult::Failed => RawResult::Failed,
    }
}

//! The functions that Envoy looks up and calls for access loggers. Each calls the module's code guarded: no panic leaves it.

use super::{AccessLogger, AccessLoggerConfig, ConfigContext, LogContext, MetricsContext};
use crate::abi::{
    self, envoy_dynamic_module_type_access_log_type as LogType, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
};
use crate::buffer::EnvoyBuffer;
use crate::{guard, held};

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_access_logger_config_envoy_ptr;
type ConfigPtr = abi::envoy_dynamic_module_type_access_logger_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_access_logger_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_access_logger_module_ptr;

/// What Envoy holds for a configuration.
struct Config {
    module: Box<dyn AccessLoggerConfig>,
    envoy: EnvoyConfigPtr,
}

/// What Envoy holds for the logger of a thread.
type Logger = Box<dyn AccessLogger>;

/// What `…_config_new` does.
///
/// # Safety
/// `name` and `config` are valid during the call, and `envoy` as long as the configuration lives.
pub unsafe fn config_new(
    envoy: EnvoyConfigPtr,
    name: RawBuffer,
    config: RawBuffer,
    new_config: impl FnOnce(&ConfigContext, &str, &[u8]) -> Option<Box<dyn AccessLoggerConfig>>,
) -> ConfigPtr {
    // SAFETY: the caller's promise.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made = guard::run("new_access_logger_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        new_config(&ConfigContext::of(envoy), &name, config.as_slice())
    });
    made.flatten()
        .map_or(std::ptr::null(), |module| Box::into_raw(Box::new(Config { module, envoy })).cast_const().cast())
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[cfg(not(feature = "sdk-1-37"))]
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_config_new(
    envoy: EnvoyConfigPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        config_new(envoy, name, config, |ctx, name, config| {
            let new_config = super::NEW_ACCESS_LOGGER_CONFIG_FUNCTION.get()?;
            new_config(ctx, name, config)
        })
    }
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the logger panics: Envoy then logs nothing on this thread.
///
/// # Safety
/// Called by Envoy, for each thread, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("create_logger", || create(config, envoy)).map_or(std::ptr::null(), held::hold::<Logger>)
}

#[cfg(feature = "sdk-1-37")]
fn create(config: &Config, _envoy: EnvoyPtr) -> Logger {
    config.module.create_logger(MetricsContext::of(config.envoy))
}

#[cfg(not(feature = "sdk-1-37"))]
fn create(config: &Config, envoy: EnvoyPtr) -> Logger {
    config.module.create_logger(MetricsContext::of(config.envoy), envoy)
}

/// # Safety
/// Called by Envoy with its side of what is logged, and what `…_logger_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_log(
    envoy: EnvoyPtr,
    logger: ModulePtr,
    log_type: LogType,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        held::call::<Logger, _>(logger, (), |logger| {
            let _ = guard::run("log", || logger.log(&LogContext::of(envoy, log_type)));
        });
    }
}

/// # Safety
/// Called by Envoy with what `…_logger_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_flush(logger: ModulePtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        held::call::<Logger, _>(logger, (), |logger| {
            let _ = guard::run("flush", || logger.flush());
        });
    }
}

/// # Safety
/// Called by Envoy, once, with what `…_logger_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_destroy(logger: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_logger_new` made it.
    unsafe { held::destroy::<Logger>(logger) }
}

//! What a module implements of an access logger.

use super::{ConfigContext, LogContext, MetricsContext};

/// The configuration of a logger. Used by all threads.
pub trait AccessLoggerConfig: Send + Sync {
    /// Makes it of the logger's name and configuration; an error refuses it.
    fn new(ctx: &ConfigContext, name: &str, config: &[u8]) -> Result<Self, String>
    where
        Self: Sized;

    /// Makes the logger of one thread, on that thread.
    #[cfg(feature = "sdk-1-37")]
    fn create_logger(&self, metrics: MetricsContext) -> Box<dyn AccessLogger>;

    /// Makes the logger of one thread, on that thread.
    #[cfg(not(feature = "sdk-1-37"))]
    fn create_logger(
        &self,
        metrics: MetricsContext,
        logger_envoy_ptr: *mut std::ffi::c_void,
    ) -> Box<dyn AccessLogger>;
}

/// The logger of one thread.
pub trait AccessLogger: Send {
    /// Something is to be logged.
    fn log(&mut self, ctx: &LogContext);

    /// The logger is about to be destroyed: what it holds back is to be written.
    fn flush(&mut self) {}
}

/// Called for each configuration with the logger's name and its configuration; `None` refuses it.
#[cfg(not(feature = "sdk-1-37"))]
pub type NewAccessLoggerConfigFunction =
    fn(ctx: &ConfigContext, name: &str, config: &[u8]) -> Option<Box<dyn AccessLoggerConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
#[cfg(not(feature = "sdk-1-37"))]
pub static NEW_ACCESS_LOGGER_CONFIG_FUNCTION: std::sync::OnceLock<NewAccessLoggerConfigFunction> =
    std::sync::OnceLock::new();

/// Makes a type the configuration of a module's access loggers.
#[cfg(feature = "sdk-1-37")]
#[macro_export]
macro_rules! declare_access_logger {
    ($config:ty) => {
        /// # Safety
        /// Called by Envoy: `name` and `config` are valid during the call.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_access_logger_config_new(
            envoy: $crate::abi::envoy_dynamic_module_type_access_logger_config_envoy_ptr,
            name: $crate::abi::envoy_dynamic_module_type_envoy_buffer,
            config: $crate::abi::envoy_dynamic_module_type_envoy_buffer,
        ) -> $crate::abi::envoy_dynamic_module_type_access_logger_config_module_ptr {
            // SAFETY: Envoy's promise, see above.
            unsafe {
                $crate::access_log::config_new(envoy, name, config, |ctx, name, config| {
                    let made = <$config as $crate::access_log::AccessLoggerConfig>::new(ctx, name, config).ok()?;
                    Some(Box::new(made))
                })
            }
        }
    };
}

//! Macros that write to Envoy's log, with the arguments of `format!`.

use crate::abi;

/// The function behind the macros: formats only where the level is on.
#[doc(hidden)]
pub fn write(level: abi::envoy_dynamic_module_type_log_level, message: std::fmt::Arguments<'_>) {
    // SAFETY: the host defines both callbacks, on every thread; the message outlives its call.
    unsafe {
        if abi::envoy_dynamic_module_callback_log_enabled(level) {
            let message = message.to_string();
            abi::envoy_dynamic_module_callback_log(level, crate::buffer::module_buffer(message.as_bytes()));
        }
    }
}

/// Writes at a level of `envoy_dynamic_module_type_log_level`.
#[macro_export]
macro_rules! envoy_log {
    ($level:expr, $($message:tt)*) => {
        $crate::log_at($level, ::std::format_args!($($message)*))
    };
}

/// Defines the macro of one level.
macro_rules! level {
    ($dollar:tt $macro:ident $level:ident) => {
        #[doc = concat!("Writes at the level `", stringify!($level), "`.")]
        #[macro_export]
        macro_rules! $macro {
                    ($dollar($message:tt)*) => {
                        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::$level, $dollar($message)*)
                    };
                }
    };
}

level!($ envoy_log_trace Trace);
level!($ envoy_log_debug Debug);
level!($ envoy_log_info Info);
level!($ envoy_log_warn Warn);
level!($ envoy_log_error Error);
level!($ envoy_log_critical Critical);

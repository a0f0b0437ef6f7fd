//! Access loggers.

mod context;
mod hooks;
mod logger;

pub use context::{BytesInfo, ConfigContext, CounterHandle, LogContext, MetricsContext, TimingInfo};
#[cfg(not(feature = "sdk-1-37"))]
pub use context::AccessLogType;
#[doc(hidden)]
pub use hooks::config_new;
pub use logger::{AccessLogger, AccessLoggerConfig};
#[cfg(not(feature = "sdk-1-37"))]
pub use logger::{NewAccessLoggerConfigFunction, NEW_ACCESS_LOGGER_CONFIG_FUNCTION};

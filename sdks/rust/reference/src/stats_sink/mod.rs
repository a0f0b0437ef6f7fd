//! Stats sinks.

mod config;
mod hooks;
mod sink;
mod snapshot;

pub use config::{EnvoyStatSinkConfig, EnvoyStatSinkConfigScheduler};
pub use sink::{NewStatSinkConfigFunction, StatSink, NEW_STAT_SINK_CONFIG_FUNCTION};
pub use snapshot::{CounterValue, MetricSnapshot};

//! What a module implements of a stats sink.

use super::{EnvoyStatSinkConfig, MetricSnapshot};
use crate::buffer::EnvoyBuffer;
use std::sync::OnceLock;

/// A stats sink, one for each configuration. Used by all threads.
pub trait StatSink: Send + Sync {
    /// Called on the main thread with the metrics at a flush.
    fn on_flush(&self, snapshot: &MetricSnapshot<'_>);

    /// Called for each value of a histogram, on the thread that recorded it.
    fn on_histogram_complete(&self, name: EnvoyBuffer<'_>, value: u64);

    /// Called on the main thread for each event of a scheduler.
    fn on_config_scheduled(&self, _envoy_config: &mut EnvoyStatSinkConfig, _event_id: u64) {}
}

/// Called for each sink with its name and its configuration; `None` refuses it.
pub type NewStatSinkConfigFunction =
    fn(name: &str, config: &[u8], envoy_config: &mut EnvoyStatSinkConfig) -> Option<Box<dyn StatSink>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_STAT_SINK_CONFIG_FUNCTION: OnceLock<NewStatSinkConfigFunction> = OnceLock::new();

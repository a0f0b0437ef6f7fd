//! What a stats sink can ask of Envoy beside the metrics.

use crate::abi::{self, envoy_dynamic_module_type_metrics_result as MetricsResult};
use crate::buffer::module_buffer;
use crate::http::checked;
use crate::EnvoyGaugeId;

type EnvoyPtr = abi::envoy_dynamic_module_type_stat_sink_config_envoy_ptr;

/// Envoy's side of a sink's configuration; exists only while a callback runs on the main thread.
pub struct EnvoyStatSinkConfig {
    raw: EnvoyPtr,
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive.
impl EnvoyStatSinkConfig {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn of(raw: EnvoyPtr) -> Self {
        Self { raw }
    }

    /// Defines a gauge; only while the configuration is made.
    pub fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: see above.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_stat_sink_config_define_gauge(self.raw, name, &mut id) };
        checked(result, EnvoyGaugeId(id))
    }

    /// Sets a gauge.
    pub fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result = unsafe { abi::envoy_dynamic_module_callback_stat_sink_config_set_gauge(self.raw, id.0, value) };
        checked(result, ())
    }

    /// Makes what brings events of any thread to the main one.
    pub fn new_config_scheduler(&self) -> impl EnvoyStatSinkConfigScheduler + 'static {
        // SAFETY: see above.
        Scheduler(unsafe { abi::envoy_dynamic_module_callback_stat_sink_config_scheduler_new(self.raw) })
    }
}

/// Brings events to the main thread.
pub trait EnvoyStatSinkConfigScheduler: Send + Sync {
    /// Has `StatSink::on_config_scheduled` called with this event.
    fn commit(&self, event_id: u64);
}

struct Scheduler(abi::envoy_dynamic_module_type_stat_sink_config_scheduler_module_ptr);

// SAFETY: Envoy's scheduler may be used on any thread, and by several at once.
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

impl EnvoyStatSinkConfigScheduler for Scheduler {
    fn commit(&self, event_id: u64) {
        // SAFETY: it lives until the drop.
        unsafe { abi::envoy_dynamic_module_callback_stat_sink_config_scheduler_commit(self.0, event_id) }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: it is used no more.
        unsafe { abi::envoy_dynamic_module_callback_stat_sink_config_scheduler_delete(self.0) }
    }
}

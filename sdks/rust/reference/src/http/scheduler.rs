//! Events that other threads cause on a stream.

use crate::abi;

/// Causes events on one stream, from any thread.
pub trait EnvoyHttpFilterScheduler: Send + Sync {
    /// Has `on_scheduled` called with `event_id` on the stream's worker thread, if the stream still lives by then.
    fn commit(&self, event_id: u64);
}

/// A scheduler of Envoy's.
pub(super) struct Scheduler {
    raw: abi::envoy_dynamic_module_type_http_filter_scheduler_module_ptr,
}

// SAFETY: the ABI promises that a scheduler can be used and deleted on any thread.
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

impl Scheduler {
    /// # Safety
    /// `envoy` is Envoy's filter, and alive.
    pub(super) unsafe fn new(envoy: abi::envoy_dynamic_module_type_http_filter_envoy_ptr) -> Self {
        // SAFETY: the caller's promise.
        Self { raw: unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_new(envoy) } }
    }
}

impl EnvoyHttpFilterScheduler for Scheduler {
    fn commit(&self, event_id: u64) {
        // SAFETY: `raw` is what Envoy made, and not deleted yet.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_commit(self.raw, event_id) }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: `raw` is what Envoy made; this is the only place that deletes it.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_delete(self.raw) }
    }
}

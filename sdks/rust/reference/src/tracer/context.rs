//! What a tracer counts by.

use crate::abi::{self, envoy_dynamic_module_type_metrics_result as MetricsResult};
use crate::buffer::module_buffer;

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_tracer_config_envoy_ptr;

/// A counter that a configuration has defined.
#[derive(Debug, Clone, Copy)]
pub struct TracerCounterHandle(usize);

/// Envoy's side of a configuration. Counters are defined while it is made, and added to at any time.
pub struct TracerConfigContext(EnvoyConfigPtr);

// SAFETY: Envoy lets all threads count, and keeps its side as long as the configuration and the spans that are made with it.
unsafe impl Send for TracerConfigContext {}
// SAFETY: as above.
unsafe impl Sync for TracerConfigContext {}

impl TracerConfigContext {
    pub(super) fn of(envoy: EnvoyConfigPtr) -> Self {
        Self(envoy)
    }

    /// Defines a counter.
    pub fn define_counter(&self, name: &str) -> Result<TracerCounterHandle, MetricsResult> {
        let mut id = 0;
        // SAFETY: Envoy's side is alive, see above; the name outlives the call; there are no labels.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_tracer_define_counter(
                self.0,
                module_buffer(name.as_bytes()),
                std::ptr::null_mut(),
                0,
                &mut id,
            )
        };
        done(result).map(|()| TracerCounterHandle(id))
    }

    /// Adds to a counter.
    pub fn increment_counter(&self, handle: TracerCounterHandle, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: Envoy's side is alive, see above; there are no labels.
        done(unsafe {
            abi::envoy_dynamic_module_callback_tracer_increment_counter(
                self.0,
                handle.0,
                std::ptr::null_mut(),
                0,
                value,
            )
        })
    }
}

fn done(result: MetricsResult) -> Result<(), MetricsResult> {
    if result == MetricsResult::Success {
        Ok(())
    } else {
        Err(result)
    }
}

//! Envoy's side of a filter configuration, over the ABI's callbacks.

use super::metrics::{checked, EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId};
use super::EnvoyHttpFilterConfig;
use crate::abi::{self, envoy_dynamic_module_type_metrics_result as MetricsResult};
use crate::buffer::module_buffer;

/// Envoy's side of a filter configuration; exists only while that is made.
pub struct EnvoyHttpFilterConfigImpl {
    raw: abi::envoy_dynamic_module_type_http_filter_config_envoy_ptr,
}

impl EnvoyHttpFilterConfigImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_http_filter_config_envoy_ptr) -> Self {
        Self { raw }
    }
}

/// A function that defines a metric without labels.
macro_rules! define {
    ($name:ident -> $id:ident by $callback:ident) => {
        fn $name(&mut self, name: &str) -> Result<$id, MetricsResult> {
            let mut id = 0;
            let name = module_buffer(name.as_bytes());
            // SAFETY: `raw` is alive, as `new`'s caller vouched; the name outlives the call.
            let result = unsafe { abi::$callback(self.raw, name, std::ptr::null_mut(), 0, &mut id) };
            checked(result, $id(id))
        }
    };
}

impl EnvoyHttpFilterConfig for EnvoyHttpFilterConfigImpl {
    define!(define_counter -> EnvoyCounterId by envoy_dynamic_module_callback_http_filter_config_define_counter);
    define!(define_gauge -> EnvoyGaugeId by envoy_dynamic_module_callback_http_filter_config_define_gauge);
    define!(define_histogram -> EnvoyHistogramId by envoy_dynamic_module_callback_http_filter_config_define_histogram);
}

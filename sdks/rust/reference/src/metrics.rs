//! Metrics of extension points whose metrics may have labels: the methods are the same at each, the callbacks are not.

use crate::abi::envoy_dynamic_module_type_module_buffer as ModuleBuffer;
use crate::buffer::module_buffer;

/// Texts of the module's, to be read by Envoy during a call.
pub(crate) fn module_buffers(texts: &[&str]) -> Vec<ModuleBuffer> {
    texts.iter().map(|text| module_buffer(text.as_bytes())).collect()
}

/// Declares the methods, in a trait.
macro_rules! metrics_methods {
    () => {
        /// Defines a counter without labels.
        fn define_counter(&self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
        /// Defines a counter for each set of values of these labels.
        fn define_counter_vec(&self, name: &str, labels: &[&str]) -> Result<EnvoyCounterVecId, MetricsResult>;
        /// Defines a gauge without labels.
        fn define_gauge(&self, name: &str) -> Result<EnvoyGaugeId, MetricsResult>;
        /// Defines a histogram without labels.
        fn define_histogram(&self, name: &str) -> Result<EnvoyHistogramId, MetricsResult>;
        /// Adds to a counter.
        fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
        /// Adds to the counter of these values of its labels.
        fn increment_counter_vec(
            &self,
            id: EnvoyCounterVecId,
            labels: &[&str],
            value: u64,
        ) -> Result<(), MetricsResult>;
        /// Sets a gauge.
        fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;
        /// Records a value in a histogram.
        fn record_histogram_value(&self, id: EnvoyHistogramId, value: u64) -> Result<(), MetricsResult>;
    };
}

/// Defines the methods for what holds Envoy's pointer in its field 0.
macro_rules! metrics_by {
    ($counter:ident, $gauge:ident, $histogram:ident, $increment:ident, $set:ident, $record:ident) => {
        metrics_by!(define define_counter, EnvoyCounterId, $counter);
        metrics_by!(define define_gauge, EnvoyGaugeId, $gauge);
        metrics_by!(define define_histogram, EnvoyHistogramId, $histogram);
        metrics_by!(change increment_counter, EnvoyCounterId, $increment);
        metrics_by!(change set_gauge, EnvoyGaugeId, $set);
        metrics_by!(change record_histogram_value, EnvoyHistogramId, $record);

        fn define_counter_vec(&self, name: &str, labels: &[&str]) -> Result<EnvoyCounterVecId, MetricsResult> {
            let (mut id, mut labels) = (0, module_buffers(labels));
            let name = module_buffer(name.as_bytes());
            // SAFETY: the configuration is alive; name and labels outlive the call.
            let result = unsafe { abi::$counter(self.0, name, labels.as_mut_ptr(), labels.len(), &mut id) };
            checked(result, EnvoyCounterVecId(id))
        }

        fn increment_counter_vec(
            &self,
            EnvoyCounterVecId(id): EnvoyCounterVecId,
            labels: &[&str],
            value: u64,
        ) -> Result<(), MetricsResult> {
            let mut labels = module_buffers(labels);
            // SAFETY: as above.
            let result = unsafe { abi::$increment(self.0, id, labels.as_mut_ptr(), labels.len(), value) };
            checked(result, ())
        }
    };
    (define $method:ident, $id:ident, $callback:ident) => {
        fn $method(&self, name: &str) -> Result<$id, MetricsResult> {
            let mut id = 0;
            let name = module_buffer(name.as_bytes());
            // SAFETY: the configuration is alive; the name outlives the call.
            let result = unsafe { abi::$callback(self.0, name, std::ptr::null_mut(), 0, &mut id) };
            checked(result, $id(id))
        }
    };
    (change $method:ident, $id:ident, $callback:ident) => {
        fn $method(&self, $id(id): $id, value: u64) -> Result<(), MetricsResult> {
            // SAFETY: the configuration is alive.
            let result = unsafe { abi::$callback(self.0, id, std::ptr::null_mut(), 0, value) };
            checked(result, ())
        }
    };
}

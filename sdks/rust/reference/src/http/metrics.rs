//! A module's own metrics: defined with a configuration, changed by its filters.

use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;

/// A counter of a filter configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvoyCounterId(pub(crate) usize);

/// A counter with labels, of a configuration.
#[cfg(not(feature = "sdk-1-37"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvoyCounterVecId(pub(crate) usize);

/// A gauge of a filter configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvoyGaugeId(pub(crate) usize);

/// A histogram of a filter configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvoyHistogramId(pub(crate) usize);

/// The ABI's result as Rust's.
pub(crate) fn checked<T>(result: MetricsResult, value: T) -> Result<T, MetricsResult> {
    if result == MetricsResult::Success {
        Ok(value)
    } else {
        Err(result)
    }
}

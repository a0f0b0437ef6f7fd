//! What a module implements of a tracer, and what Envoy shows it.

use super::TracerConfigContext;
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_trace_reason as RawReason,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use std::sync::OnceLock;

pub(super) type EnvoyPtr = abi::envoy_dynamic_module_type_tracer_span_envoy_ptr;

/// The configuration of a tracer. Used by all threads.
pub trait TracerConfig: Send + Sync {
    /// Makes the span of a request; without one it is not traced.
    fn start_span(
        &self,
        envoy_span: &dyn EnvoyTracerSpan,
        operation_name: &str,
        traced: bool,
        reason: TraceReason,
    ) -> Option<Box<dyn TracerSpan>>;
}

/// A span.
pub trait TracerSpan: Send {
    /// Gives it another name.
    fn set_operation(&mut self, operation: &str);
    /// Adds a tag.
    fn set_tag(&mut self, key: &str, value: &str);
    /// Something happened, so many nanoseconds after 1970.
    fn log(&mut self, timestamp_ns: i64, event: &str);
    /// It is over, and to be reported.
    fn finish(&mut self);
    /// Writes into a request upstream what the next one needs to go on with the trace.
    fn inject_context(&mut self, envoy_span: &dyn EnvoyTracerSpan);
    /// Makes a span within this one.
    fn spawn_child(&mut self, name: &str, start_time_ns: i64) -> Option<Box<dyn TracerSpan>>;
    /// Decides anew whether it is reported.
    fn set_sampled(&mut self, sampled: bool);

    /// Whether Envoy decides that.
    fn use_local_decision(&self) -> bool {
        true
    }

    /// A value that goes with the trace.
    fn get_baggage(&self, _key: &str) -> Option<String> {
        None
    }

    /// Adds such a value.
    fn set_baggage(&mut self, _key: &str, _value: &str) {}

    /// What the trace is called.
    fn get_trace_id(&self) -> Option<String> {
        None
    }

    /// What the span is called.
    fn get_span_id(&self) -> Option<String> {
        None
    }
}

/// Why a request is traced, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceReason {
    NotTraceable,
    HealthCheck,
    Sampling,
    ServiceForced,
    ClientForced,
}

impl TraceReason {
    /// A number that is none of the ABI's counts as not traceable.
    pub(super) fn of(reason: RawReason) -> Self {
        match reason {
            RawReason::HealthCheck => Self::HealthCheck,
            RawReason::Sampling => Self::Sampling,
            RawReason::ServiceForced => Self::ServiceForced,
            RawReason::ClientForced => Self::ClientForced,
            _ => Self::NotTraceable,
        }
    }
}

/// Called for each configuration with the tracer's name and its configuration; `None` refuses it.
pub type NewTracerConfigFunction =
    fn(ctx: TracerConfigContext, name: &str, config: &[u8]) -> Option<Box<dyn TracerConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_TRACER_CONFIG_FUNCTION: OnceLock<NewTracerConfigFunction> = OnceLock::new();

/// Envoy's side of a span.
pub trait EnvoyTracerSpan: Send {
    /// A header of the request: of the client's while the span starts, of the one upstream while the context is injected.
    fn get_context_value(&self, key: &str) -> Option<Vec<u8>>;
    /// Sets such a header.
    fn set_context_value(&self, key: &str, value: &[u8]);
    /// Removes such a header.
    fn remove_context_value(&self, key: &str);
    /// Such as `HTTP/1.1`.
    fn get_protocol(&self) -> Option<Vec<u8>>;
    /// The request's `:authority`.
    fn get_host(&self) -> Option<Vec<u8>>;
    /// The request's `:path`.
    fn get_path(&self) -> Option<Vec<u8>>;
    /// The request's `:method`.
    fn get_method(&self) -> Option<Vec<u8>>;
}

/// The same, while a callback runs.
pub(super) struct EnvoySpan(pub(super) EnvoyPtr);

// SAFETY: it does not leave the callback in which it is made, as it is lent there.
unsafe impl Send for EnvoySpan {}

/// Takes a copy of what a callback shows.
fn copied(show: impl FnOnce(&mut RawBuffer) -> bool) -> Option<Vec<u8>> {
    let mut raw = NO_BYTES;
    // SAFETY: Envoy's bytes, which live as long as the callback that is running, or until the context is changed.
    show(&mut raw).then(|| unsafe { EnvoyBuffer::from_raw(raw) }.as_slice().to_vec())
}

// SAFETY of every call below: what Envoy passed to the callback that is running, so it is alive; the arguments outlive the call.
impl EnvoyTracerSpan for EnvoySpan {
    fn get_context_value(&self, key: &str) -> Option<Vec<u8>> {
        let key = module_buffer(key.as_bytes());
        // SAFETY: see above.
        copied(|raw| unsafe { abi::envoy_dynamic_module_callback_tracer_get_trace_context_value(self.0, key, raw) })
    }

    fn set_context_value(&self, key: &str, value: &[u8]) {
        let key = module_buffer(key.as_bytes());
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_tracer_set_trace_context_value(self.0, key, module_buffer(value));
        }
    }

    fn remove_context_value(&self, key: &str) {
        let key = module_buffer(key.as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_tracer_remove_trace_context_value(self.0, key) }
    }

    fn get_protocol(&self) -> Option<Vec<u8>> {
        // SAFETY: see above.
        copied(|raw| unsafe { abi::envoy_dynamic_module_callback_tracer_get_trace_context_protocol(self.0, raw) })
    }

    fn get_host(&self) -> Option<Vec<u8>> {
        // SAFETY: see above.
        copied(|raw| unsafe { abi::envoy_dynamic_module_callback_tracer_get_trace_context_host(self.0, raw) })
    }

    fn get_path(&self) -> Option<Vec<u8>> {
        // SAFETY: see above.
        copied(|raw| unsafe { abi::envoy_dynamic_module_callback_tracer_get_trace_context_path(self.0, raw) })
    }

    fn get_method(&self) -> Option<Vec<u8>> {
        // SAFETY: see above.
        copied(|raw| unsafe { abi::envoy_dynamic_module_callback_tracer_get_trace_context_method(self.0, raw) })
    }
}

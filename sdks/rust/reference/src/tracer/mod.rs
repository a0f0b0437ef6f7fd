//! Tracers.

mod context;
mod hooks;
mod span;

pub use context::{TracerConfigContext, TracerCounterHandle};
pub use span::{
    EnvoyTracerSpan, NewTracerConfigFunction, TraceReason, TracerConfig, TracerSpan, NEW_TRACER_CONFIG_FUNCTION,
};

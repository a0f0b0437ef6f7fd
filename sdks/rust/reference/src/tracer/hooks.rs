//! The functions that Envoy looks up and calls for tracers. Each calls the module's code guarded: no panic leaves it.

use super::span::{EnvoyPtr, EnvoySpan};
use super::{TraceReason, TracerConfig, TracerConfigContext, TracerSpan, NEW_TRACER_CONFIG_FUNCTION};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
    envoy_dynamic_module_type_trace_reason as RawReason,
};
use crate::buffer::{module_buffer, EnvoyBuffer};
use crate::{guard, held};

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_tracer_config_envoy_ptr;
type ConfigPtr = abi::envoy_dynamic_module_type_tracer_config_module_ptr;
type SpanPtr = abi::envoy_dynamic_module_type_tracer_span_module_ptr;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn TracerConfig>;

/// What Envoy holds for a span.
struct Span {
    module: Box<dyn TracerSpan>,
    /// What was answered last: Envoy copies it before it calls the span again.
    answer: String,
}

/// Hands a span over to Envoy; null where there is none.
fn hand_over(span: Option<Option<Box<dyn TracerSpan>>>) -> SpanPtr {
    span.flatten().map_or(std::ptr::null(), |module| held::hold(Span { module, answer: String::new() }))
}

/// Text of Envoy's.
///
/// # Safety
/// `raw` is valid during the call of the hook.
unsafe fn text(raw: RawBuffer) -> String {
    // SAFETY: the caller's promise.
    String::from_utf8_lossy(unsafe { EnvoyBuffer::from_raw(raw) }.as_slice()).into_owned()
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call, and `envoy` as long as the configuration lives.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_config_new(
    envoy: EnvoyConfigPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (text(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_tracer_config", || {
        let new_config = NEW_TRACER_CONFIG_FUNCTION.get()?;
        new_config(TracerConfigContext::of(envoy), &name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the span panics: Envoy then does not trace the request.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the span.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_start_span(
    config: ConfigPtr,
    envoy: EnvoyPtr,
    operation_name: RawBuffer,
    traced: bool,
    reason: RawReason,
) -> SpanPtr {
    // SAFETY: Envoy's promise, see above.
    let (config, operation_name) = unsafe { (&*config.cast::<Config>(), text(operation_name)) };
    hand_over(guard::run("start_span", || {
        config.start_span(&EnvoySpan(envoy), &operation_name, traced, TraceReason::of(reason))
    }))
}

/// Runs what a hook does with a span, guarded.
///
/// # Safety
/// `span` is what Envoy was given for a span that it has not destroyed.
unsafe fn with<R>(span: SpanPtr, name: &str, otherwise: R, action: impl FnOnce(&mut Span) -> R) -> R {
    // SAFETY: the caller's promise.
    unsafe { held::call::<Span, _>(span, None, |span| guard::run(name, || action(span))).unwrap_or(otherwise) }
}

/// # Safety
/// Called by Envoy with a span, and text that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_set_operation(span: SpanPtr, operation: RawBuffer) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let operation = text(operation);
        with(span, "set_operation", (), |span| span.module.set_operation(&operation));
    }
}

/// # Safety
/// Called by Envoy with a span, and texts that are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_set_tag(span: SpanPtr, key: RawBuffer, value: RawBuffer) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let (key, value) = (text(key), text(value));
        with(span, "set_tag", (), |span| span.module.set_tag(&key, &value));
    }
}

/// # Safety
/// Called by Envoy with a span, and text that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_log(span: SpanPtr, timestamp_ns: i64, event: RawBuffer) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let event = text(event);
        with(span, "log", (), |span| span.module.log(timestamp_ns, &event));
    }
}

/// # Safety
/// Called by Envoy with a span.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_finish(span: SpanPtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { with(span, "finish", (), |span| span.module.finish()) }
}

/// # Safety
/// Called by Envoy with a span, and its side of it.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_inject_context(span: SpanPtr, envoy: EnvoyPtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { with(span, "inject_context", (), |span| span.module.inject_context(&EnvoySpan(envoy))) }
}

/// Returns null if making the span panics: Envoy then goes on without it.
///
/// # Safety
/// Called by Envoy with a span, and text that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_spawn_child(
    span: SpanPtr,
    name: RawBuffer,
    start_time_ns: i64,
) -> SpanPtr {
    // SAFETY: Envoy's promise, see above.
    let child = unsafe {
        let name = text(name);
        with(span, "spawn_child", None, |span| span.module.spawn_child(&name, start_time_ns))
    };
    hand_over(Some(child))
}

/// # Safety
/// Called by Envoy with a span.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_set_sampled(span: SpanPtr, sampled: bool) {
    // SAFETY: Envoy's promise, see above.
    unsafe { with(span, "set_sampled", (), |span| span.module.set_sampled(sampled)) }
}

/// # Safety
/// Called by Envoy with a span.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_use_local_decision(span: SpanPtr) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe { with(span, "use_local_decision", true, |span| span.module.use_local_decision()) }
}

/// # Safety
/// Called by Envoy with a span, and texts that are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_set_baggage(
    span: SpanPtr,
    key: RawBuffer,
    value: RawBuffer,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let (key, value) = (text(key), text(value));
        with(span, "set_baggage", (), |span| span.module.set_baggage(&key, &value));
    }
}

/// Answers with a text of the module's, and whether there is one.
///
/// # Safety
/// As for [`with`]; Envoy's `result` may be written to.
unsafe fn answer(
    span: SpanPtr,
    name: &str,
    result: *mut ModuleBuffer,
    ask: impl FnOnce(&dyn TracerSpan) -> Option<String>,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        *result = module_buffer(&[]);
        with(span, name, false, |span| {
            let Some(text) = ask(&*span.module) else {
                return false;
            };
            span.answer = text;
            *result = module_buffer(span.answer.as_bytes());
            true
        })
    }
}

/// # Safety
/// Called by Envoy with a span, text that is valid during the call, and where the answer goes.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_get_baggage(
    span: SpanPtr,
    key: RawBuffer,
    result: *mut ModuleBuffer,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let key = text(key);
        answer(span, "get_baggage", result, |span| span.get_baggage(&key))
    }
}

/// # Safety
/// Called by Envoy with a span, and where the answer goes.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_get_trace_id(
    span: SpanPtr,
    result: *mut ModuleBuffer,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe { answer(span, "get_trace_id", result, |span| span.get_trace_id()) }
}

/// # Safety
/// Called by Envoy with a span, and where the answer goes.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_get_span_id(
    span: SpanPtr,
    result: *mut ModuleBuffer,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe { answer(span, "get_span_id", result, |span| span.get_span_id()) }
}

/// # Safety
/// Called by Envoy, once, with a span.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_tracer_span_destroy(span: SpanPtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { held::destroy::<Span>(span) }
}

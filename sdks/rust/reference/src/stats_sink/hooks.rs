//! The functions that Envoy looks up and calls for stats sinks. Each calls the module's code guarded: no panic leaves it.

use super::{EnvoyStatSinkConfig, MetricSnapshot, StatSink, NEW_STAT_SINK_CONFIG_FUNCTION};
use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::EnvoyBuffer;
use crate::guard;

/// What Envoy holds for a sink. Boxed twice, for a pointer to a `dyn` is not one word.
type Sink = Box<dyn StatSink>;

type EnvoyPtr = abi::envoy_dynamic_module_type_stat_sink_config_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_stat_sink_config_module_ptr;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_stat_sink_config_new(
    envoy: EnvoyPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let (mut envoy, name, config) =
        unsafe { (EnvoyStatSinkConfig::of(envoy), EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Sink> = guard::run("new_stat_sink_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_STAT_SINK_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice(), &mut envoy)
    })
    .flatten();
    made.map_or(std::ptr::null(), |sink| Box::into_raw(Box::new(sink)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_stat_sink_config_destroy(sink: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let sink = unsafe { Box::from_raw(sink.cast::<Sink>().cast_mut()) };
    let _ = guard::run("drop of the sink", || drop(sink));
}

/// # Safety
/// Called by Envoy on the main thread, with what `…_config_new` returned, and metrics that are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_stat_sink_flush(
    sink: ModulePtr,
    snapshot: abi::envoy_dynamic_module_type_stat_sink_snapshot_envoy_ptr,
) {
    // SAFETY: Envoy's promise, see above.
    let (sink, snapshot) = unsafe { (&*sink.cast::<Sink>(), MetricSnapshot::of(snapshot)) };
    let _ = guard::run("on_flush", || sink.on_flush(&snapshot));
}

/// # Safety
/// Called by Envoy on any thread, with what `…_config_new` returned, and a name that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_stat_sink_on_histogram_complete(
    sink: ModulePtr,
    name: RawBuffer,
    value: u64,
) {
    // SAFETY: Envoy's promise, see above.
    let (sink, name) = unsafe { (&*sink.cast::<Sink>(), EnvoyBuffer::from_raw(name)) };
    let _ = guard::run("on_histogram_complete", || sink.on_histogram_complete(name, value));
}

/// # Safety
/// Called by Envoy on the main thread, with its side of the configuration and what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_stat_sink_config_scheduled(
    envoy: EnvoyPtr,
    sink: ModulePtr,
    event_id: u64,
) {
    // SAFETY: Envoy's promise, see above.
    let (mut envoy, sink) = unsafe { (EnvoyStatSinkConfig::of(envoy), &*sink.cast::<Sink>()) };
    let _ = guard::run("on_config_scheduled", || sink.on_config_scheduled(&mut envoy, event_id));
}

//! The functions that Envoy looks up and calls for network filters. Each calls the module's code guarded: no panic leaves it.

use super::{
    EnvoyNetworkFilterConfigImpl, EnvoyNetworkFilterImpl, NetworkFilter, NetworkFilterConfig,
    NEW_NETWORK_FILTER_CONFIG_FUNCTION,
};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_on_network_filter_data_status as Status,
};
use crate::buffer::EnvoyBuffer;
use crate::catch_unwind::CatchUnwind;
use crate::{guard, held};

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn NetworkFilterConfig<EnvoyNetworkFilterImpl>>;

/// What Envoy holds for a filter.
type Filter = CatchUnwind<Box<dyn NetworkFilter<EnvoyNetworkFilterImpl>>>;

type ConfigPtr = abi::envoy_dynamic_module_type_network_filter_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_network_filter_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_network_filter_module_ptr;

/// # Safety
/// Called by Envoy: all that it passes is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_config_new(
    envoy: abi::envoy_dynamic_module_type_network_filter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config, mut envoy) = unsafe {
        (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config), EnvoyNetworkFilterConfigImpl::new(envoy))
    };
    let made: Option<Config> = guard::run("new_network_filter_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_NETWORK_FILTER_CONFIG_FUNCTION.get()?;
        new_config(&mut envoy, &name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the filter panics: Envoy then closes the connection.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and the connection's filter.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let (config, mut envoy) = unsafe { (&*config.cast::<Config>(), EnvoyNetworkFilterImpl::new(envoy)) };
    guard::run("new_network_filter", || config.new_network_filter(&mut envoy))
        .map_or(std::ptr::null(), |filter| held::hold::<Filter>(CatchUnwind::new(filter)))
}

/// # Safety
/// Called by Envoy, once, with what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_destroy(filter: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_filter_new` made it.
    unsafe { held::destroy::<Filter>(filter) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_new_connection(
    envoy: EnvoyPtr,
    filter: ModulePtr,
) -> Status {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, Status::Continue, |filter, envoy| filter.on_new_connection(envoy)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_read(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    data_length: usize,
    end_stream: bool,
) -> Status {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, Status::Continue, |filter, envoy| filter.on_read(envoy, data_length, end_stream)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_write(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    data_length: usize,
    end_stream: bool,
) -> Status {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, Status::Continue, |filter, envoy| filter.on_write(envoy, data_length, end_stream)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_network_filter_event(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    event: abi::envoy_dynamic_module_type_network_connection_event,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, (), |filter, envoy| filter.on_event(envoy, event)) }
}

ignored_hooks! {
    envoy_dynamic_module_on_network_filter_http_callout_done(
        EnvoyPtr, ModulePtr, u64, abi::envoy_dynamic_module_type_http_callout_result,
        *mut abi::envoy_dynamic_module_type_envoy_http_header, usize, *mut RawBuffer, usize
    );
    envoy_dynamic_module_on_network_filter_scheduled(EnvoyPtr, ModulePtr, u64);
    envoy_dynamic_module_on_network_filter_config_scheduled(ConfigPtr, u64);
}

/// Calls a filter; `otherwise` is the answer while the filter is busy.
///
/// # Safety
/// `envoy` is Envoy's filter, and `filter` what `…_filter_new` returned.
unsafe fn call<R>(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    otherwise: R,
    action: impl FnOnce(&mut Filter, &mut EnvoyNetworkFilterImpl) -> R,
) -> R {
    // SAFETY: the caller's promise.
    unsafe {
        let mut envoy = EnvoyNetworkFilterImpl::new(envoy);
        held::call(filter, otherwise, |filter| action(filter, &mut envoy))
    }
}

// New in 1.38.
#[cfg(not(feature = "sdk-1-37"))]
ignored_hooks! {
    envoy_dynamic_module_on_network_filter_above_write_buffer_high_watermark(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_network_filter_below_write_buffer_low_watermark(EnvoyPtr, ModulePtr);
}

//! The functions that Envoy looks up and calls for listener filters. Each calls the module's code guarded: no panic leaves it.

use super::{
    EnvoyListenerFilterConfigImpl, EnvoyListenerFilterImpl, ListenerFilter, ListenerFilterConfig,
    NEW_LISTENER_FILTER_CONFIG_FUNCTION,
};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_on_listener_filter_status as Status,
};
use crate::buffer::EnvoyBuffer;
use crate::catch_unwind::CatchUnwind;
use crate::{guard, held};

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn ListenerFilterConfig<EnvoyListenerFilterImpl>>;

/// What Envoy holds for a filter.
type Filter = CatchUnwind<Box<dyn ListenerFilter<EnvoyListenerFilterImpl>>>;

type ConfigPtr = abi::envoy_dynamic_module_type_listener_filter_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_listener_filter_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_listener_filter_module_ptr;

/// # Safety
/// Called by Envoy: all that it passes is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_config_new(
    envoy: abi::envoy_dynamic_module_type_listener_filter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config, mut envoy) = unsafe {
        (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config), EnvoyListenerFilterConfigImpl::new(envoy))
    };
    let made: Option<Config> = guard::run("new_listener_filter_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_LISTENER_FILTER_CONFIG_FUNCTION.get()?;
        new_config(&mut envoy, &name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the filter panics: Envoy then closes the connection.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and the connection's filter.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let (config, mut envoy) = unsafe { (&*config.cast::<Config>(), EnvoyListenerFilterImpl::new(envoy)) };
    guard::run("new_listener_filter", || config.new_listener_filter(&mut envoy))
        .map_or(std::ptr::null(), |filter| held::hold::<Filter>(CatchUnwind::new(filter)))
}

/// # Safety
/// Called by Envoy, once, with what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_destroy(filter: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_filter_new` made it.
    unsafe { held::destroy::<Filter>(filter) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_on_accept(
    envoy: EnvoyPtr,
    filter: ModulePtr,
) -> Status {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, Status::Continue, |filter, envoy| filter.on_accept(envoy)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_on_data(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    data_length: usize,
) -> Status {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, Status::Continue, |filter, envoy| filter.on_data(envoy, data_length)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_get_max_read_bytes(
    envoy: EnvoyPtr,
    filter: ModulePtr,
) -> usize {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, 0, |filter, envoy| filter.max_read_bytes(envoy)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_listener_filter_on_close(envoy: EnvoyPtr, filter: ModulePtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, (), |filter, envoy| filter.on_close(envoy)) }
}

ignored_hooks! {
    envoy_dynamic_module_on_listener_filter_http_callout_done(
        EnvoyPtr, ModulePtr, u64, abi::envoy_dynamic_module_type_http_callout_result,
        *mut abi::envoy_dynamic_module_type_envoy_http_header, usize, *mut RawBuffer, usize
    );
    envoy_dynamic_module_on_listener_filter_scheduled(EnvoyPtr, ModulePtr, u64);
    envoy_dynamic_module_on_listener_filter_config_scheduled(
        abi::envoy_dynamic_module_type_listener_filter_config_envoy_ptr, ConfigPtr, u64
    );
}

/// Calls a filter; `otherwise` is the answer while the filter is busy.
///
/// # Safety
/// `envoy` is Envoy's filter, and `filter` what `…_filter_new` returned.
unsafe fn call<R>(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    otherwise: R,
    action: impl FnOnce(&mut Filter, &mut EnvoyListenerFilterImpl) -> R,
) -> R {
    // SAFETY: the caller's promise.
    unsafe {
        let mut envoy = EnvoyListenerFilterImpl::new(envoy);
        held::call(filter, otherwise, |filter| action(filter, &mut envoy))
    }
}

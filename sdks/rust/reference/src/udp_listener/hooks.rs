//! The functions that Envoy looks up and calls for listeners for datagrams. Each calls the module's code guarded: no panic
//! leaves it.

use super::{
    EnvoyUdpListenerFilterConfigImpl, EnvoyUdpListenerFilterImpl, UdpListenerFilter, UdpListenerFilterConfig,
    NEW_UDP_LISTENER_FILTER_CONFIG_FUNCTION,
};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_on_udp_listener_filter_status as Status,
};
use crate::buffer::EnvoyBuffer;
use crate::{guard, held};

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn UdpListenerFilterConfig<EnvoyUdpListenerFilterImpl>>;

/// What Envoy holds for a filter.
type Filter = Box<dyn UdpListenerFilter<EnvoyUdpListenerFilterImpl>>;

type ConfigPtr = abi::envoy_dynamic_module_type_udp_listener_filter_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_udp_listener_filter_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_udp_listener_filter_module_ptr;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_udp_listener_filter_config_new(
    envoy: abi::envoy_dynamic_module_type_udp_listener_filter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (mut envoy, name, config) = unsafe {
        let envoy = EnvoyUdpListenerFilterConfigImpl::new(envoy);
        (envoy, EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config))
    };
    let made: Option<Config> = guard::run("new_udp_listener_filter_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_UDP_LISTENER_FILTER_CONFIG_FUNCTION.get()?;
        new_config(&mut envoy, &name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_udp_listener_filter_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the filter panics.
///
/// # Safety
/// Called by Envoy, for each worker thread, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_udp_listener_filter_new(
    config: ConfigPtr,
    envoy: EnvoyPtr,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let (config, mut envoy) = unsafe { (&*config.cast::<Config>(), EnvoyUdpListenerFilterImpl::new(envoy)) };
    guard::run("new_udp_listener_filter", || config.new_udp_listener_filter(&mut envoy))
        .map_or(std::ptr::null(), held::hold::<Filter>)
}

/// # Safety
/// Called by Envoy, once, with what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_udp_listener_filter_destroy(filter: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_filter_new` made it.
    unsafe { held::destroy::<Filter>(filter) }
}

/// A datagram whose filter panics is dropped.
///
/// # Safety
/// Called by Envoy with its side of the filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_udp_listener_filter_on_data(
    envoy: EnvoyPtr,
    filter: ModulePtr,
) -> Status {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let mut envoy = EnvoyUdpListenerFilterImpl::new(envoy);
        held::call::<Filter, _>(filter, Status::Continue, |filter| {
            guard::run("on_data", || filter.on_data(&mut envoy)).unwrap_or(Status::StopIteration)
        })
    }
}

//! The functions that Envoy looks up and calls for load-balancing policies. Each calls the module's code guarded: no panic
//! leaves it.

use super::envoy::{EnvoyLbConfigImpl, EnvoyLoadBalancerImpl};
use super::{LoadBalancer, LoadBalancerConfig, NEW_LOAD_BALANCER_CONFIG_FUNCTION};
use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::EnvoyBuffer;
use crate::{guard, held};
use std::sync::Arc;

type ConfigPtr = abi::envoy_dynamic_module_type_lb_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_lb_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_lb_module_ptr;

// What Envoy holds. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn LoadBalancerConfig>;
type Balancer = Box<dyn LoadBalancer>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call, and `envoy` as long as the configuration lives.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_lb_config_new(
    envoy: abi::envoy_dynamic_module_type_lb_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_load_balancer_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_LOAD_BALANCER_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice(), Arc::new(EnvoyLbConfigImpl(envoy)))
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_lb_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the balancer panics: Envoy then finds no host on this thread.
///
/// # Safety
/// Called by Envoy, for each thread, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_lb_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_load_balancer", || config.new_load_balancer(&EnvoyLoadBalancerImpl::of(envoy)))
        .map_or(std::ptr::null(), held::hold::<Balancer>)
}

/// # Safety
/// Called by Envoy, once, with what `…_lb_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_lb_destroy(balancer: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_lb_new` made it.
    unsafe { held::destroy::<Balancer>(balancer) }
}

/// # Safety
/// Called by Envoy with its side of the balancer, what `…_lb_new` returned, and the request; the two last are places for an
/// answer, which is read if this returns true.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_lb_choose_host(
    envoy: EnvoyPtr,
    balancer: ModulePtr,
    context: abi::envoy_dynamic_module_type_lb_context_envoy_ptr,
    priority: *mut u32,
    index: *mut u32,
) -> bool {
    let envoy = EnvoyLoadBalancerImpl { envoy, context };
    // SAFETY: Envoy's promise, see above.
    let chosen = unsafe {
        held::call::<Balancer, _>(balancer, None, |balancer| {
            guard::run("choose_host", || balancer.choose_host(&envoy)).flatten()
        })
    };
    if let Some(chosen) = chosen {
        // SAFETY: Envoy's promise, see above.
        unsafe {
            priority.write(chosen.priority);
            index.write(chosen.index);
        }
    }
    chosen.is_some()
}

/// # Safety
/// Called by Envoy with its side of the balancer, and what `…_lb_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_lb_on_host_membership_update(
    envoy: EnvoyPtr,
    balancer: ModulePtr,
    added: usize,
    removed: usize,
) {
    let envoy = EnvoyLoadBalancerImpl::of(envoy);
    // SAFETY: Envoy's promise, see above.
    unsafe {
        held::call::<Balancer, _>(balancer, (), |balancer| {
            let _ = guard::run("on_host_membership_update", || {
                balancer.on_host_membership_update(&envoy, added, removed);
            });
        });
    }
}

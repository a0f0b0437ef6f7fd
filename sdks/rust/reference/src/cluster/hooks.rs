//! The functions that Envoy looks up and calls for clusters. Each calls the module's code guarded: no panic leaves it.

use super::envoy::{EnvoyClusterImpl, Nothing};
use super::{Cluster, ClusterConfig, ClusterLb, HostSelectionResult, NEW_CLUSTER_CONFIG_FUNCTION};
use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::EnvoyBuffer;
use crate::guard;
use std::sync::Arc;

type ConfigPtr = abi::envoy_dynamic_module_type_cluster_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_cluster_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_cluster_module_ptr;
type LbPtr = abi::envoy_dynamic_module_type_cluster_lb_module_ptr;
type HostPtr = abi::envoy_dynamic_module_type_cluster_host_envoy_ptr;

// What Envoy holds. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn ClusterConfig>;
type Made = Box<dyn Cluster>;
type Lb = Box<dyn ClusterLb>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_config_new(
    _envoy: abi::envoy_dynamic_module_type_cluster_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_cluster_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_CLUSTER_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice(), Arc::new(Nothing))
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the cluster.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_cluster", || config.new_cluster(&EnvoyClusterImpl(envoy)))
        .map_or(std::ptr::null(), |made| Box::into_raw(Box::<Made>::new(made)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_cluster_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_destroy(cluster: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_cluster_new` made it.
    let cluster = unsafe { Box::from_raw(cluster.cast::<Made>().cast_mut()) };
    let _ = guard::run("drop of the cluster", || drop(cluster));
}

/// # Safety
/// Called by Envoy, once, on the main thread, with its side of the cluster, and what `…_cluster_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_init(envoy: EnvoyPtr, cluster: ModulePtr) {
    // SAFETY: Envoy's promise, see above: no other callback of the cluster runs yet.
    let cluster = unsafe { &mut *cluster.cast::<Made>().cast_mut() };
    let _ = guard::run("on_init", || cluster.on_init(&EnvoyClusterImpl(envoy)));
}

/// # Safety
/// Called by Envoy, for each worker thread, with what `…_cluster_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_new(
    cluster: ModulePtr,
    _envoy: abi::envoy_dynamic_module_type_cluster_lb_envoy_ptr,
) -> LbPtr {
    // SAFETY: Envoy's promise, see above.
    let cluster = unsafe { &*cluster.cast::<Made>() };
    guard::run("new_load_balancer", || cluster.new_load_balancer(&Nothing))
        .map_or(std::ptr::null(), |lb| Box::into_raw(Box::<Lb>::new(lb)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_lb_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_destroy(lb: LbPtr) {
    // SAFETY: Envoy's promise, see above; `…_lb_new` made it.
    let lb = unsafe { Box::from_raw(lb.cast::<Lb>().cast_mut()) };
    let _ = guard::run("drop of the load balancer", || drop(lb));
}

/// # Safety
/// Called by Envoy with what `…_lb_new` returned; the two last are places for an answer.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_choose_host(
    lb: LbPtr,
    _context: abi::envoy_dynamic_module_type_cluster_lb_context_envoy_ptr,
    host: *mut HostPtr,
    handle: *mut abi::envoy_dynamic_module_type_cluster_lb_async_handle_module_ptr,
) {
    // SAFETY: Envoy's promise, see above: each load balancer is used on one thread.
    let lb = unsafe { &mut *lb.cast::<Lb>().cast_mut() };
    let chosen = match guard::run("choose_host", || lb.choose_host(None, Box::new(Nothing))) {
        Some(HostSelectionResult::Selected(chosen)) => chosen,
        Some(HostSelectionResult::NoHost) | None => std::ptr::null_mut(),
    };
    // SAFETY: Envoy's promise, see above.
    unsafe {
        host.write(chosen);
        handle.write(std::ptr::null_mut());
    }
}

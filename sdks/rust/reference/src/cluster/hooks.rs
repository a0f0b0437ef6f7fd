//! The functions that Envoy looks up and calls for clusters. Each calls the module's code guarded: no panic leaves it.

use super::balancer::{Completion, Context, EnvoyClusterLoadBalancerImpl};
use super::envoy::{EnvoyClusterImpl, EnvoyClusterMetricsImpl};
use super::{
    AsyncHostSelectionHandle, Cluster, ClusterConfig, ClusterLb, ClusterLbContext, EnvoyCluster, HostSelectionResult,
    NEW_CLUSTER_CONFIG_FUNCTION,
};
use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::EnvoyBuffer;
use crate::guard;
use std::sync::Arc;

type ConfigPtr = abi::envoy_dynamic_module_type_cluster_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_cluster_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_cluster_module_ptr;
type LbPtr = abi::envoy_dynamic_module_type_cluster_lb_module_ptr;
type EnvoyLbPtr = abi::envoy_dynamic_module_type_cluster_lb_envoy_ptr;
type HandlePtr = abi::envoy_dynamic_module_type_cluster_lb_async_handle_module_ptr;
type HostPtr = abi::envoy_dynamic_module_type_cluster_host_envoy_ptr;

// What Envoy holds. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn ClusterConfig>;
type Made = Box<dyn Cluster>;
type Handle = Box<dyn AsyncHostSelectionHandle>;

/// What Envoy holds for what chooses on a thread.
struct Lb {
    module: Box<dyn ClusterLb>,
    envoy: EnvoyLbPtr,
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call, and `envoy` as long as the configuration lives.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_config_new(
    envoy: abi::envoy_dynamic_module_type_cluster_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_cluster_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_CLUSTER_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice(), Arc::new(EnvoyClusterMetricsImpl(envoy)))
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

/// If it panics, Envoy may use the cluster without hosts: else it would wait for them.
///
/// # Safety
/// Called by Envoy, once, on the main thread, with its side of the cluster, and what `…_cluster_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_init(envoy: EnvoyPtr, cluster: ModulePtr) {
    // SAFETY: Envoy's promise, see above: no other callback of the cluster runs yet.
    let cluster = unsafe { &mut *cluster.cast::<Made>().cast_mut() };
    let envoy = EnvoyClusterImpl(envoy);
    if guard::run("on_init", || cluster.on_init(&envoy)).is_none() {
        envoy.pre_init_complete();
    }
}

/// # Safety
/// Called by Envoy, on the main thread, with its side of the cluster, and what `…_cluster_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_scheduled(envoy: EnvoyPtr, cluster: ModulePtr, event_id: u64) {
    // SAFETY: Envoy's promise, see above.
    let cluster = unsafe { &*cluster.cast::<Made>() };
    let _ = guard::run("on_scheduled", || cluster.on_scheduled(&EnvoyClusterImpl(envoy), event_id));
}

/// Returns null if making what chooses panics: Envoy then finds no host on this thread.
///
/// # Safety
/// Called by Envoy, for each worker thread, with what `…_cluster_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_new(cluster: ModulePtr, envoy: EnvoyLbPtr) -> LbPtr {
    // SAFETY: Envoy's promise, see above.
    let cluster = unsafe { &*cluster.cast::<Made>() };
    guard::run("new_load_balancer", || cluster.new_load_balancer(&EnvoyClusterLoadBalancerImpl(envoy)))
        .map_or(std::ptr::null(), |module| Box::into_raw(Box::new(Lb { module, envoy })).cast_const().cast())
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
/// Called by Envoy with what `…_lb_new` returned, and the request if there is one; the two last are places for an answer.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_choose_host(
    lb: LbPtr,
    context: abi::envoy_dynamic_module_type_cluster_lb_context_envoy_ptr,
    host: *mut HostPtr,
    handle: *mut HandlePtr,
) {
    // SAFETY: Envoy's promise, see above: each load balancer is used on one thread.
    let lb = unsafe { &mut *lb.cast::<Lb>().cast_mut() };
    let completion = Box::new(Completion { envoy: lb.envoy, context });
    let request = (!context.is_null()).then_some(Context(context));
    let result = guard::run("choose_host", || {
        lb.module.choose_host(request.as_ref().map(|request| request as &dyn ClusterLbContext), completion)
    });
    let (mut chosen, mut pending): (HostPtr, HandlePtr) = (std::ptr::null_mut(), std::ptr::null_mut());
    match result {
        Some(HostSelectionResult::Selected(host)) => chosen = host,
        Some(HostSelectionResult::AsyncPending(handle)) => pending = Box::into_raw(Box::<Handle>::new(handle)).cast(),
        Some(HostSelectionResult::NoHost) | None => (),
    }
    // SAFETY: Envoy's promise, see above.
    unsafe {
        host.write(chosen);
        handle.write(pending);
    }
}

/// # Safety
/// Called by Envoy, once, with a handle that a choice has returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_cancel_host_selection(_lb: LbPtr, handle: HandlePtr) {
    // SAFETY: Envoy's promise, see above; `…_choose_host` made it.
    let mut handle = unsafe { Box::from_raw(handle.cast::<Handle>()) };
    let _ = guard::run("cancel", move || handle.cancel());
}

/// # Safety
/// Called by Envoy with its side of what chooses, and what `…_lb_new` returned: null where that panicked.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_lb_on_host_membership_update(
    envoy: EnvoyLbPtr,
    lb: LbPtr,
    added: usize,
    removed: usize,
) {
    // SAFETY: Envoy's promise, see above.
    if let Some(lb) = unsafe { lb.cast::<Lb>().cast_mut().as_mut() } {
        let _ = guard::run("on_host_membership_update", || {
            lb.module.on_host_membership_update(&EnvoyClusterLoadBalancerImpl(envoy), added, removed);
        });
    }
}

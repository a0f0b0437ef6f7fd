//! What a module can ask of Envoy about a cluster.

use crate::abi::{self, envoy_dynamic_module_type_cluster_host_envoy_ptr as HostPtr};
use crate::buffer::module_buffer;

/// Metrics of a cluster: none in this SDK.
pub trait EnvoyClusterMetrics: Send + Sync {}

/// Envoy's side of what chooses a host: nothing of it is used in this SDK.
pub trait EnvoyClusterLoadBalancer {}

/// Tells Envoy of a choice that took time: none does in this SDK.
pub trait EnvoyAsyncHostSelectionComplete: Send {}

/// Envoy's side of a cluster.
pub trait EnvoyCluster {
    /// Adds a host for each address, such as `127.0.0.1:80`, with the weight at the same place. `None` where that cannot be.
    fn add_hosts(&self, addresses: &[String], weights: &[u32]) -> Option<Vec<HostPtr>>;
    /// Lets Envoy use the cluster.
    fn pre_init_complete(&self);
}

/// Stands for all that this SDK has nothing of.
pub(super) struct Nothing;

impl EnvoyClusterMetrics for Nothing {}
impl EnvoyClusterLoadBalancer for Nothing {}
impl EnvoyAsyncHostSelectionComplete for Nothing {}

/// Envoy's side of a cluster; exists only while a callback runs.
pub(super) struct EnvoyClusterImpl(pub(super) abi::envoy_dynamic_module_type_cluster_envoy_ptr);

impl EnvoyCluster for EnvoyClusterImpl {
    fn add_hosts(&self, addresses: &[String], weights: &[u32]) -> Option<Vec<HostPtr>> {
        // Envoy reads as many weights as there are addresses.
        if addresses.len() != weights.len() {
            return None;
        }
        let raw: Vec<_> = addresses.iter().map(|one| module_buffer(one.as_bytes())).collect();
        let nowhere = vec![module_buffer(b""); addresses.len()];
        let mut hosts: Vec<HostPtr> = vec![std::ptr::null_mut(); addresses.len()];
        // SAFETY: what Envoy passed to the callback that is running, so it is alive; all arrays have as many values.
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_add_hosts(
                self.0,
                0,
                raw.as_ptr(),
                weights.as_ptr(),
                nowhere.as_ptr(),
                nowhere.as_ptr(),
                nowhere.as_ptr(),
                std::ptr::null(),
                0,
                addresses.len(),
                hosts.as_mut_ptr(),
            )
        }
        .then_some(hosts)
    }

    fn pre_init_complete(&self) {
        // SAFETY: as above.
        unsafe { abi::envoy_dynamic_module_callback_cluster_pre_init_complete(self.0) }
    }
}

//! What a module implements of a cluster.

use super::{
    ClusterLbContext, EnvoyAsyncHostSelectionComplete, EnvoyCluster, EnvoyClusterLoadBalancer, EnvoyClusterMetrics,
};
use crate::abi::envoy_dynamic_module_type_cluster_host_envoy_ptr as HostPtr;
use std::sync::{Arc, OnceLock};

/// The configuration of a cluster.
pub trait ClusterConfig: Send + Sync {
    /// Makes the cluster.
    fn new_cluster(&self, envoy_cluster: &dyn EnvoyCluster) -> Box<dyn Cluster>;
}

/// A cluster; called on the main thread, but for the making of what chooses.
pub trait Cluster: Send + Sync {
    /// Finds the first hosts, and says so by `pre_init_complete`.
    fn on_init(&mut self, envoy_cluster: &dyn EnvoyCluster);
    /// Makes what chooses among the hosts on one worker thread.
    fn new_load_balancer(&self, envoy_lb: &dyn EnvoyClusterLoadBalancer) -> Box<dyn ClusterLb>;
    /// Called for an event that was scheduled.
    fn on_scheduled(&self, _envoy_cluster: &dyn EnvoyCluster, _event_id: u64) {}
}

/// What chooses among the hosts.
pub trait ClusterLb: Send {
    /// Chooses a host for a request.
    fn choose_host(
        &mut self,
        context: Option<&dyn ClusterLbContext>,
        async_completion: Box<dyn EnvoyAsyncHostSelectionComplete>,
    ) -> HostSelectionResult;
    /// Called when hosts have come or gone.
    fn on_host_membership_update(
        &mut self,
        _envoy_lb: &dyn EnvoyClusterLoadBalancer,
        _num_hosts_added: usize,
        _num_hosts_removed: usize,
    ) {
    }
}

/// A choice.
pub enum HostSelectionResult {
    /// This host, which `add_hosts` has returned.
    Selected(HostPtr),
    /// None.
    NoHost,
    /// One that the module finds later, and tells by the completion that it was given.
    AsyncPending(Box<dyn AsyncHostSelectionHandle>),
}

/// A choice that takes time.
pub trait AsyncHostSelectionHandle: Send {
    /// Called once when Envoy does not wait any more, the choice made or not.
    fn cancel(&mut self);
}

/// Called for each cluster with its name and its configuration; `None` refuses it.
pub type NewClusterConfigFunction = fn(
    name: &str,
    config: &[u8],
    envoy_cluster_metrics: Arc<dyn EnvoyClusterMetrics>,
) -> Option<Box<dyn ClusterConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_CLUSTER_CONFIG_FUNCTION: OnceLock<NewClusterConfigFunction> = OnceLock::new();

//! What a module implements of a load-balancing policy.

use super::{EnvoyLbConfig, EnvoyLoadBalancer};
use std::sync::{Arc, OnceLock};

/// The configuration of a policy; shared by all threads.
pub trait LoadBalancerConfig: Sync {
    /// Makes the balancer of one thread.
    fn new_load_balancer(&self, envoy_lb: &dyn EnvoyLoadBalancer) -> Box<dyn LoadBalancer>;
}

/// A host that was chosen: an index among the healthy ones of a priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostSelection {
    /// The priority.
    pub priority: u32,
    /// The index.
    pub index: u32,
}

impl HostSelection {
    /// A host of any priority.
    pub fn new(priority: u32, index: u32) -> Self {
        Self { priority, index }
    }

    /// A host of the first priority.
    pub fn at_default_priority(index: u32) -> Self {
        Self::new(0, index)
    }
}

/// The balancer of one thread.
pub trait LoadBalancer {
    /// Chooses a host for a request; `None` leaves it without one.
    fn choose_host(&mut self, envoy_lb: &dyn EnvoyLoadBalancer) -> Option<HostSelection>;
    /// Called when hosts have come or gone.
    fn on_host_membership_update(
        &mut self,
        _envoy_lb: &dyn EnvoyLoadBalancer,
        _num_hosts_added: usize,
        _num_hosts_removed: usize,
    ) {
    }
}

/// Called for each policy with its name and its configuration; `None` refuses it.
pub type NewLoadBalancerConfigFunction =
    fn(name: &str, config: &[u8], envoy_lb_config: Arc<dyn EnvoyLbConfig>) -> Option<Box<dyn LoadBalancerConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_LOAD_BALANCER_CONFIG_FUNCTION: OnceLock<NewLoadBalancerConfigFunction> = OnceLock::new();

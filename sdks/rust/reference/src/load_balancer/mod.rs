//! Load-balancing policies: what chooses among the hosts of a cluster.

mod envoy;
mod hooks;
mod traits;

pub use envoy::{EnvoyLbConfig, EnvoyLoadBalancer};
pub use traits::{
    HostSelection, LoadBalancer, LoadBalancerConfig, NewLoadBalancerConfigFunction, NEW_LOAD_BALANCER_CONFIG_FUNCTION,
};

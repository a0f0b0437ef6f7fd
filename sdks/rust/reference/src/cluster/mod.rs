//! Clusters whose hosts a module knows.

mod balancer;
mod envoy;
mod hooks;
mod traits;

pub use balancer::{ClusterLbContext, EnvoyAsyncHostSelectionComplete, EnvoyClusterLoadBalancer};
pub use envoy::{EnvoyCluster, EnvoyClusterMetrics, EnvoyClusterScheduler};
pub use traits::{
    AsyncHostSelectionHandle, Cluster, ClusterConfig, ClusterLb, HostSelectionResult, NewClusterConfigFunction,
    NEW_CLUSTER_CONFIG_FUNCTION,
};

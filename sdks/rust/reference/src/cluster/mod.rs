//! Clusters whose hosts a module knows.

mod envoy;
mod hooks;
mod traits;

pub use envoy::{EnvoyAsyncHostSelectionComplete, EnvoyCluster, EnvoyClusterLoadBalancer, EnvoyClusterMetrics};
pub use traits::{
    Cluster, ClusterConfig, ClusterLb, ClusterLbContext, HostSelectionResult, NewClusterConfigFunction,
    NEW_CLUSTER_CONFIG_FUNCTION,
};

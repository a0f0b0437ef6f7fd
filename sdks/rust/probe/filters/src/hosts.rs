//! `hosts`: a cluster that is given more addresses than weights first, and then one of each.

use envoy_proxy_dynamic_modules_rust_sdk::{
    envoy_log_info, Cluster, ClusterConfig, ClusterLb, ClusterLbContext, EnvoyAsyncHostSelectionComplete, EnvoyCluster,
    EnvoyClusterLoadBalancer, EnvoyClusterMetrics, HostSelectionResult,
};
use std::sync::Arc;

pub fn new_config(
    name: &str,
    config: &[u8],
    _metrics: Arc<dyn EnvoyClusterMetrics>,
) -> Option<Box<dyn ClusterConfig>> {
    let port = std::str::from_utf8(config).ok()?.parse().ok()?;
    (name == "hosts").then(|| -> Box<dyn ClusterConfig> { Box::new(Config { port }) })
}

struct Config {
    port: u16,
}

impl ClusterConfig for Config {
    fn new_cluster(&self, _envoy: &dyn EnvoyCluster) -> Box<dyn Cluster> {
        Box::new(Hosts { port: self.port, first: 0 })
    }
}

#[derive(Clone, Copy)]
struct Hosts {
    port: u16,
    /// Envoy's pointer to the first host; 0 where there is none.
    first: usize,
}

impl Cluster for Hosts {
    fn on_init(&mut self, envoy: &dyn EnvoyCluster) {
        let addresses = [1, 2, 3].map(|last| format!("127.0.0.{last}:{}", self.port));
        // What lies behind the slice is right as well: who reads on finds weights.
        let weights = [1; 3];
        let uneven = envoy.add_hosts(&addresses, &weights[..1]);
        match &uneven {
            Some(hosts) => envoy_log_info!("dmconform: 3 addresses and 1 weight: {} hosts added", hosts.len()),
            None => envoy_log_info!("dmconform: 3 addresses and 1 weight: refused"),
        }
        let hosts = uneven.or_else(|| envoy.add_hosts(&addresses[..1], &weights[..1]));
        self.first = hosts.as_ref().and_then(|hosts| hosts.first()).map_or(0, |host| *host as usize);
        envoy.pre_init_complete();
    }

    fn new_load_balancer(&self, _envoy: &dyn EnvoyClusterLoadBalancer) -> Box<dyn ClusterLb> {
        Box::new(*self)
    }
}

impl ClusterLb for Hosts {
    fn choose_host(
        &mut self,
        _context: Option<&dyn ClusterLbContext>,
        _async_completion: Box<dyn EnvoyAsyncHostSelectionComplete>,
    ) -> HostSelectionResult {
        match self.first {
            0 => HostSelectionResult::NoHost,
            first => HostSelectionResult::Selected(first as *mut _),
        }
    }
}

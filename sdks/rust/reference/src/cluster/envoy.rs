//! What a module can ask of Envoy about a cluster.

use crate::abi::{
    self, envoy_dynamic_module_type_cluster_host_envoy_ptr as HostPtr, envoy_dynamic_module_type_host_health as Health,
    envoy_dynamic_module_type_metrics_result as MetricsResult, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
};
use crate::buffer::module_buffer;
use crate::http::{checked, EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyHistogramId};
use crate::metrics::module_buffers;

/// Region, zone and part of the zone.
type Locality = (String, String, String);

/// Namespace, name and text of each value.
type Metadata = Vec<(String, String, String)>;

/// Metrics of a cluster's configuration.
pub trait EnvoyClusterMetrics: Send + Sync {
    metrics_methods!();
}

/// Metrics of a cluster's configuration; live as long as that.
pub(super) struct EnvoyClusterMetricsImpl(pub(super) abi::envoy_dynamic_module_type_cluster_config_envoy_ptr);

// SAFETY: Envoy lets metrics be changed from any thread.
unsafe impl Send for EnvoyClusterMetricsImpl {}
// SAFETY: as above.
unsafe impl Sync for EnvoyClusterMetricsImpl {}

impl EnvoyClusterMetrics for EnvoyClusterMetricsImpl {
    metrics_by!(
        envoy_dynamic_module_callback_cluster_config_define_counter,
        envoy_dynamic_module_callback_cluster_config_define_gauge,
        envoy_dynamic_module_callback_cluster_config_define_histogram,
        envoy_dynamic_module_callback_cluster_config_increment_counter,
        envoy_dynamic_module_callback_cluster_config_set_gauge,
        envoy_dynamic_module_callback_cluster_config_record_histogram_value
    );
}

/// Envoy's side of a cluster.
pub trait EnvoyCluster: Send + Sync {
    /// Adds a host for each address, such as `127.0.0.1:80`, with the weight at the same place. `None` where that cannot be.
    fn add_hosts(&self, addresses: &[String], weights: &[u32]) -> Option<Vec<HostPtr>>;
    /// The same with localities at the same places, and with the metadata there unless that is empty.
    fn add_hosts_with_locality(
        &self,
        addresses: &[String],
        weights: &[u32],
        localities: &[Locality],
        metadata: &[Metadata],
    ) -> Option<Vec<HostPtr>>;
    /// Takes hosts away, and returns how many there were.
    fn remove_hosts(&self, hosts: &[HostPtr]) -> usize;
    /// Says how healthy a host is.
    fn update_host_health(&self, host: HostPtr, health_status: Health) -> bool;
    /// The host with an address.
    fn find_host_by_address(&self, address: &str) -> Option<HostPtr>;
    /// What schedules events for the cluster, from any thread.
    fn new_scheduler(&self) -> Box<dyn EnvoyClusterScheduler>;
    /// Lets Envoy use the cluster.
    fn pre_init_complete(&self);
}

/// Schedules events for a cluster, from any thread.
pub trait EnvoyClusterScheduler: Send + Sync {
    /// Has `on_scheduled` called with this on the main thread.
    fn commit(&self, event_id: u64);
}

/// Envoy's side of a cluster; exists only while a callback runs.
pub(super) struct EnvoyClusterImpl(pub(super) abi::envoy_dynamic_module_type_cluster_envoy_ptr);

// SAFETY: it does not leave the callback in which it is made, as it is lent there.
unsafe impl Send for EnvoyClusterImpl {}
// SAFETY: as above.
unsafe impl Sync for EnvoyClusterImpl {}

// SAFETY of every call below: the cluster is what Envoy passed to the callback that is running, so it is alive; buffers that are
// passed outlive the call.
#[allow(clippy::undocumented_unsafe_blocks)]
impl EnvoyCluster for EnvoyClusterImpl {
    fn add_hosts(&self, addresses: &[String], weights: &[u32]) -> Option<Vec<HostPtr>> {
        self.add_hosts_with_locality(addresses, weights, &vec![Locality::default(); addresses.len()], &[])
    }

    fn add_hosts_with_locality(
        &self,
        addresses: &[String],
        weights: &[u32],
        localities: &[Locality],
        metadata: &[Metadata],
    ) -> Option<Vec<HostPtr>> {
        let number = addresses.len();
        // Envoy reads as many of each as there are addresses, and as many values of metadata for each host.
        let values = metadata.first().map_or(0, Vec::len);
        let even = weights.len() == number
            && localities.len() == number
            && (metadata.is_empty() || metadata.len() == number && metadata.iter().all(|one| one.len() == values));
        if !even {
            return None;
        }
        let part = |of: fn(&Locality) -> &String| -> Vec<_> { localities.iter().map(|one| buffer(of(one))).collect() };
        let (regions, zones, sub_zones) = (part(|one| &one.0), part(|one| &one.1), part(|one| &one.2));
        let raw: Vec<_> = addresses.iter().map(|one| buffer(one)).collect();
        let flat: Vec<_> =
            metadata.iter().flatten().flat_map(|one| [buffer(&one.0), buffer(&one.1), buffer(&one.2)]).collect();
        let mut hosts: Vec<HostPtr> = vec![std::ptr::null_mut(); number];
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_add_hosts(
                self.0,
                0,
                raw.as_ptr(),
                weights.as_ptr(),
                regions.as_ptr(),
                zones.as_ptr(),
                sub_zones.as_ptr(),
                if flat.is_empty() { std::ptr::null() } else { flat.as_ptr() },
                values,
                number,
                hosts.as_mut_ptr(),
            )
        }
        .then_some(hosts)
    }

    fn remove_hosts(&self, hosts: &[HostPtr]) -> usize {
        unsafe { abi::envoy_dynamic_module_callback_cluster_remove_hosts(self.0, hosts.as_ptr(), hosts.len()) }
    }

    fn update_host_health(&self, host: HostPtr, health_status: Health) -> bool {
        unsafe { abi::envoy_dynamic_module_callback_cluster_update_host_health(self.0, host, health_status) }
    }

    fn find_host_by_address(&self, address: &str) -> Option<HostPtr> {
        let callback = abi::envoy_dynamic_module_callback_cluster_find_host_by_address;
        let host = unsafe { callback(self.0, module_buffer(address.as_bytes())) };
        (!host.is_null()).then_some(host)
    }

    fn new_scheduler(&self) -> Box<dyn EnvoyClusterScheduler> {
        Box::new(Scheduler(unsafe { abi::envoy_dynamic_module_callback_cluster_scheduler_new(self.0) }))
    }

    fn pre_init_complete(&self) {
        unsafe { abi::envoy_dynamic_module_callback_cluster_pre_init_complete(self.0) }
    }
}

fn buffer(text: &str) -> ModuleBuffer {
    module_buffer(text.as_bytes())
}

/// A scheduler of Envoy's, which is this module's to give back.
struct Scheduler(abi::envoy_dynamic_module_type_cluster_scheduler_module_ptr);

// SAFETY: Envoy lets schedulers be used on any thread.
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

impl EnvoyClusterScheduler for Scheduler {
    fn commit(&self, event_id: u64) {
        // SAFETY: Envoy made it, and it is not given back yet.
        unsafe { abi::envoy_dynamic_module_callback_cluster_scheduler_commit(self.0, event_id) }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: as above; it is used no more.
        unsafe { abi::envoy_dynamic_module_callback_cluster_scheduler_delete(self.0) }
    }
}

//! What a module can ask of Envoy about the hosts of a cluster, and about the request that one is chosen for.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_envoy_http_header as RawHeader, envoy_dynamic_module_type_host_health as Health,
    envoy_dynamic_module_type_host_stat as HostStat, envoy_dynamic_module_type_metrics_result as MetricsResult,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::http::{checked, EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyHistogramId};
use crate::metrics::module_buffers;
use crate::text::{self, Text};

/// Envoy's side of a policy's configuration, with its metrics.
pub trait EnvoyLbConfig: Send + Sync {
    metrics_methods!();
}

/// Envoy's side of a policy's configuration; lives as long as that.
pub(super) struct EnvoyLbConfigImpl(pub(super) abi::envoy_dynamic_module_type_lb_config_envoy_ptr);

// SAFETY: Envoy lets metrics be changed from any thread.
unsafe impl Send for EnvoyLbConfigImpl {}
// SAFETY: as above.
unsafe impl Sync for EnvoyLbConfigImpl {}

impl EnvoyLbConfig for EnvoyLbConfigImpl {
    metrics_by!(
        envoy_dynamic_module_callback_lb_config_define_counter,
        envoy_dynamic_module_callback_lb_config_define_gauge,
        envoy_dynamic_module_callback_lb_config_define_histogram,
        envoy_dynamic_module_callback_lb_config_increment_counter,
        envoy_dynamic_module_callback_lb_config_set_gauge,
        envoy_dynamic_module_callback_lb_config_record_histogram_value
    );
}

/// Envoy's side of a balancer. What begins with `context_` is about the request that a host is chosen for. Indices are among all
/// hosts of a priority, where nothing else is said.
pub trait EnvoyLoadBalancer {
    /// The cluster's name.
    #[cfg(feature = "sdk-1-38")]
    fn get_cluster_name(&self) -> String;
    /// The cluster's name.
    #[cfg(not(feature = "sdk-1-38"))]
    fn get_cluster_name(&self) -> Option<EnvoyBuffer<'_>>;
    /// How many priorities there are.
    fn get_priority_set_size(&self) -> usize;
    /// How many hosts there are.
    fn get_hosts_count(&self, priority: u32) -> usize;
    /// How many of them are healthy.
    fn get_healthy_hosts_count(&self, priority: u32) -> usize;
    /// How many of them are degraded.
    fn get_degraded_hosts_count(&self, priority: u32) -> usize;
    /// The address of a host.
    fn get_host_address(&self, priority: u32, index: usize) -> Option<Text<'_>>;
    /// The address of a host, by its index among the healthy ones.
    fn get_healthy_host_address(&self, priority: u32, index: usize) -> Option<Text<'_>>;
    /// The weight of a host.
    fn get_host_weight(&self, priority: u32, index: usize) -> u32;
    /// The weight of a host, by its index among the healthy ones.
    fn get_healthy_host_weight(&self, priority: u32, index: usize) -> u32;
    /// How healthy a host is.
    fn get_host_health(&self, priority: u32, index: usize) -> Health;
    /// How healthy the host with an address is.
    fn get_host_health_by_address(&self, address: &str) -> Option<Health>;
    /// A statistic of a host.
    fn get_host_stat(&self, priority: u32, index: usize, stat: HostStat) -> u64;
    /// Region, zone and part of the zone of a host.
    fn get_host_locality(&self, priority: u32, index: usize) -> Option<(Text<'_>, Text<'_>, Text<'_>)>;
    /// Has Envoy keep a number for a host.
    fn set_host_data(&self, priority: u32, index: usize, data: usize) -> bool;
    /// The number that Envoy keeps for a host; 0 where it keeps none.
    fn get_host_data(&self, priority: u32, index: usize) -> Option<usize>;
    /// A text of the metadata of a host's endpoint.
    fn get_host_metadata_string(&self, priority: u32, index: usize, filter_name: &str, key: &str) -> Option<String>;
    /// A number of the metadata of a host's endpoint.
    fn get_host_metadata_number(&self, priority: u32, index: usize, filter_name: &str, key: &str) -> Option<f64>;
    /// A truth value of the metadata of a host's endpoint.
    fn get_host_metadata_bool(&self, priority: u32, index: usize, filter_name: &str, key: &str) -> Option<bool>;
    /// How many localities the healthy hosts are in.
    fn get_locality_count(&self, priority: u32) -> usize;
    /// How many healthy hosts are in a locality.
    fn get_locality_host_count(&self, priority: u32, locality_index: usize) -> usize;
    /// The address of a healthy host, by its index in its locality.
    fn get_locality_host_address(&self, priority: u32, locality_index: usize, host_index: usize) -> Option<String>;
    /// The weight of a locality.
    fn get_locality_weight(&self, priority: u32, locality_index: usize) -> u32;
    /// The address of a host that came or went; only while the module is called because of that.
    fn get_member_update_host_address(&self, index: usize, is_added: bool) -> Option<String>;
    /// Whether there is a request.
    fn has_context(&self) -> bool;
    /// What the route's hash policy makes of the request.
    fn context_compute_hash_key(&self) -> Option<u64>;
    /// How many headers the request has.
    fn context_get_downstream_headers_size(&self) -> usize;
    /// The headers of the request.
    #[cfg(feature = "sdk-1-38")]
    fn context_get_downstream_headers(&self) -> Option<Vec<(String, String)>>;
    /// The headers of the request.
    #[cfg(not(feature = "sdk-1-38"))]
    fn context_get_downstream_headers(&self) -> Vec<(EnvoyBuffer<'_>, EnvoyBuffer<'_>)>;
    /// A value of a header of the request, and how many values it has.
    fn context_get_downstream_header(&self, key: &str, index: usize) -> Option<(Text<'_>, usize)>;
    /// How often another host is to be chosen at most.
    fn context_get_host_selection_retry_count(&self) -> u32;
    /// Whether another host than this is to be chosen.
    fn context_should_select_another_host(&self, priority: u32, index: usize) -> bool;
    /// The address of the host that a filter wants, and whether it takes no other.
    fn context_get_override_host(&self) -> Option<(Text<'_>, bool)>;
}

/// Envoy's side of a balancer; exists only while a callback runs.
pub(super) struct EnvoyLoadBalancerImpl {
    pub(super) envoy: abi::envoy_dynamic_module_type_lb_envoy_ptr,
    pub(super) context: abi::envoy_dynamic_module_type_lb_context_envoy_ptr,
}

impl EnvoyLoadBalancerImpl {
    /// Where there is no request.
    pub(super) fn of(envoy: abi::envoy_dynamic_module_type_lb_envoy_ptr) -> Self {
        Self { envoy, context: std::ptr::null_mut() }
    }

    /// Asks for bytes.
    fn bytes(&self, ask: impl FnOnce(&mut RawBuffer) -> bool) -> Option<EnvoyBuffer<'_>> {
        let mut found = NO_BYTES;
        // SAFETY: Envoy's bytes live as long as the callback in which they are asked for.
        ask(&mut found).then(|| unsafe { EnvoyBuffer::from_raw(found) })
    }

    /// Asks for headers.
    fn headers(&self) -> Vec<RawHeader> {
        let mut headers = vec![text::NO_HEADER; self.context_get_downstream_headers_size()];
        let callback = abi::envoy_dynamic_module_callback_lb_context_get_downstream_headers;
        // SAFETY: the request is there, as it has headers; there is a place for each.
        if headers.is_empty() || !unsafe { callback(self.context, headers.as_mut_ptr()) } {
            return Vec::new();
        }
        headers
    }
}

/// Functions that ask something about a host or a priority.
macro_rules! asks {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty => $callback:ident;)*) => {
        $(
            fn $name(&self, $($argument: $type),*) -> $result {
                // SAFETY: what Envoy passed to the callback that is running, so it is alive.
                unsafe { abi::$callback(self.envoy, $($argument),*) }
            }
        )*
    };
}

/// Functions that ask for a value of a host's metadata.
macro_rules! asks_metadata {
    ($($name:ident -> $result:ty => $callback:ident;)*) => {
        $(
            fn $name(&self, priority: u32, index: usize, filter_name: &str, key: &str) -> Option<$result> {
                let (namespace, key) = (module_buffer(filter_name.as_bytes()), module_buffer(key.as_bytes()));
                let mut value = <$result>::default();
                // SAFETY: as above; the names outlive the call.
                unsafe { abi::$callback(self.envoy, priority, index, namespace, key, &mut value) }.then_some(value)
            }
        )*
    };
}

// SAFETY of every call below: both pointers are what Envoy passed to the callback that is running, so they are alive, and the
// request's is not null where it is used; buffers that are passed outlive the call.
#[allow(clippy::undocumented_unsafe_blocks)]
impl EnvoyLoadBalancer for EnvoyLoadBalancerImpl {
    asks! {
        get_priority_set_size() -> usize => envoy_dynamic_module_callback_lb_get_priority_set_size;
        get_hosts_count(priority: u32) -> usize => envoy_dynamic_module_callback_lb_get_hosts_count;
        get_healthy_hosts_count(priority: u32) -> usize => envoy_dynamic_module_callback_lb_get_healthy_hosts_count;
        get_degraded_hosts_count(priority: u32) -> usize => envoy_dynamic_module_callback_lb_get_degraded_hosts_count;
        get_host_weight(priority: u32, index: usize) -> u32 => envoy_dynamic_module_callback_lb_get_host_weight;
        get_healthy_host_weight(priority: u32, index: usize) -> u32
            => envoy_dynamic_module_callback_lb_get_healthy_host_weight;
        get_host_health(priority: u32, index: usize) -> Health => envoy_dynamic_module_callback_lb_get_host_health;
        get_host_stat(priority: u32, index: usize, stat: HostStat) -> u64
            => envoy_dynamic_module_callback_lb_get_host_stat;
        set_host_data(priority: u32, index: usize, data: usize) -> bool
            => envoy_dynamic_module_callback_lb_set_host_data;
        get_locality_count(priority: u32) -> usize => envoy_dynamic_module_callback_lb_get_locality_count;
        get_locality_host_count(priority: u32, locality_index: usize) -> usize
            => envoy_dynamic_module_callback_lb_get_locality_host_count;
        get_locality_weight(priority: u32, locality_index: usize) -> u32
            => envoy_dynamic_module_callback_lb_get_locality_weight;
    }

    asks_metadata! {
        get_host_metadata_number -> f64 => envoy_dynamic_module_callback_lb_get_host_metadata_number;
        get_host_metadata_bool -> bool => envoy_dynamic_module_callback_lb_get_host_metadata_bool;
    }

    fn get_host_metadata_string(&self, priority: u32, index: usize, filter_name: &str, key: &str) -> Option<String> {
        let (namespace, key) = (module_buffer(filter_name.as_bytes()), module_buffer(key.as_bytes()));
        let callback = abi::envoy_dynamic_module_callback_lb_get_host_metadata_string;
        self.bytes(|to| unsafe { callback(self.envoy, priority, index, namespace, key, to) }).map(text::owned)
    }

    #[cfg(feature = "sdk-1-38")]
    fn get_cluster_name(&self) -> String {
        let mut found = NO_BYTES;
        unsafe { abi::envoy_dynamic_module_callback_lb_get_cluster_name(self.envoy, &mut found) };
        text::owned(unsafe { EnvoyBuffer::from_raw(found) })
    }

    #[cfg(not(feature = "sdk-1-38"))]
    fn get_cluster_name(&self) -> Option<EnvoyBuffer<'_>> {
        let mut found = NO_BYTES;
        unsafe { abi::envoy_dynamic_module_callback_lb_get_cluster_name(self.envoy, &mut found) };
        (found.length > 0).then(|| unsafe { EnvoyBuffer::from_raw(found) })
    }

    fn get_host_address(&self, priority: u32, index: usize) -> Option<Text<'_>> {
        let callback = abi::envoy_dynamic_module_callback_lb_get_host_address;
        self.bytes(|to| unsafe { callback(self.envoy, priority, index, to) }).map(text::of)
    }

    fn get_healthy_host_address(&self, priority: u32, index: usize) -> Option<Text<'_>> {
        let callback = abi::envoy_dynamic_module_callback_lb_get_healthy_host_address;
        self.bytes(|to| unsafe { callback(self.envoy, priority, index, to) }).map(text::of)
    }

    fn get_host_health_by_address(&self, address: &str) -> Option<Health> {
        let mut health = Health::Unhealthy;
        let callback = abi::envoy_dynamic_module_callback_lb_get_host_health_by_address;
        unsafe { callback(self.envoy, module_buffer(address.as_bytes()), &mut health) }.then_some(health)
    }

    fn get_host_locality(&self, priority: u32, index: usize) -> Option<(Text<'_>, Text<'_>, Text<'_>)> {
        let (mut region, mut zone, mut sub_zone) = (NO_BYTES, NO_BYTES, NO_BYTES);
        let callback = abi::envoy_dynamic_module_callback_lb_get_host_locality;
        let found = unsafe { callback(self.envoy, priority, index, &mut region, &mut zone, &mut sub_zone) };
        let text = |raw| text::of(unsafe { EnvoyBuffer::from_raw(raw) });
        found.then(|| (text(region), text(zone), text(sub_zone)))
    }

    fn get_host_data(&self, priority: u32, index: usize) -> Option<usize> {
        let mut data = 0;
        let callback = abi::envoy_dynamic_module_callback_lb_get_host_data;
        unsafe { callback(self.envoy, priority, index, &mut data) }.then_some(data)
    }

    fn get_locality_host_address(&self, priority: u32, locality_index: usize, host_index: usize) -> Option<String> {
        let callback = abi::envoy_dynamic_module_callback_lb_get_locality_host_address;
        self.bytes(|to| unsafe { callback(self.envoy, priority, locality_index, host_index, to) }).map(text::owned)
    }

    fn get_member_update_host_address(&self, index: usize, is_added: bool) -> Option<String> {
        let callback = abi::envoy_dynamic_module_callback_lb_get_member_update_host_address;
        self.bytes(|to| unsafe { callback(self.envoy, index, is_added, to) }).map(text::owned)
    }

    fn has_context(&self) -> bool {
        !self.context.is_null()
    }

    fn context_compute_hash_key(&self) -> Option<u64> {
        let mut hash = 0;
        let callback = abi::envoy_dynamic_module_callback_lb_context_compute_hash_key;
        (self.has_context() && unsafe { callback(self.context, &mut hash) }).then_some(hash)
    }

    fn context_get_downstream_headers_size(&self) -> usize {
        let callback = abi::envoy_dynamic_module_callback_lb_context_get_downstream_headers_size;
        if self.has_context() {
            unsafe { callback(self.context) }
        } else {
            0
        }
    }

    #[cfg(feature = "sdk-1-38")]
    fn context_get_downstream_headers(&self) -> Option<Vec<(String, String)>> {
        self.has_context().then(|| {
            let pair = |raw: &RawHeader| {
                let (name, value) = unsafe { text::of_header(raw) };
                (text::owned(name), text::owned(value))
            };
            self.headers().iter().map(pair).collect()
        })
    }

    #[cfg(not(feature = "sdk-1-38"))]
    fn context_get_downstream_headers(&self) -> Vec<(EnvoyBuffer<'_>, EnvoyBuffer<'_>)> {
        self.headers().iter().map(|raw| unsafe { text::of_header(raw) }).collect()
    }

    fn context_get_downstream_header(&self, key: &str, index: usize) -> Option<(Text<'_>, usize)> {
        let mut values = 0;
        let key = module_buffer(key.as_bytes());
        let callback = abi::envoy_dynamic_module_callback_lb_context_get_downstream_header;
        let found =
            self.bytes(|to| self.has_context() && unsafe { callback(self.context, key, to, index, &mut values) });
        found.map(|value| (text::of(value), values))
    }

    fn context_get_host_selection_retry_count(&self) -> u32 {
        let callback = abi::envoy_dynamic_module_callback_lb_context_get_host_selection_retry_count;
        if self.has_context() {
            unsafe { callback(self.context) }
        } else {
            0
        }
    }

    fn context_should_select_another_host(&self, priority: u32, index: usize) -> bool {
        let callback = abi::envoy_dynamic_module_callback_lb_context_should_select_another_host;
        self.has_context() && unsafe { callback(self.envoy, self.context, priority, index) }
    }

    fn context_get_override_host(&self) -> Option<(Text<'_>, bool)> {
        let mut strict = false;
        let callback = abi::envoy_dynamic_module_callback_lb_context_get_override_host;
        let found = self.bytes(|to| self.has_context() && unsafe { callback(self.context, to, &mut strict) });
        found.map(|address| (text::of(address), strict))
    }
}

//! The load-balancing policies `by_name`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::words::{escaped, joined, shown, write, Bytes};
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_host_health as Health, envoy_dynamic_module_type_host_stat as Stat,
};
#[cfg(not(feature = "sdk-1-38"))]
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyBuffer;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyHistogramId, EnvoyLbConfig, EnvoyLoadBalancer, HostSelection,
    LoadBalancer, LoadBalancerConfig,
};
use std::sync::Arc;

const HOOKS: [&str; 4] = ["none", "choose_host", "membership_update", "destroy"];
const NAMESPACE: &str = "dmconform";

pub fn new_config(name: &str, config: &[u8], envoy: Arc<dyn EnvoyLbConfig>) -> Option<Box<dyn LoadBalancerConfig>> {
    match name {
        "by_name" => Some(Box::new(Config(Arc::new(ByName::new(config, envoy)?)))),
        "panic" => Some(Box::new(PanicConfig(Plan::parse_unguarded(config, &HOOKS)?))),
        _ => None, // `refuse`, and what no one knows
    }
}

/// What all balancers of a configuration share.
struct ByName {
    config: Vec<u8>,
    envoy: Arc<dyn EnvoyLbConfig>,
    chosen: EnvoyCounterId,
    chosen_of: EnvoyCounterVecId,
    hosts: EnvoyGaugeId,
    weight: EnvoyHistogramId,
    life: Life,
}

impl ByName {
    fn new(config: &[u8], envoy: Arc<dyn EnvoyLbConfig>) -> Option<Self> {
        Some(Self {
            config: config.to_vec(),
            chosen: envoy.define_counter("dmconform_chosen").ok()?,
            chosen_of: envoy.define_counter_vec("dmconform_chosen_of", &["endpoint"]).ok()?,
            hosts: envoy.define_gauge("dmconform_hosts").ok()?,
            weight: envoy.define_histogram("dmconform_weight").ok()?,
            life: Life::begin("lb", "configuration", config),
            envoy,
        })
    }
}

struct Config(Arc<ByName>);

impl LoadBalancerConfig for Config {
    fn new_load_balancer(&self, _envoy: &dyn EnvoyLoadBalancer) -> Box<dyn LoadBalancer> {
        Box::new(Balancer { of: self.0.clone(), _life: self.0.life.part("balancer") })
    }
}

/// The balancer of a thread.
struct Balancer {
    of: Arc<ByName>,
    _life: Life,
}

/// A host among all of a priority, and among the healthy ones.
struct Found {
    priority: u32,
    index: usize,
    healthy: Option<u32>,
    name: String,
}

impl LoadBalancer for Balancer {
    fn choose_host(&mut self, envoy: &dyn EnvoyLoadBalancer) -> Option<HostSelection> {
        self.of.life.used();
        let header = envoy.context_get_downstream_header("x-dmconform-endpoint", 0);
        let asked = header.as_ref().map(|(value, _)| value.bytes());
        let hosts = hosts(envoy);
        let named = |name: &[u8]| hosts.iter().find(|host| host.name.as_bytes() == name);
        // Who asks for nobody gets the host that is called like the configuration, or else the first healthy one.
        let found = match asked {
            Some(name) => named(name),
            None => named(&self.of.config).or_else(|| hosts.iter().find(|host| host.healthy.is_some())),
        };
        let values = header.as_ref().map_or(0, |(_, values)| *values);
        self.note(envoy, found, values);
        let found = found?;
        Some(HostSelection::new(found.priority, found.healthy?))
    }

    fn on_host_membership_update(&mut self, envoy: &dyn EnvoyLoadBalancer, added: usize, removed: usize) {
        let addresses = |number: usize, is_added: bool| {
            joined((0..number).map(|index| shown(envoy.get_member_update_host_address(index, is_added))))
        };
        let pairs = [("added", addresses(added, true)), ("removed", addresses(removed, false))];
        write("members", self.of.life.config(), &pairs);
        let hosts: usize = (0..priorities(envoy)).map(|priority| envoy.get_hosts_count(priority)).sum();
        let _ = self.of.envoy.set_gauge(self.of.hosts, hosts as u64);
    }
}

impl Balancer {
    /// Counts a choice, and writes what there is to be seen of it.
    fn note(&self, envoy: &dyn EnvoyLoadBalancer, found: Option<&Found>, values: usize) {
        let of = &self.of;
        let mut pairs = seen_of_all(envoy, values);
        if let Some(found) = found {
            if found.healthy.is_some() {
                let weight = envoy.get_host_weight(found.priority, found.index);
                // What the host does not take shows in its statistics.
                let _ = of.envoy.increment_counter(of.chosen, 1);
                let _ = of.envoy.increment_counter_vec(of.chosen_of, &[&found.name], 1);
                let _ = of.envoy.record_histogram_value(of.weight, weight.into());
            }
            pairs.extend(seen_of_one(envoy, found));
        }
        write("choice", of.life.config(), &pairs);
    }
}

fn priorities(envoy: &dyn EnvoyLoadBalancer) -> u32 {
    envoy.get_priority_set_size().try_into().unwrap_or(u32::MAX)
}

/// All hosts, with the names that the metadata of their endpoints has for them.
fn hosts(envoy: &dyn EnvoyLoadBalancer) -> Vec<Found> {
    let of_priority = |priority| {
        (0..envoy.get_hosts_count(priority)).map(move |index| {
            let address = shown(envoy.get_host_address(priority, index));
            let healthy = (0..envoy.get_healthy_hosts_count(priority))
                .find(|other| shown(envoy.get_healthy_host_address(priority, *other)) == address);
            Found {
                priority,
                index,
                healthy: healthy.and_then(|healthy| healthy.try_into().ok()),
                name: envoy.get_host_metadata_string(priority, index, NAMESPACE, "name").unwrap_or_default(),
            }
        })
    };
    (0..priorities(envoy)).flat_map(of_priority).collect()
}

/// What there is to be seen of the request, and of all hosts of the first priority.
fn seen_of_all(envoy: &dyn EnvoyLoadBalancer, values: usize) -> Vec<(&'static str, String)> {
    vec![
        ("path", shown(path(envoy))),
        ("headers", envoy.context_get_downstream_headers_size().to_string()),
        ("values", values.to_string()),
        ("context", envoy.has_context().to_string()),
        ("retries", envoy.context_get_host_selection_retry_count().to_string()),
        ("hash", envoy.context_compute_hash_key().is_some().to_string()),
        ("override", shown(envoy.context_get_override_host().map(|(address, _)| address))),
        ("cluster", cluster_name(envoy)),
        ("priorities", envoy.get_priority_set_size().to_string()),
        ("hosts", envoy.get_hosts_count(0).to_string()),
        ("healthy", envoy.get_healthy_hosts_count(0).to_string()),
        ("degraded", envoy.get_degraded_hosts_count(0).to_string()),
        ("localities", envoy.get_locality_count(0).to_string()),
    ]
}

/// What there is to be seen of the host that was chosen; counts how often it was by what Envoy keeps for it.
fn seen_of_one(envoy: &dyn EnvoyLoadBalancer, found: &Found) -> Vec<(&'static str, String)> {
    let (priority, index) = (found.priority, found.index);
    let address = shown(envoy.get_host_address(priority, index));
    let kept = envoy.get_host_data(priority, index).unwrap_or(0) + 1;
    let kept = if envoy.set_host_data(priority, index, kept) { kept } else { 0 };
    let locality = envoy
        .get_host_locality(priority, index)
        .map(|(region, zone, sub_zone)| [region, zone, sub_zone].map(|part| shown(Some(part))).join("/"));
    let health = envoy.get_host_health(priority, index);
    let in_locality = |locality| {
        (0..envoy.get_locality_host_count(priority, locality))
            .any(|host| shown(envoy.get_locality_host_address(priority, locality, host)) == address)
    };
    let bucket = (0..envoy.get_locality_count(priority)).find(|locality| in_locality(*locality));
    let healthy_weight = found.healthy.map_or(0, |index| envoy.get_healthy_host_weight(priority, index as usize));
    vec![
        ("name", escaped(found.name.as_bytes())),
        ("number", shown_debug(envoy.get_host_metadata_number(priority, index, NAMESPACE, "number"))),
        ("yes", shown_debug(envoy.get_host_metadata_bool(priority, index, NAMESPACE, "yes"))),
        ("weight", envoy.get_host_weight(priority, index).to_string()),
        ("healthy_weight", healthy_weight.to_string()),
        ("is_healthy", (health == Health::Healthy).to_string()),
        ("same_by_address", (envoy.get_host_health_by_address(&address) == Some(health)).to_string()),
        ("locality", locality.unwrap_or_else(|| "-".to_owned())),
        ("in_locality", bucket.is_some().to_string()),
        ("locality_weight", bucket.map_or(0, |bucket| envoy.get_locality_weight(priority, bucket)).to_string()),
        ("another", envoy.context_should_select_another_host(priority, index).to_string()),
        ("before", envoy.get_host_stat(priority, index, Stat::RqTotal).to_string()),
        ("chosen", kept.to_string()),
        ("address", address),
    ]
}

fn shown_debug(value: Option<impl std::fmt::Debug>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:?}"))
}

#[cfg(feature = "sdk-1-38")]
fn cluster_name(envoy: &dyn EnvoyLoadBalancer) -> String {
    envoy.get_cluster_name()
}

#[cfg(not(feature = "sdk-1-38"))]
fn cluster_name(envoy: &dyn EnvoyLoadBalancer) -> String {
    shown(envoy.get_cluster_name())
}

/// The request's path, of all its headers.
#[cfg(feature = "sdk-1-38")]
fn path(envoy: &dyn EnvoyLoadBalancer) -> Option<String> {
    envoy.context_get_downstream_headers()?.into_iter().find(|(name, _)| name == ":path").map(|(_, value)| value)
}

#[cfg(not(feature = "sdk-1-38"))]
fn path(envoy: &dyn EnvoyLoadBalancer) -> Option<EnvoyBuffer<'_>> {
    let headers = envoy.context_get_downstream_headers();
    headers.into_iter().find(|(name, _)| name.as_slice() == b":path").map(|(_, value)| value)
}

struct PanicConfig(Plan);

impl LoadBalancerConfig for PanicConfig {
    fn new_load_balancer(&self, _envoy: &dyn EnvoyLoadBalancer) -> Box<dyn LoadBalancer> {
        self.0.panic_in("creation");
        Box::new(Panics(self.0))
    }
}

/// Chooses the first host.
struct Panics(Plan);

impl LoadBalancer for Panics {
    fn choose_host(&mut self, envoy: &dyn EnvoyLoadBalancer) -> Option<HostSelection> {
        if envoy.context_get_downstream_header("x-dmconform-panic", 0).is_some() {
            self.0.panic_in("choose_host");
        }
        Some(HostSelection::at_default_priority(0))
    }

    fn on_host_membership_update(&mut self, _envoy: &dyn EnvoyLoadBalancer, _added: usize, _removed: usize) {
        self.0.panic_in("membership_update");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.0.panic_in("destroy");
        }
    }
}

//! The clusters `by_address`, `panic` and `refuse`; `hosts` has its own file.

use crate::hosts;
use crate::life::Life;
use crate::plan::Plan;
use crate::words::{joined, shown, write, Bytes};
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_cluster_host_envoy_ptr as HostPtr, envoy_dynamic_module_type_host_health as Health,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    AsyncHostSelectionHandle, Cluster, ClusterConfig, ClusterLb, ClusterLbContext, EnvoyAsyncHostSelectionComplete,
    EnvoyCluster, EnvoyClusterLoadBalancer, EnvoyClusterMetrics, EnvoyClusterScheduler, EnvoyCounterId, EnvoyGaugeId,
    HostSelectionResult,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

const HOOKS: [&str; 8] =
    ["none", "init", "balancer", "choose_host", "scheduled", "membership_update", "balancer_destroy", "destroy"];

/// Hosts of 1.38 forget a request that waits while the hosts of its cluster change.
const WAITS_FOR_CHANGES: bool = cfg!(not(feature = "sdk-1-38"));

pub fn new_config(name: &str, config: &[u8], metrics: Arc<dyn EnvoyClusterMetrics>) -> Option<Box<dyn ClusterConfig>> {
    let plan = match name {
        "hosts" => return hosts::new_config(name, config, metrics),
        "by_address" => None,
        "panic" => Some(Plan::parse_unguarded(config, &HOOKS)?),
        _ => return None, // `refuse`, and what no one knows
    };
    Some(Box::new(Config(Arc::new(Shared {
        plan,
        life: Life::begin("cluster", "configuration", config),
        added: metrics.define_counter("dmconform_hosts_added").ok()?,
        hosts: metrics.define_gauge("dmconform_hosts").ok()?,
        metrics,
    }))))
}

/// What all clusters of a configuration share.
struct Shared {
    plan: Option<Plan>,
    life: Life,
    metrics: Arc<dyn EnvoyClusterMetrics>,
    added: EnvoyCounterId,
    hosts: EnvoyGaugeId,
}

impl Shared {
    fn panic_in(&self, hook: &str) {
        if let Some(plan) = self.plan {
            plan.panic_in(hook);
        }
    }
}

struct Config(Arc<Shared>);

impl ClusterConfig for Config {
    fn new_cluster(&self, _envoy: &dyn EnvoyCluster) -> Box<dyn Cluster> {
        self.0.panic_in("creation");
        Box::new(ByAddress { of: self.0.clone(), asked: Arc::default(), _life: self.0.life.part("cluster") })
    }
}

/// A cluster that has the hosts for which requests ask.
struct ByAddress {
    of: Arc<Shared>,
    asked: Arc<Asked>,
    _life: Life,
}

/// The hosts that are there, and the requests that wait for others.
#[derive(Default)]
struct Asked {
    /// Made with the first hosts: one that is made with the cluster drops all events.
    scheduler: OnceLock<Box<dyn EnvoyClusterScheduler>>,
    /// Envoy's pointers, as numbers: threads share them.
    hosts: Mutex<HashMap<String, usize>>,
    waiting: Mutex<HashMap<u64, Waiting>>,
    numbers: AtomicU64,
}

struct Waiting {
    address: String,
    health: Option<Health>,
    panics: bool,
    /// Nothing where the request does not wait.
    completion: Option<Box<dyn EnvoyAsyncHostSelectionComplete>>,
}

impl Asked {
    fn wait(self: &Arc<Self>, waiting: Waiting) -> HostSelectionResult {
        let Some(scheduler) = self.scheduler.get() else { return HostSelectionResult::NoHost };
        let waits = waiting.completion.is_some();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        locked(&self.waiting).insert(number, waiting);
        scheduler.commit(number);
        if waits {
            HostSelectionResult::AsyncPending(Box::new(Handle { asked: self.clone(), number }))
        } else {
            HostSelectionResult::NoHost
        }
    }
}

/// What a thread that panicked has left is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request that waits.
struct Handle {
    asked: Arc<Asked>,
    number: u64,
}

impl AsyncHostSelectionHandle for Handle {
    fn cancel(&mut self) {
        locked(&self.asked.waiting).remove(&self.number);
    }
}

impl Cluster for ByAddress {
    fn on_init(&mut self, envoy: &dyn EnvoyCluster) {
        self.of.panic_in("init");
        // What could not be made on a thread is not to be told of hosts.
        if self.of.plan.is_some_and(|plan| plan.is("balancer")) {
            let _ = envoy.add_hosts(&["127.0.0.1:1".to_owned()], &[1]);
        }
        self.asked.scheduler.get_or_init(|| envoy.new_scheduler());
        envoy.pre_init_complete();
    }

    fn new_load_balancer(&self, _envoy: &dyn EnvoyClusterLoadBalancer) -> Box<dyn ClusterLb> {
        self.of.panic_in("balancer");
        Box::new(Balancer { of: self.of.clone(), asked: self.asked.clone(), _life: self.of.life.part("balancer") })
    }

    fn on_scheduled(&self, envoy: &dyn EnvoyCluster, event_id: u64) {
        let Some(waiting) = locked(&self.asked.waiting).remove(&event_id) else { return };
        if waiting.panics {
            self.of.panic_in("scheduled");
        }
        let host = if waiting.address == "none" {
            self.remove_all(envoy);
            None
        } else {
            self.find_or_add(envoy, &waiting.address)
        };
        if let (Some(host), Some(health)) = (host, waiting.health) {
            let _ = envoy.update_host_health(host, health);
        }
        let hosts = locked(&self.asked.hosts).len();
        let _ = self.of.metrics.set_gauge(self.of.hosts, hosts as u64);
        if let Some(completion) = waiting.completion {
            complete(completion, host, "by_address");
        }
    }
}

impl ByAddress {
    fn find_or_add(&self, envoy: &dyn EnvoyCluster, address: &str) -> Option<HostPtr> {
        let found = envoy.find_host_by_address(address).or_else(|| self.add(envoy, address));
        if let Some(host) = found {
            locked(&self.asked.hosts).insert(address.to_owned(), host as usize);
        }
        found
    }

    /// Adds a host, whose region is the configuration.
    fn add(&self, envoy: &dyn EnvoyCluster, address: &str) -> Option<HostPtr> {
        let text = self.of.life.config().to_owned();
        let locality = (text.clone(), "zone".to_owned(), "part".to_owned());
        let metadata = vec![("dmconform".to_owned(), "text".to_owned(), text)];
        let hosts = envoy.add_hosts_with_locality(&[address.to_owned()], &[3], &[locality], &[metadata])?;
        let _ = self.of.metrics.increment_counter(self.of.added, hosts.len() as u64);
        hosts.first().copied().filter(|host| !host.is_null())
    }

    fn remove_all(&self, envoy: &dyn EnvoyCluster) {
        let hosts: Vec<_> = locked(&self.asked.hosts).drain().map(|(_, host)| host as HostPtr).collect();
        let number = envoy.remove_hosts(&hosts);
        write("removed", self.of.life.config(), &[("hosts", number.to_string())]);
    }
}

#[cfg(feature = "sdk-1-38")]
fn complete(completion: Box<dyn EnvoyAsyncHostSelectionComplete>, host: Option<HostPtr>, details: &str) {
    completion.async_host_selection_complete(host, details);
}

#[cfg(not(feature = "sdk-1-38"))]
fn complete(completion: Box<dyn EnvoyAsyncHostSelectionComplete>, host: Option<HostPtr>, details: &str) {
    completion.complete(host, details);
}

impl Drop for ByAddress {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.of.panic_in("destroy");
        }
    }
}

/// What chooses on a thread.
struct Balancer {
    of: Arc<Shared>,
    asked: Arc<Asked>,
    _life: Life,
}

impl ClusterLb for Balancer {
    fn choose_host(
        &mut self,
        context: Option<&dyn ClusterLbContext>,
        completion: Box<dyn EnvoyAsyncHostSelectionComplete>,
    ) -> HostSelectionResult {
        self.of.life.used();
        let Some(request) = context else { return HostSelectionResult::NoHost };
        let panics = header(request, "x-dmconform-panic").is_some();
        if panics {
            self.of.panic_in("choose_host");
        }
        self.note(request);
        let Some(address) = header(request, "x-dmconform-address") else { return HostSelectionResult::NoHost };
        let health = header(request, "x-dmconform-health").and_then(|word| health(&word));
        let known = locked(&self.asked.hosts).get(&address).copied();
        let changes = known.is_none() || health.is_some();
        match known {
            Some(host) if !changes && !panics && header(request, "x-dmconform-later").is_none() => {
                HostSelectionResult::Selected(host as HostPtr)
            }
            _ => {
                let completion = (WAITS_FOR_CHANGES || !changes).then_some(completion);
                self.asked.wait(Waiting { address, health, panics, completion })
            }
        }
    }

    fn on_host_membership_update(&mut self, envoy: &dyn EnvoyClusterLoadBalancer, added: usize, removed: usize) {
        self.of.panic_in("membership_update");
        let addresses = |number: usize, is_added: bool| {
            joined((0..number).map(|index| shown(envoy.get_member_update_host_address(index, is_added))))
        };
        let added = addresses(added, true);
        let found = added.split(',').all(|one| envoy.find_host_by_address(one).is_some());
        write(
            "members",
            self.of.life.config(),
            &[
                ("removed", addresses(removed, false)),
                ("hosts", envoy.get_hosts_count(0).to_string()),
                ("healthy", envoy.get_healthy_host_count(0).to_string()),
                ("found", found.to_string()),
                ("added", added),
            ],
        );
    }
}

impl Balancer {
    /// Writes what there is to be seen of a request.
    fn note(&self, request: &dyn ClusterLbContext) {
        write(
            "choice",
            self.of.life.config(),
            &[
                ("path", shown(request.get_downstream_header(":path", 0).map(|(value, _)| value))),
                ("headers", request.get_downstream_headers_size().to_string()),
                ("retries", request.get_host_selection_retry_count().to_string()),
                ("hash", request.compute_hash_key().is_some().to_string()),
                ("override", shown(request.get_override_host().map(|(address, _)| address))),
                ("sni", shown(request.get_downstream_connection_sni())),
            ],
        );
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.of.panic_in("balancer_destroy");
        }
    }
}

fn header(request: &dyn ClusterLbContext, name: &str) -> Option<String> {
    let (value, _) = request.get_downstream_header(name, 0)?;
    Some(String::from_utf8_lossy(value.bytes()).into_owned())
}

fn health(word: &str) -> Option<Health> {
    match word {
        "healthy" => Some(Health::Healthy),
        "degraded" => Some(Health::Degraded),
        "unhealthy" => Some(Health::Unhealthy),
        _ => None,
    }
}

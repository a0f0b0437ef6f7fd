//! The stats sinks `snapshots`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::stats_sink::{
    EnvoyStatSinkConfig, EnvoyStatSinkConfigScheduler, MetricSnapshot, StatSink,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyBuffer, EnvoyGaugeId};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

const POINT: &str = "stat_sink";
/// What the metrics that are written have in their names.
const CLUSTER: &str = "cluster.upstream.";
/// The histogram whose samples are counted.
const TIMES: &[u8] = b"cluster.upstream.upstream_rq_time";
/// What a name has in it of a metric of the requests that ask for a panic: the server says that it is a canary.
const ASKING: &str = ".canary.";

pub fn new_config(name: &str, config: &[u8], envoy: &mut EnvoyStatSinkConfig) -> Option<Box<dyn StatSink>> {
    match name {
        "snapshots" => Some(Box::new(Snapshots::new(config, envoy)?)),
        "panic" => {
            let callbacks = ["none", "flush", "histogram", "scheduled", "destroy"];
            let plan = Plan::parse_unguarded(config, &callbacks)?;
            Some(Box::new(Panics { plan, scheduler: Box::new(envoy.new_config_scheduler()) }))
        }
        _ => None,
    }
}

/// Writes what it is given at each flush.
struct Snapshots {
    life: Life,
    flushes: AtomicU64,
    samples: AtomicU64,
    sum: AtomicU64,
    gauge: EnvoyGaugeId,
    scheduler: Box<dyn EnvoyStatSinkConfigScheduler>,
}

impl Snapshots {
    fn new(config: &[u8], envoy: &mut EnvoyStatSinkConfig) -> Option<Self> {
        Some(Self {
            gauge: envoy.define_gauge("dmconform_flushes").ok()?,
            scheduler: Box::new(envoy.new_config_scheduler()),
            life: Life::begin(POINT, "configuration", config),
            flushes: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        })
    }
}

impl StatSink for Snapshots {
    fn on_flush(&self, snapshot: &MetricSnapshot<'_>) {
        self.life.used();
        let flush = self.flushes.fetch_add(1, Ordering::Relaxed) + 1;
        let mut pairs = vec![
            format!("flush={flush}"),
            format!("counters={}", snapshot.counter_count()),
            format!("gauges={}", snapshot.gauge_count()),
            format!("readouts={}", snapshot.text_readout_count()),
            format!("samples={}", self.samples.load(Ordering::Relaxed)),
            format!("milliseconds={}", self.sum.load(Ordering::Relaxed)),
        ];
        pairs.extend(seen(snapshot));
        let line = format!("dmconform stats {LANG} [{}] {}\n", self.life.config(), pairs.join(" "));
        let _ = std::io::stderr().write_all(line.as_bytes());
        // Not on this thread, which is Envoy's.
        std::thread::scope(|scope| {
            scope.spawn(|| self.scheduler.commit(flush));
        });
    }

    fn on_histogram_complete(&self, name: EnvoyBuffer<'_>, value: u64) {
        if name.as_slice() == TIMES {
            self.samples.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(value, Ordering::Relaxed);
        }
    }

    fn on_config_scheduled(&self, envoy: &mut EnvoyStatSinkConfig, event_id: u64) {
        let _ = envoy.set_gauge(self.gauge, event_id);
    }
}

/// The metrics of the cluster that are not 0, a counter with its growth; and all text.
fn seen(snapshot: &MetricSnapshot<'_>) -> Vec<String> {
    let (mut name, mut text) = (Vec::new(), Vec::new());
    let mut pairs = Vec::new();
    for index in 0..snapshot.counter_count() {
        let Some(counter) = snapshot.counter(index, &mut name) else { continue };
        let name = String::from_utf8_lossy(&name);
        if name.starts_with(CLUSTER) && counter.value > 0 {
            pairs.push(format!("{name}={}+{}{}", counter.value, counter.delta, tags(snapshot, index)));
        }
    }
    for index in 0..snapshot.gauge_count() {
        let Some(value) = snapshot.gauge(index, &mut name) else { continue };
        let name = String::from_utf8_lossy(&name);
        if name.starts_with(CLUSTER) && value > 0 {
            pairs.push(format!("{name}={value}"));
        }
    }
    for index in 0..snapshot.text_readout_count() {
        if snapshot.text_readout(index, &mut name, &mut text) {
            pairs.push(format!("{}={}", String::from_utf8_lossy(&name), text.escape_ascii()));
        }
    }
    pairs
}

/// What a counter is called without its tags, and the tags: in SDKs since 1.40.
#[cfg(feature = "sdk-1-40")]
fn tags(snapshot: &MetricSnapshot<'_>, index: usize) -> String {
    let (mut name, mut value) = (Vec::new(), Vec::new());
    let mut tags = String::new();
    if snapshot.counter_tag_extracted_name(index, &mut name) {
        tags = format!(",{}", String::from_utf8_lossy(&name));
    }
    for tag in 0..snapshot.counter_tag_count(index).unwrap_or(0) {
        if snapshot.counter_tag(index, tag, &mut name, &mut value) {
            tags += &format!(",{}:{}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&value));
        }
    }
    tags
}

#[cfg(not(feature = "sdk-1-40"))]
fn tags(_snapshot: &MetricSnapshot<'_>, _index: usize) -> String {
    String::new()
}

/// Panics at flushes, for histograms and events of requests that ask for it, or when it is dropped.
struct Panics {
    plan: Plan,
    scheduler: Box<dyn EnvoyStatSinkConfigScheduler>,
}

impl StatSink for Panics {
    fn on_flush(&self, snapshot: &MetricSnapshot<'_>) {
        let mut name = Vec::new();
        let asked = (0..snapshot.counter_count()).any(|index| {
            let grown = snapshot.counter(index, &mut name).is_some_and(|counter| counter.delta > 0);
            grown && String::from_utf8_lossy(&name).contains(ASKING)
        });
        if asked {
            self.scheduler.commit(0);
            self.plan.panic_in("flush");
        }
    }

    fn on_histogram_complete(&self, name: EnvoyBuffer<'_>, _value: u64) {
        if String::from_utf8_lossy(name.as_slice()).contains(ASKING) {
            self.plan.panic_in("histogram");
        }
    }

    fn on_config_scheduled(&self, _envoy: &mut EnvoyStatSinkConfig, _event_id: u64) {
        self.plan.panic_in("scheduled");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.plan.panic_in("destroy");
        }
    }
}

//! The filters of datagrams `datagrams`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::{asks, Plan};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_metrics_result as MetricsResult,
    envoy_dynamic_module_type_on_udp_listener_filter_status as Status,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId, EnvoyUdpListenerFilter, EnvoyUdpListenerFilterConfig,
    UdpListenerFilter, UdpListenerFilterConfig,
};
use std::sync::Arc;

const POINT: &str = "udp_listener_filter";

pub fn new_config<EC: EnvoyUdpListenerFilterConfig, ELF: EnvoyUdpListenerFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn UdpListenerFilterConfig<ELF>>> {
    match name {
        "datagrams" => Some(Box::new(Datagrams::new(envoy, config)?)),
        "panic" => Some(Box::new(Plan::parse_unguarded(config, &["none", "data", "destroy"])?)),
        _ => None,
    }
}

/// A configuration of `datagrams`.
struct Datagrams(Arc<Shared>);

/// What the filters of a configuration share.
struct Shared {
    life: Life,
    text: Vec<u8>,
    seen: EnvoyCounterId,
    level: EnvoyGaugeId,
    size: EnvoyHistogramId,
}

impl Datagrams {
    fn new(envoy: &mut impl EnvoyUdpListenerFilterConfig, config: &[u8]) -> Option<Self> {
        Some(Self(Arc::new(Shared {
            seen: envoy.define_counter("dmconform_datagrams").ok()?,
            level: envoy.define_gauge("dmconform_level").ok()?,
            size: envoy.define_histogram("dmconform_size").ok()?,
            life: Life::begin(POINT, "configuration", config),
            text: config.to_vec(),
        })))
    }
}

impl<ELF: EnvoyUdpListenerFilter> UdpListenerFilterConfig<ELF> for Datagrams {
    fn new_udp_listener_filter(&self, _envoy: &mut ELF) -> Box<dyn UdpListenerFilter<ELF>> {
        Box::new(Filter { _life: self.0.life.part("filter"), config: Arc::clone(&self.0) })
    }
}

/// The filter of a worker thread.
struct Filter {
    _life: Life, // ends before the configuration's
    config: Arc<Shared>,
}

impl<ELF: EnvoyUdpListenerFilter> UdpListenerFilter<ELF> for Filter {
    fn on_data(&mut self, envoy: &mut ELF) -> Status {
        let (data, total) = whole(envoy);
        self.config.life.used();
        if self.count(envoy, data.len()).is_err() {
            return Status::StopIteration;
        }
        match data.split(|byte| *byte == b' ').next() {
            Some(b"drop") => Status::StopIteration,
            Some(b"pass") => Status::Continue,
            Some(b"change") => {
                let changed = [LANG.as_bytes(), b" [", &self.config.text, b"] changed ", &data].concat();
                // What is there to be passed on is what was set.
                if envoy.set_datagram_data(&changed) && whole(envoy).0 == changed {
                    Status::Continue
                } else {
                    Status::StopIteration
                }
            }
            _ => {
                self.answer(envoy, &data, total);
                Status::StopIteration
            }
        }
    }
}

impl Filter {
    /// Counts a datagram of this size in metrics of every kind.
    fn count(&self, envoy: &impl EnvoyUdpListenerFilter, size: usize) -> Result<(), MetricsResult> {
        envoy.increment_counter(self.config.seen, 1)?;
        envoy.set_gauge(self.config.level, 5)?;
        envoy.increase_gauge(self.config.level, 4)?;
        envoy.decrease_gauge(self.config.level, 2)?;
        envoy.record_histogram_value(self.config.size, size as u64)
    }

    /// Sends to where a datagram came from what is known of it, and the datagram.
    fn answer(&self, envoy: &mut impl EnvoyUdpListenerFilter, data: &[u8], total: usize) {
        let Some((peer, port)) = envoy.get_peer_address() else { return };
        let (local, local_port) = envoy.get_local_address().unwrap_or_default();
        let seen = format!(
            "{LANG} bytes={total} peer={peer}:{port} local={local}:{local_port} worker={} text=",
            worker(envoy)
        );
        let answer = [seen.as_bytes(), &self.config.text, b" data=", data].concat();
        envoy.send_datagram(&answer, &peer, port);
    }
}

/// The datagram, and how many bytes it has, as the SDK says.
fn whole(envoy: &impl EnvoyUdpListenerFilter) -> (Vec<u8>, usize) {
    let (chunks, total) = envoy.get_datagram_data();
    (chunks.iter().flat_map(|chunk| chunk.as_slice().iter().copied()).collect(), total)
}

/// The number of the worker thread.
#[cfg(not(feature = "sdk-1-37"))]
fn worker(envoy: &impl EnvoyUdpListenerFilter) -> String {
    envoy.get_worker_index().to_string()
}

/// The SDK of 1.37 does not say.
#[cfg(feature = "sdk-1-37")]
fn worker(_envoy: &impl EnvoyUdpListenerFilter) -> String {
    "-".to_owned()
}

impl<ELF: EnvoyUdpListenerFilter> UdpListenerFilterConfig<ELF> for Plan {
    fn new_udp_listener_filter(&self, _envoy: &mut ELF) -> Box<dyn UdpListenerFilter<ELF>> {
        self.panic_in("creation");
        Box::new(Panics(*self))
    }
}

/// A filter that lets everything pass, or panics.
struct Panics(Plan);

impl<ELF: EnvoyUdpListenerFilter> UdpListenerFilter<ELF> for Panics {
    fn on_data(&mut self, envoy: &mut ELF) -> Status {
        if asks(&whole(envoy).0) {
            self.0.panic_in("data");
        }
        Status::Continue
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

//! The network filters, of which `panic` is here.

use crate::cipher;
use crate::plan::{asks, Plan};
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_network_connection_event as Event,
    envoy_dynamic_module_type_on_network_filter_data_status as Status,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyBuffer, EnvoyNetworkFilter, EnvoyNetworkFilterConfig, NetworkFilter, NetworkFilterConfig,
};

const CALLBACKS: [&str; 6] = ["none", "new_connection", "read", "write", "event", "destroy"];

pub fn new_filter_config<EC: EnvoyNetworkFilterConfig, ENF: EnvoyNetworkFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn NetworkFilterConfig<ENF>>> {
    match name {
        "cipher" => cipher::config(envoy, config),
        "panic" => Some(Box::new(Config { plan: Plan::parse(std::str::from_utf8(config).ok()?, &CALLBACKS)? })),
        _ => None, // `refuse`, and what no one knows
    }
}

struct Config {
    plan: Plan,
}

impl<ENF: EnvoyNetworkFilter> NetworkFilterConfig<ENF> for Config {
    fn new_network_filter(&self, _envoy: &mut ENF) -> Box<dyn NetworkFilter<ENF>> {
        self.plan.panic_in("creation");
        let filter = Panic { plan: self.plan, asked: false };
        if self.plan.guarded {
            guarded(filter)
        } else {
            Box::new(filter)
        }
    }
}

#[cfg(not(feature = "sdk-1-37"))]
fn guarded<ENF: EnvoyNetworkFilter>(filter: Panic) -> Box<dyn NetworkFilter<ENF>> {
    Box::new(envoy_proxy_dynamic_modules_rust_sdk::CatchUnwind::new(filter))
}

#[cfg(feature = "sdk-1-37")]
fn guarded<ENF: EnvoyNetworkFilter>(filter: Panic) -> Box<dyn NetworkFilter<ENF>> {
    Box::new(filter)
}

struct Panic {
    plan: Plan,
    /// Whether the connection has read what asks for it.
    asked: bool,
}

fn ask(chunks: &[EnvoyBuffer]) -> bool {
    asks(&chunks.iter().flat_map(|chunk| chunk.as_slice()).copied().collect::<Vec<u8>>())
}

impl<ENF: EnvoyNetworkFilter> NetworkFilter<ENF> for Panic {
    fn on_new_connection(&mut self, _envoy: &mut ENF) -> Status {
        self.plan.panic_in("new_connection");
        Status::Continue
    }

    fn on_read(&mut self, envoy: &mut ENF, _length: usize, _end_of_stream: bool) -> Status {
        if ask(&envoy.get_read_buffer_chunks().0) {
            self.asked = true;
            self.plan.panic_in("read");
        }
        Status::Continue
    }

    fn on_write(&mut self, envoy: &mut ENF, _length: usize, _end_of_stream: bool) -> Status {
        if ask(&envoy.get_write_buffer_chunks().0) {
            self.plan.panic_in("write");
        }
        Status::Continue
    }

    fn on_event(&mut self, _envoy: &mut ENF, _event: Event) {
        if self.asked {
            self.plan.panic_in("event");
        }
    }
}

/// The end of a network filter: the official SDK never calls `on_destroy`.
impl Drop for Panic {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if self.asked && !std::thread::panicking() {
            self.plan.panic_in("destroy");
        }
    }
}

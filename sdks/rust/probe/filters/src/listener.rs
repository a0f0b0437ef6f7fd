//! The listener filters, of which `panic` is here.

use crate::plan::{asks, Plan};
use crate::preface;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_listener_filter_status as Status;
use envoy_proxy_dynamic_modules_rust_sdk::{
    CatchUnwind, EnvoyListenerFilter, EnvoyListenerFilterConfig, ListenerFilter, ListenerFilterConfig,
};

const CALLBACKS: [&str; 3] = ["none", "accept", "data"];
/// How much it asks for.
const READ_BYTES: usize = 64;

pub fn new_filter_config<EC: EnvoyListenerFilterConfig, ELF: EnvoyListenerFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn ListenerFilterConfig<ELF>>> {
    match name {
        "preface" => preface::config(envoy, config),
        "panic" => Some(Box::new(Config { plan: Plan::parse(std::str::from_utf8(config).ok()?, &CALLBACKS)? })),
        _ => None, // `refuse`, and what no one knows
    }
}

struct Config {
    plan: Plan,
}

impl<ELF: EnvoyListenerFilter> ListenerFilterConfig<ELF> for Config {
    fn new_listener_filter(&self, _envoy: &mut ELF) -> Box<dyn ListenerFilter<ELF>> {
        self.plan.panic_in("creation");
        let filter = Panic { plan: self.plan };
        if self.plan.guarded {
            Box::new(CatchUnwind::new(filter))
        } else {
            Box::new(filter)
        }
    }
}

struct Panic {
    plan: Plan,
}

impl<ELF: EnvoyListenerFilter> ListenerFilter<ELF> for Panic {
    fn on_accept(&mut self, _envoy: &mut ELF) -> Status {
        self.plan.panic_in("accept");
        // Only a filter that stops here is given data.
        if self.plan.is("data") {
            Status::StopIteration
        } else {
            Status::Continue
        }
    }

    fn on_data(&mut self, envoy: &mut ELF, _length: usize) -> Status {
        if envoy.get_buffer_chunk().is_some_and(|come| asks(come.as_slice())) {
            self.plan.panic_in("data");
        }
        Status::Continue
    }

    fn max_read_bytes(&mut self, _envoy: &mut ELF) -> usize {
        if self.plan.is("data") {
            READ_BYTES
        } else {
            0
        }
    }
}

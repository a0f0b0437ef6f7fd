//! The listener filter `preface`: takes a first line off connections that have it, and chooses a filter chain by it.

use crate::life::Life;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_listener_filter_status as Status;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyListenerFilter, EnvoyListenerFilterConfig, ListenerFilter, ListenerFilterConfig,
};

/// What the line begins with; a server name follows.
const WORD: &[u8] = b"dmconform ";
/// How long the line may be.
const READ_BYTES: usize = 64;

pub fn config<EC: EnvoyListenerFilterConfig, ELF: EnvoyListenerFilter>(
    envoy: &mut EC,
    config: &[u8],
) -> Option<Box<dyn ListenerFilterConfig<ELF>>> {
    let chosen = envoy.define_counter("dmconform_chosen").ok()?;
    Some(Box::new(Config { chosen, life: Life::begin("listener_filter", "configuration", config) }))
}

struct Config {
    chosen: EnvoyCounterId,
    life: Life,
}

impl<ELF: EnvoyListenerFilter> ListenerFilterConfig<ELF> for Config {
    fn new_listener_filter(&self, _envoy: &mut ELF) -> Box<dyn ListenerFilter<ELF>> {
        Box::new(Preface { chosen: self.chosen, life: self.life.part("filter") })
    }
}

struct Preface {
    chosen: EnvoyCounterId,
    life: Life,
}

impl<ELF: EnvoyListenerFilter> ListenerFilter<ELF> for Preface {
    /// Waits for data.
    fn on_accept(&mut self, _envoy: &mut ELF) -> Status {
        Status::StopIteration
    }

    fn on_data(&mut self, envoy: &mut ELF, _length: usize) -> Status {
        let come = envoy.get_buffer_chunk().map_or_else(Vec::new, |come| come.as_slice().to_vec());
        let begins = come.starts_with(WORD) || WORD.starts_with(&come);
        let end = come.iter().position(|&byte| byte == b'\n');
        if begins && end.is_none() && come.len() < READ_BYTES {
            return Status::StopIteration;
        }
        self.life.used();
        if let (true, Some(end)) = (begins, end) {
            let name = String::from_utf8_lossy(&come[WORD.len()..end]);
            envoy.set_requested_server_name(&name);
            envoy.set_requested_application_protocols(&["dmconform", LANG]);
            envoy.set_dynamic_metadata_string("dmconform", "text", self.life.config());
            envoy.set_dynamic_metadata_number("dmconform", "number", name.len() as f64);
            envoy.drain_buffer(end + 1);
            envoy.write_to_socket(format!("{LANG} [{}]\n", self.life.config()).as_bytes());
            // What the host does not take shows in its statistics.
            let _ = envoy.increment_counter(self.chosen, 1);
        }
        Status::Continue
    }

    fn max_read_bytes(&mut self, _envoy: &mut ELF) -> usize {
        READ_BYTES
    }
}

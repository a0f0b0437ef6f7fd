//! The network filter `cipher`: exchanges the letters of connections that ask for it, in both directions.

use crate::life::Life;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_network_filter_data_status as Status;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyBuffer, EnvoyCounterId, EnvoyNetworkFilter, EnvoyNetworkFilterConfig, NetworkFilter, NetworkFilterConfig,
};

/// What a connection begins with that asks for it.
const PREFACE: &[u8] = b"dmconform cipher\n";

pub fn config<EC: EnvoyNetworkFilterConfig, ENF: EnvoyNetworkFilter>(
    envoy: &mut EC,
    config: &[u8],
) -> Option<Box<dyn NetworkFilterConfig<ENF>>> {
    let exchanged = envoy.define_counter("dmconform_exchanged").ok()?;
    Some(Box::new(Config { exchanged, life: Life::begin("network_filter", "configuration", config) }))
}

struct Config {
    exchanged: EnvoyCounterId,
    life: Life,
}

impl<ENF: EnvoyNetworkFilter> NetworkFilterConfig<ENF> for Config {
    fn new_network_filter(&self, _envoy: &mut ENF) -> Box<dyn NetworkFilter<ENF>> {
        Box::new(Cipher {
            greeting: format!("{LANG} [{}]\n", self.life.config()).into_bytes(),
            exchanged: self.exchanged,
            stage: Stage::Undecided,
            life: self.life.part("filter"),
        })
    }
}

#[derive(PartialEq)]
enum Stage {
    /// Too little has come.
    Undecided,
    /// The connection did not ask.
    Plain,
    Exchanging,
}

struct Cipher {
    /// What goes to the client first; nothing once it has gone.
    greeting: Vec<u8>,
    exchanged: EnvoyCounterId,
    stage: Stage,
    life: Life,
}

impl Cipher {
    fn count<ENF: EnvoyNetworkFilter>(&self, envoy: &ENF, bytes: usize) {
        // What the host does not take shows in its statistics.
        let _ = envoy.increment_counter(self.exchanged, bytes as u64);
    }
}

impl<ENF: EnvoyNetworkFilter> NetworkFilter<ENF> for Cipher {
    fn on_read(&mut self, envoy: &mut ENF, _length: usize, end_of_stream: bool) -> Status {
        let come = whole(&envoy.get_read_buffer_chunks().0);
        let mut letters = come.as_slice();
        if self.stage == Stage::Undecided {
            if come.len() < PREFACE.len() && PREFACE.starts_with(&come) && !end_of_stream {
                return Status::StopIteration;
            }
            self.life.used();
            match come.strip_prefix(PREFACE) {
                Some(rest) => (self.stage, letters) = (Stage::Exchanging, rest),
                None => self.stage = Stage::Plain,
            }
        }
        if self.stage == Stage::Exchanging {
            envoy.drain_read_buffer(come.len());
            envoy.append_read_buffer(&exchanged(letters));
            self.count(envoy, letters.len());
        }
        Status::Continue
    }

    fn on_write(&mut self, envoy: &mut ENF, _length: usize, _end_of_stream: bool) -> Status {
        if self.stage == Stage::Exchanging {
            let letters = whole(&envoy.get_write_buffer_chunks().0);
            envoy.drain_write_buffer(letters.len());
            envoy.append_write_buffer(&exchanged(&letters));
            envoy.prepend_write_buffer(&std::mem::take(&mut self.greeting));
            self.count(envoy, letters.len());
        }
        Status::Continue
    }
}

fn whole(chunks: &[EnvoyBuffer]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.as_slice()).copied().collect()
}

/// Each letter by the one that is 13 places on (ROT13): twice is as before.
fn exchanged(bytes: &[u8]) -> Vec<u8> {
    let place = |byte: u8, first: u8| (byte - first + 13) % 26 + first;
    bytes
        .iter()
        .map(|&byte| match byte {
            b'a'..=b'z' => place(byte, b'a'),
            b'A'..=b'Z' => place(byte, b'A'),
            _ => byte,
        })
        .collect()
}

//! The header formatters `spelling`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use envoy_proxy_dynamic_modules_rust_sdk::header_formatter::{
    HeaderFormatter, HeaderFormatterConfig, HeaderFormatterHandle,
};
use std::collections::BTreeMap;

const HOOKS: [&str; 5] = ["none", "process_key", "format", "destroy", "config_destroy"];

/// The header whose name shows the configuration.
const SHOWS: &str = "x-dmconform-text";

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn HeaderFormatterConfig>> {
    let does = match name {
        "spelling" => Does::Spell,
        "panic" => Does::Panic(Plan::parse_unguarded(config, &HOOKS)?),
        _ => return None, // `refuse`, and what no one knows
    };
    let digits = config.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
    Some(Box::new(Config { does, life: Life::begin("header_formatter", "configuration", config), digits }))
}

#[derive(Clone, Copy)]
enum Does {
    Spell,
    Panic(Plan),
}

impl Does {
    fn meets(self, hook: &str) {
        match self {
            // A panic on top of another would end the process, whoever guards.
            Self::Panic(plan) if !std::thread::panicking() => plan.panic_in(hook),
            _ => (),
        }
    }
}

/// A configuration of any of them.
struct Config {
    does: Does,
    life: Life,
    /// The configuration as hexadecimal digits, which a header's name can hold.
    digits: String,
}

impl HeaderFormatterConfig for Config {
    fn create(&self) -> Option<Box<dyn HeaderFormatter>> {
        self.does.meets("creation");
        self.life.used();
        Some(Box::new(Formatter {
            does: self.does,
            _life: self.life.part("formatter"),
            digits: self.digits.clone(),
            came: BTreeMap::new(),
            spelled: String::new(),
            asked: false,
        }))
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        self.does.meets("config_destroy");
    }
}

/// The formatter of one message.
struct Formatter {
    does: Does,
    _life: Life,
    digits: String,
    /// The names that came, as they were spelled, by their lower case.
    came: BTreeMap<String, String>,
    spelled: String,
    /// Whether the message asks for a panic.
    asked: bool,
}

impl Formatter {
    fn meets(&self, hook: &str) {
        if self.asked {
            self.does.meets(hook);
        }
    }
}

impl HeaderFormatter for Formatter {
    fn process_key(&mut self, key: &str, _handle: &HeaderFormatterHandle) {
        let lower = key.to_ascii_lowercase();
        self.asked |= lower == "x-dmconform-panic";
        self.meets("process_key");
        self.came.insert(lower, key.to_owned());
    }

    fn format(&mut self, key: &str, _handle: &HeaderFormatterHandle) -> Option<&str> {
        self.meets("format");
        if let Does::Panic(_) = self.does {
            return None;
        }
        self.spelled = match (key, self.came.get(key)) {
            (SHOWS, _) => format!("X-Dmconform-Text-{}", self.digits),
            (_, Some(came)) => came.clone(),
            ("host", None) => return None,
            (_, None) => key.to_ascii_uppercase(),
        };
        Some(&self.spelled)
    }
}

impl Drop for Formatter {
    fn drop(&mut self) {
        self.meets("destroy");
    }
}

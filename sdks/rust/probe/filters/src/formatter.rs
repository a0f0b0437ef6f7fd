//! The formatters `command`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_attribute_id as Attribute, envoy_dynamic_module_type_http_header_type as HeaderType,
};
use envoy_proxy_dynamic_modules_rust_sdk::formatter::{FormatterConfig, FormatterContext, FormatterProvider};
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyBuffer;

const COMMAND: &str = "DYNAMIC_MODULE";
const HOOKS: [&str; 5] = ["none", "parse", "format", "destroy", "config_destroy"];

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn FormatterConfig>> {
    let does = match name {
        "command" => Does::Write,
        "panic" => Does::Panic(Plan::parse_unguarded(config, &HOOKS)?),
        _ => return None, // `refuse`, and what no one knows
    };
    Some(Box::new(Config { does, life: Life::begin("formatter", "configuration", config) }))
}

#[derive(Clone, Copy)]
enum Does {
    Write,
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
}

impl FormatterConfig for Config {
    fn parse(&self, command: &str, command_arg: &str, max_length: Option<usize>) -> Option<Box<dyn FormatterProvider>> {
        if command != COMMAND {
            return None;
        }
        self.does.meets("parse");
        let life = self.life.part("provider");
        Some(Box::new(Provider { does: self.does, life, argument: command_arg.to_owned(), max_length }))
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        self.does.meets("config_destroy");
    }
}

/// What stands for one command of a format.
struct Provider {
    does: Does,
    life: Life,
    argument: String,
    max_length: Option<usize>,
}

impl FormatterProvider for Provider {
    fn format(&self, ctx: &FormatterContext) -> Option<String> {
        self.life.used();
        if ctx.get_request_header("x-dmconform-panic").is_some() {
            self.does.meets("format");
        }
        let mut text = match (self.does, self.argument.as_str()) {
            (Does::Panic(_), _) | (_, "nothing") => return None,
            (_, "short") => LANG.to_owned(),
            _ => self.all(ctx),
        };
        text.truncate(self.max_length.unwrap_or(text.len()));
        Some(text)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.does.meets("destroy");
    }
}

impl Provider {
    /// All that there is to be seen.
    fn all(&self, ctx: &FormatterContext) -> String {
        let pairs = [
            ("argument", self.argument.clone()),
            ("method", shown(ctx.get_request_header(":method"))),
            ("path", shown(ctx.get_request_header(":path"))),
            ("in", shown(ctx.get_request_header("x-dmconform-in"))),
            ("second", shown(ctx.get_header_value(HeaderType::RequestHeader, "x-dmconform-in", 1))),
            ("out", shown(ctx.get_response_header("x-dmconform-in"))),
            ("trailer", shown(ctx.get_response_trailer("x-upstream-trailer"))),
            ("trailers", ctx.get_headers_count(HeaderType::ResponseTrailer).to_string()),
            ("status", ctx.response_code().map_or_else(nothing, |code| code.to_string())),
            ("protocol", shown(ctx.protocol())),
            ("address", shown(ctx.get_attribute_string(Attribute::SourceAddress))),
            (
                "health_check",
                ctx.get_attribute_bool(Attribute::HealthCheck).map_or_else(nothing, |yes| yes.to_string()),
            ),
            ("reply", shown(ctx.local_reply_body())),
            ("metadata", shown(ctx.get_dynamic_metadata("dmconform", "text"))),
            ("type", ctx.access_log_type().as_str().to_owned()),
        ];
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("dmconform command {LANG} [{}] {}", self.life.config(), pairs.join(" "))
    }
}

fn nothing() -> String {
    "-".to_owned()
}

/// A value without spaces; `-` where there is none.
fn shown(value: Option<EnvoyBuffer>) -> String {
    value.map_or_else(nothing, |value| value.as_slice().escape_ascii().to_string().replace(' ', "\\x20"))
}

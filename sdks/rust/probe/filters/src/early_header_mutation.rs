//! The early header mutations `headers`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_attribute_id as Attribute;
use envoy_proxy_dynamic_modules_rust_sdk::early_header_mutation::{
    EarlyHeaderMutationConfig, EarlyHeaderMutationContext,
};
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyBuffer;

const HOOKS: [&str; 3] = ["none", "mutate", "config_destroy"];

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn EarlyHeaderMutationConfig>> {
    let life = || Life::begin("early_header_mutation", "configuration", config);
    match name {
        "headers" => Some(Box::new(Mutation { life: life() })),
        "panic" => Some(Box::new(Panics { plan: Plan::parse_unguarded(config, &HOOKS)?, _life: life() })),
        _ => None, // `refuse`, and what no one knows
    }
}

/// The configuration of `headers`.
struct Mutation {
    life: Life,
}

impl EarlyHeaderMutationConfig for Mutation {
    fn mutate(&self, ctx: &mut EarlyHeaderMutationContext) -> bool {
        self.life.used();
        let values = ctx.get_header_value("x-dmconform-in", 0).map_or(0, |(_, count)| count);
        let last = ctx.get_header_value("x-dmconform-in", values.saturating_sub(1)).map(|(value, _)| value);
        let seen = format!(
            "{LANG} [{}] method={} path={} values={values} last={} protocol={} headers={}",
            self.life.config(),
            shown(ctx.get_header(":method")),
            shown(ctx.get_header(":path")),
            shown(last),
            shown(ctx.get_attribute_string(Attribute::RequestProtocol)),
            ctx.get_headers_count(),
        );
        let path = ctx.get_header("x-dmconform-path").map(|path| path.as_slice().to_vec());
        ctx.set_header("x-dmconform-early", seen.as_bytes());
        ctx.add_header("x-dmconform-in", b"added");
        ctx.remove_header("x-dmconform-removed");
        if let Some(path) = path {
            ctx.set_header(":path", &path);
        }
        ctx.get_header("x-dmconform-last").is_none()
    }
}

/// A value without spaces; `-` where there is none.
fn shown(value: Option<EnvoyBuffer>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.as_slice().escape_ascii().to_string().replace(' ', "\\x20"))
}

/// The configuration of `panic`.
struct Panics {
    plan: Plan,
    _life: Life,
}

impl EarlyHeaderMutationConfig for Panics {
    fn mutate(&self, ctx: &mut EarlyHeaderMutationContext) -> bool {
        if ctx.get_header("x-dmconform-panic").is_some() {
            self.plan.panic_in("mutate");
        }
        true
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.plan.panic_in("config_destroy");
        }
    }
}

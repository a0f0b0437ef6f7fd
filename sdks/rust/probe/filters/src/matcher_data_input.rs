//! The inputs of matchers `values`, `panic` and `refuse`.

use crate::life::Life;
use crate::panics::Panics;
use envoy_proxy_dynamic_modules_rust_sdk::matcher_data_input::{DataInputContext, MatcherDataInput};

const HOOKS: [&str; 3] = ["none", "get", "destroy"];

envoy_proxy_dynamic_modules_rust_sdk::declare_matcher_data_input!(Input);

/// A configuration of any of them.
pub enum Input {
    /// Gives what follows this text, a colon and a space in the request's header.
    Values(Vec<u8>, Life),
    Panic(Panics),
}

impl MatcherDataInput for Input {
    fn new(name: &str, config: &[u8]) -> Result<Self, String> {
        match name {
            "values" => Ok(Self::Values(config.to_vec(), Life::begin("matcher_data_input", "configuration", config))),
            "panic" => Panics::parse(config, &HOOKS).map(Self::Panic).ok_or_else(|| "no hook".to_owned()),
            _ => Err("refused".to_owned()), // `refuse`, and what no one knows
        }
    }

    fn get(&self, ctx: &DataInputContext) -> Option<Vec<u8>> {
        match self {
            Self::Values(text, life) => {
                life.used();
                Some(value(ctx)?.strip_prefix(&text[..])?.strip_prefix(b": ")?.to_vec())
            }
            Self::Panic(panics) => {
                panics.panic_in("get", ctx.get_request_header("x-dmconform-panic").is_some());
                None
            }
        }
    }
}

/// What is in the request's header; where it asks what there is of the response, only if there is nothing of that yet.
fn value(ctx: &DataInputContext) -> Option<&[u8]> {
    let asks = ctx.get_request_header("x-dmconform-ask") == Some(b"response");
    let responds =
        [ctx.get_response_header(":status"), ctx.get_response_trailer("x-dmconform-in")].iter().any(Option::is_some);
    if asks && responds {
        return None;
    }
    ctx.get_request_header("x-dmconform-in")
}

//! The matchers `header`, `panic` and `refuse`.

use crate::life::Life;
use crate::panics::Panics;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_http_header_type as HeaderType;
use envoy_proxy_dynamic_modules_rust_sdk::matcher::{MatchContext, MatcherConfig};

const HOOKS: [&str; 3] = ["none", "match", "destroy"];

// A module has one type of matchers in all versions.
envoy_proxy_dynamic_modules_rust_sdk::declare_matcher!(Matcher);

/// A configuration of any of them.
pub enum Matcher {
    /// Holds where the request's header has the answer to what is asked, which is this text unless something else is.
    Header(Vec<u8>, Life),
    Panic(Panics),
}

impl MatcherConfig for Matcher {
    fn new(name: &str, config: &[u8]) -> Result<Self, String> {
        match name {
            "header" => Ok(Self::Header(config.to_vec(), Life::begin("matcher", "configuration", config))),
            "panic" => Panics::parse(config, &HOOKS).map(Self::Panic).ok_or_else(|| "no hook".to_owned()),
            _ => Err("refused".to_owned()), // `refuse`, and what no one knows
        }
    }

    fn on_matcher_match(&self, ctx: &MatchContext) -> bool {
        match self {
            Self::Header(text, life) => {
                life.used();
                ctx.get_request_header("x-dmconform-in").is_some_and(|value| value == answer(ctx, text))
            }
            Self::Panic(panics) => {
                panics.panic_in("match", ctx.get_request_header("x-dmconform-panic").is_some());
                false
            }
        }
    }
}

/// The answer to what the request asks.
fn answer(ctx: &MatchContext, text: &[u8]) -> Vec<u8> {
    match ctx.get_request_header("x-dmconform-ask") {
        Some(b"headers") => ctx.get_headers_size(HeaderType::RequestHeader).to_string().into_bytes(),
        Some(b"many") => many(ctx),
        Some(b"response") => {
            let value = ctx.get_response_header("x-dmconform-in").map_or("-".into(), String::from_utf8_lossy);
            let all = ctx.get_all_headers(HeaderType::ResponseHeader).map_or(0, |headers| headers.len());
            format!("{value} {all} {}", ctx.get_headers_size(HeaderType::ResponseHeader)).into_bytes()
        }
        _ => text.to_vec(),
    }
}

/// The values of a header that the request has several times.
fn many(ctx: &MatchContext) -> Vec<u8> {
    let all = ctx.get_all_headers(HeaderType::RequestHeader).unwrap_or_default();
    let values: Vec<_> = all.iter().filter(|(key, _)| *key == b"x-dmconform-many").map(|(_, value)| *value).collect();
    values.join(&b","[..])
}

//! The route specifiers `changes`, `panic` and `refuse`.

use crate::life::Life;
use crate::panics::Panics;
use crate::selection::{number, seen, shown};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::route_specifier::{
    EnvoyRouteSpecifierConfig, HeaderAppendAction, OnRouteStatus, RouteDecision, RouteKind, RouteSpecifierConfig,
    RouteSpecifierContext,
};
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyCounterId;
use std::sync::Arc;
use std::time::Duration;

const HOOKS: [&str; 4] = ["none", "route", "route_destroy", "destroy"];
const REPLACED: HeaderAppendAction = HeaderAppendAction::OverwriteIfExistsOrAdd;

pub fn new_config(
    name: &str,
    config: &[u8],
    envoy: Arc<dyn EnvoyRouteSpecifierConfig>,
) -> Option<Box<dyn RouteSpecifierConfig>> {
    match name {
        "changes" => Some(Box::new(Changes {
            text: format!("{LANG} {}", String::from_utf8_lossy(config)),
            routed: envoy.define_counter("dmconform_routed").ok()?,
            envoy,
            life: Life::begin("route_specifier", "configuration", config),
        })),
        "panic" => Some(Box::new(Panics::parse(config, &HOOKS)?)),
        _ => None, // `refuse`, and what no one knows
    }
}

/// Changes routes as the request asks for it.
struct Changes {
    /// What it is, and its configuration.
    text: String,
    routed: EnvoyCounterId,
    envoy: Arc<dyn EnvoyRouteSpecifierConfig>,
    life: Life,
}

impl RouteSpecifierConfig for Changes {
    fn on_route(&self, ctx: &mut RouteSpecifierContext) -> OnRouteStatus {
        self.life.used();
        let _ = self.envoy.increment_counter(self.routed, 1);
        let asked = shown(ctx.get_request_header("x-dmconform-ask"));
        let kind = ctx.input_route_kind();
        if asked == "skip" || asked == "skip answers" && kind == RouteKind::DirectResponse {
            return OnRouteStatus::StopIterationAndSkipRoute;
        }
        self.say(ctx);
        let decision = match asked.as_str() {
            "none" => RouteDecision::NoRoute,
            "error" => RouteDecision::Error,
            "previous" => RouteDecision::ReusePrevious,
            "pass" => RouteDecision::PassThrough,
            // Nothing can be changed in a route that answers by itself.
            _ if kind != RouteKind::RouteEntry => RouteDecision::PassThrough,
            _ => {
                self.change(ctx, &asked);
                RouteDecision::Unspecified
            }
        };
        ctx.set_decision(decision);
        match asked.as_str() {
            "stop" => OnRouteStatus::StopIteration,
            _ => OnRouteStatus::Continue,
        }
    }

    fn on_route_destroy(&self, user_data: u64) {
        // SAFETY: `change` has put the address of a box there; Envoy calls once for each route.
        drop(unsafe { Box::from_raw(user_data as *mut Life) });
    }
}

impl Changes {
    /// Says in response headers what it is, and what it sees.
    fn say(&self, ctx: &mut RouteSpecifierContext) {
        let seen = format!(
            "{} kind={:?} host={} cluster={} timeout={} status={} metadata={}",
            seen!(ctx),
            ctx.input_route_kind(),
            shown(ctx.input_route_virtual_host_name()),
            shown(ctx.input_route_cluster_name()),
            ctx.input_route_timeout().map_or(0, |timeout| timeout.as_millis()),
            ctx.input_route_response_code().unwrap_or(0),
            shown(ctx.input_route_metadata_string("dmconform", "text")),
        );
        ctx.add_response_header("x-dmconform-seen", &seen, REPLACED);
        ctx.add_response_header("x-dmconform-response", &self.text, REPLACED);
    }

    /// Gives the route a life, whose address is its number, and changes it as it is asked to.
    fn change(&self, ctx: &mut RouteSpecifierContext, asked: &str) {
        ctx.set_route_user_data(Box::into_raw(Box::new(self.life.part("route"))) as u64);
        if asked == "change" {
            ctx.set_path("/changed");
            ctx.set_host("changed.example");
            ctx.set_timeout(Duration::from_millis(1234));
            ctx.set_route_name("changed");
            ctx.set_route_metadata_string("dmconform", "text", &self.text);
            ctx.add_request_header("x-dmconform-request", &self.text, REPLACED);
            ctx.add_request_header("x-dmconform-in", "second", HeaderAppendAction::AppendIfExistsOrAdd);
            ctx.remove_request_header("x-dmconform-many");
            ctx.remove_response_header("x-dmconform-out");
        }
        if let Some(cluster) = ctx.get_request_header("x-dmconform-cluster").map(|name| shown(Some(name))) {
            ctx.set_cluster_name(&cluster);
        }
        if let Some(code) = number(ctx.get_request_header("x-dmconform-code")) {
            ctx.set_cluster_not_found_response_code(code);
        }
    }
}

impl RouteSpecifierConfig for Panics {
    fn on_route(&self, ctx: &mut RouteSpecifierContext) -> OnRouteStatus {
        let asked = ctx.get_request_header("x-dmconform-panic").is_some();
        self.panic_in("route", asked);
        if asked && self.is("route_destroy") {
            ctx.set_route_user_data(1);
        }
        OnRouteStatus::Continue
    }

    fn on_route_destroy(&self, _user_data: u64) {
        self.panic_in("route_destroy", true);
    }
}

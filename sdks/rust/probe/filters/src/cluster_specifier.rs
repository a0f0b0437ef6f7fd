//! The cluster specifiers `named`, `panic` and `refuse`.

use crate::life::Life;
use crate::panics::Panics;
use crate::selection::{number, seen, shown};
use envoy_proxy_dynamic_modules_rust_sdk::cluster_specifier::{
    ClusterSpecifierConfig, ClusterSpecifierContext, EnvoyClusterSpecifierMetrics,
};
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyCounterId;
use std::sync::Arc;
use std::time::Duration;

const HOOKS: [&str; 3] = ["none", "select", "destroy"];
const NAMESPACE: &str = "dmconform";

pub fn new_config(
    name: &str,
    config: &[u8],
    metrics: Arc<dyn EnvoyClusterSpecifierMetrics>,
) -> Option<Box<dyn ClusterSpecifierConfig>> {
    match name {
        "named" => Some(Box::new(Named {
            text: String::from_utf8_lossy(config).into_owned(),
            selected: metrics.define_counter("dmconform_selected").ok()?,
            metrics,
            life: Life::begin("cluster_specifier", "configuration", config),
        })),
        "panic" => Some(Box::new(Panics::parse(config, &HOOKS)?)),
        _ => None, // `refuse`, and what no one knows
    }
}

/// Names the cluster that the request asks for.
struct Named {
    text: String,
    selected: EnvoyCounterId,
    metrics: Arc<dyn EnvoyClusterSpecifierMetrics>,
    life: Life,
}

impl ClusterSpecifierConfig for Named {
    fn on_select(&self, ctx: &mut ClusterSpecifierContext) -> bool {
        self.life.used();
        let _ = self.metrics.increment_counter(self.selected, 1);

        let cluster = ctx.get_request_header("x-dmconform-cluster").map(|name| shown(Some(name)));
        match cluster.as_deref() {
            None => ctx.set_cluster_name("upstream"),
            Some("-") => (),
            Some(name) => ctx.set_cluster_name(name),
        }
        let code = number(ctx.get_request_header("x-dmconform-code"));
        let taken = code.map_or("-".to_owned(), |code| ctx.set_cluster_not_found_response_code(code).to_string());
        if let Some(timeout) = number(ctx.get_request_header("x-dmconform-timeout")) {
            ctx.set_timeout(Duration::from_millis(timeout.into()));
        }
        let seen = format!("{} route={} code={taken}", seen!(ctx), shown(ctx.route_name()));
        ctx.set_route_metadata_string(NAMESPACE, "text", &self.text);
        ctx.set_route_metadata_string(NAMESPACE, "seen", &seen);
        ctx.set_route_metadata_number(NAMESPACE, "number", 7.0);
        ctx.set_route_metadata_bool(NAMESPACE, "yes", true);

        let asked = ctx.get_request_header("x-dmconform-ask");
        asked.is_none_or(|asked| asked.as_slice() != b"undecided")
    }
}

impl ClusterSpecifierConfig for Panics {
    fn on_select(&self, ctx: &mut ClusterSpecifierContext) -> bool {
        self.panic_in("select", ctx.get_request_header("x-dmconform-panic").is_some());
        ctx.set_cluster_name("upstream");
        true
    }
}

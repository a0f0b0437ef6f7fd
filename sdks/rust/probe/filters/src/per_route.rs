//! `per_route`: says in response headers which configurations the filter and the route have.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_response_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::any::Any;
use std::sync::Arc;

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(PerRoute { text: config.into() }))
}

/// The configuration of a route.
struct Route {
    text: String,
}

pub fn route_config(config: &str) -> Option<Box<dyn Any>> {
    match config {
        "refuse" => None,
        "panic" => panic!("dmconform panic in per_route_configuration"),
        text => Some(Box::new(Route { text: text.to_owned() })),
    }
}

#[derive(Clone)]
struct PerRoute {
    text: Arc<str>,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for PerRoute {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(self.clone()))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for PerRoute {
    fn on_response_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        let config = envoy.get_most_specific_route_config();
        let route = config.as_ref().and_then(|config| config.downcast_ref::<Route>());
        envoy.set_response_header("x-dmconform-config", self.text.as_bytes());
        envoy.set_response_header("x-dmconform-route", route.map_or("none", |route| &route.text).as_bytes());
        HeadersStatus::Continue
    }
}

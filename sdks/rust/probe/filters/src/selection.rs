//! What specifiers of clusters and of routes see of a request.

use envoy_proxy_dynamic_modules_rust_sdk::{ClusterHostCount, EnvoyBuffer};

/// What the context of either shows of the request, as `NAME=VALUE …`.
macro_rules! seen {
    ($ctx:expr) => {{
        use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_attribute_id as Attribute;
        let all = $ctx.get_all_request_headers();
        let values: Vec<_> = all
            .iter()
            .filter(|(key, _)| key.as_slice() == b"x-dmconform-many")
            .map(|(_, value)| String::from_utf8_lossy(value.as_slice()))
            .collect();
        let (second, total) = $ctx
            .get_request_header_value("x-dmconform-many", 1)
            .map_or((None, 0), |(value, total)| (Some(value), total));
        format!(
            "protocol={} many={} second={} of={total} all={} hosts={} absent={}",
            $crate::selection::shown($ctx.get_attribute_string(Attribute::RequestProtocol)),
            values.join(","),
            $crate::selection::shown(second),
            all.len() == $ctx.get_request_headers_count(),
            $crate::selection::counted($ctx.get_cluster_host_count("upstream", 0)),
            $crate::selection::counted($ctx.get_cluster_host_count("absent", 0)),
        )
    }};
}
pub(crate) use seen;

/// Text, or `-` where there is none.
pub fn shown(value: Option<EnvoyBuffer>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| String::from_utf8_lossy(value.as_slice()).into_owned())
}

/// A number that a header of the request has.
pub fn number(value: Option<EnvoyBuffer>) -> Option<u32> {
    std::str::from_utf8(value?.as_slice()).ok()?.parse().ok()
}

/// The hosts of a cluster: all, healthy, degraded.
pub fn counted(hosts: Option<ClusterHostCount>) -> String {
    hosts.map_or_else(|| "-".to_owned(), |hosts| format!("{}/{}/{}", hosts.total, hosts.healthy, hosts.degraded))
}

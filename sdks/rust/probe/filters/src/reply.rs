//! What 1.37 takes as a `Vec`, and the releases since as a slice.

use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_http_callout_init_result as Started;
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyHttpFilter;

/// How long a callout may take.
const CALLOUT_TIMEOUT_MS: u64 = 5000;

/// Answers the request.
pub fn reply<EHF: EnvoyHttpFilter>(envoy: &mut EHF, status: u32, headers: &[(&str, &[u8])], body: &[u8]) {
    #[cfg(feature = "sdk-1-37")]
    let headers = headers.to_vec();
    envoy.send_response(status, headers, Some(body), None);
}

/// Sends `GET` to a cluster; says whether that has started.
pub fn call_out<EHF: EnvoyHttpFilter>(envoy: &mut EHF, cluster: &str, path: &str) -> bool {
    let headers: [(&str, &[u8]); 3] = [(":method", b"GET"), (":path", path.as_bytes()), ("host", b"dmconform")];
    #[cfg(feature = "sdk-1-37")]
    let headers = headers.to_vec();
    #[cfg(not(feature = "sdk-1-37"))]
    let headers = &headers;
    envoy.send_http_callout(cluster, headers, None, CALLOUT_TIMEOUT_MS).0 == Started::Success
}

//! The body of a request or a response as a whole: what was held back, and the piece that has just come.

use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, EnvoyMutBuffer};

/// The SDK's functions for the body of one direction.
pub trait Body {
    fn received<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> Option<Vec<EnvoyMutBuffer<'_>>>;
    fn buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> Option<Vec<EnvoyMutBuffer<'_>>>;
    fn drain_received<EHF: EnvoyHttpFilter>(envoy: &mut EHF, bytes: usize) -> bool;
    fn drain_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF, bytes: usize) -> bool;
    fn append_received<EHF: EnvoyHttpFilter>(envoy: &mut EHF, data: &[u8]) -> bool;
    fn append_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF, data: &[u8]) -> bool;
    #[cfg(not(feature = "sdk-1-37"))]
    fn received_is_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> bool;

    /// Whether the received piece is what was held back, by a filter before this one: it must not count twice.
    ///
    /// 1.37 does not tell; there it shows in that both are the same memory.
    #[cfg(feature = "sdk-1-37")]
    fn received_is_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> bool {
        let received = start(Self::received(envoy));
        received.is_some() && received == start(Self::buffered(envoy))
    }

    /// Replaces the whole body by `prefix`, the body and `]`, when its last piece has come. An empty one stays.
    fn bracket_at_end<EHF: EnvoyHttpFilter>(envoy: &mut EHF, prefix: &str) {
        let held = if Self::received_is_buffered(envoy) { Vec::new() } else { copy(Self::buffered(envoy)) };
        let received = copy(Self::received(envoy));
        if held.is_empty() && received.is_empty() {
            return;
        }
        let new = bracketed(prefix, &held, &received);
        Self::drain_buffered(envoy, held.len());
        Self::drain_received(envoy, received.len());
        Self::append_received(envoy, &new);
    }

    /// The same at trailers, when all of the body was held back.
    fn bracket_at_trailers<EHF: EnvoyHttpFilter>(envoy: &mut EHF, prefix: &str) {
        let held = copy(Self::buffered(envoy));
        if held.is_empty() {
            return;
        }
        let new = bracketed(prefix, &held, &[]);
        Self::drain_buffered(envoy, held.len());
        Self::append_buffered(envoy, &new);
    }
}

fn bracketed(prefix: &str, held: &[u8], received: &[u8]) -> Vec<u8> {
    [prefix.as_bytes(), held, received, b"]"].concat()
}

fn copy(chunks: Option<Vec<EnvoyMutBuffer>>) -> Vec<u8> {
    chunks.iter().flatten().flat_map(|chunk| chunk.as_slice().iter().copied()).collect()
}

#[cfg(feature = "sdk-1-37")]
fn start(chunks: Option<Vec<EnvoyMutBuffer>>) -> Option<*const u8> {
    chunks?.first().map(|chunk| chunk.as_slice().as_ptr())
}

pub struct Request;
pub struct Response;

macro_rules! body {
    ($direction:ident: $received:ident $buffered:ident $drain_received:ident $drain_buffered:ident $append_received:ident
        $append_buffered:ident $received_buffered:ident) => {
        impl Body for $direction {
            fn received<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> Option<Vec<EnvoyMutBuffer<'_>>> {
                envoy.$received()
            }

            fn buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> Option<Vec<EnvoyMutBuffer<'_>>> {
                envoy.$buffered()
            }

            fn drain_received<EHF: EnvoyHttpFilter>(envoy: &mut EHF, bytes: usize) -> bool {
                envoy.$drain_received(bytes)
            }

            fn drain_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF, bytes: usize) -> bool {
                envoy.$drain_buffered(bytes)
            }

            fn append_received<EHF: EnvoyHttpFilter>(envoy: &mut EHF, data: &[u8]) -> bool {
                envoy.$append_received(data)
            }

            fn append_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF, data: &[u8]) -> bool {
                envoy.$append_buffered(data)
            }

            #[cfg(not(feature = "sdk-1-37"))]
            fn received_is_buffered<EHF: EnvoyHttpFilter>(envoy: &mut EHF) -> bool {
                envoy.$received_buffered()
            }
        }
    };
}

body!(Request: get_received_request_body get_buffered_request_body drain_received_request_body
    drain_buffered_request_body append_received_request_body append_buffered_request_body
    received_buffered_request_body);
body!(Response: get_received_response_body get_buffered_response_body drain_received_response_body
    drain_buffered_response_body append_received_response_body append_buffered_response_body
    received_buffered_response_body);

//! TLS handshakers: what is asked at each step of a handshake.

mod handshaker;
mod hooks;

pub use crate::abi::envoy_dynamic_module_type_tls_handshaker_capabilities as TlsHandshakerCapabilities;
pub use handshaker::{
    HandshakeResult, NewTlsHandshakerConfigFunction, TlsHandshaker, TlsHandshakerConfig,
    NEW_TLS_HANDSHAKER_CONFIG_FUNCTION,
};

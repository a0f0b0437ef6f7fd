//! What a module implements of a TLS handshaker.

use super::TlsHandshakerCapabilities;
use std::ffi::c_void;
use std::sync::OnceLock;

/// What is to become of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeResult {
    /// Envoy makes this step.
    RunDefault,
    /// The connection is closed.
    Failed,
}

/// The configuration of handshakers. Used by all threads.
pub trait TlsHandshakerConfig: Send + Sync {
    /// Called once for each context of BoringSSL, while it is configured; `false` is logged.
    fn configure_ssl_context(&self, ssl_ctx: *mut c_void) -> bool;
    /// Makes the handshaker of one connection, with its `SSL` of BoringSSL.
    fn new_handshaker(&self, ssl: *mut c_void) -> Box<dyn TlsHandshaker>;
}

/// The handshaker of one connection; called on one thread.
pub trait TlsHandshaker {
    /// The handshake is to go a step on.
    fn handshake(&mut self) -> HandshakeResult;
}

/// Called for each handshaker with its name, its configuration, and what Envoy takes it to do by itself, which it may change;
/// `None` refuses it.
pub type NewTlsHandshakerConfigFunction =
    fn(name: &str, config: &[u8], capabilities: &mut TlsHandshakerCapabilities) -> Option<Box<dyn TlsHandshakerConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_TLS_HANDSHAKER_CONFIG_FUNCTION: OnceLock<NewTlsHandshakerConfigFunction> = OnceLock::new();

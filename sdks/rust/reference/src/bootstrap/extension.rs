//! What a module implements of a bootstrap extension.

use super::{EnvoyBootstrapExtension, EnvoyBootstrapExtensionConfig};
use std::sync::OnceLock;

/// The configuration of an extension.
pub trait BootstrapExtensionConfig: Send + Sync {
    /// Makes the extension.
    fn new_bootstrap_extension(
        &self,
        envoy_extension: &mut dyn EnvoyBootstrapExtension,
    ) -> Box<dyn BootstrapExtension>;
}

/// An extension of the process.
pub trait BootstrapExtension: Send + Sync {
    /// Called on the main thread when Envoy is set up.
    fn on_server_initialized(&mut self, _envoy_extension: &mut dyn EnvoyBootstrapExtension) {}
}

/// Called for each extension with its name and its configuration; `None` refuses it.
pub type NewBootstrapExtensionConfigFunction =
    fn(&mut dyn EnvoyBootstrapExtensionConfig, &str, &[u8]) -> Option<Box<dyn BootstrapExtensionConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION: OnceLock<NewBootstrapExtensionConfigFunction> = OnceLock::new();

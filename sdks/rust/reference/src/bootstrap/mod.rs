//! Bootstrap extensions: modules that live as long as the process.

mod config;
mod envoy;
mod extension;
mod hooks;

pub use config::EnvoyBootstrapExtensionConfig;
pub use envoy::EnvoyBootstrapExtension;
pub use extension::{
    BootstrapExtension, BootstrapExtensionConfig, CompletionCallback, EnvoyBootstrapExtensionConfigScheduler,
    EnvoyBootstrapExtensionTimer, NewBootstrapExtensionConfigFunction, NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION,
};

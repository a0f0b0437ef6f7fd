//! Bootstrap extensions: modules that live as long as the process.

mod envoy;
mod extension;
mod hooks;

pub use envoy::{EnvoyBootstrapExtension, EnvoyBootstrapExtensionConfig};
pub use extension::{
    BootstrapExtension, BootstrapExtensionConfig, NewBootstrapExtensionConfigFunction,
    NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION,
};

//! Bootstrap extensions: modules that live as long as the process.

mod config;
mod envoy;
mod extension;
mod hooks;

pub use config::{EnvoyBootstrapExtensionConfig, FILE_WATCHER_EVENT_MODIFIED, FILE_WATCHER_EVENT_MOVED_TO};
pub use envoy::EnvoyBootstrapExtension;
pub use extension::{
    BootstrapExtension, BootstrapExtensionConfig, CompletionCallback, EnvoyBootstrapExtensionConfigScheduler,
    EnvoyBootstrapExtensionTimer, NewBootstrapExtensionConfigFunction, NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION,
};

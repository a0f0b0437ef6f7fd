//! Validators of discovered configuration. No official SDK that can be had has them yet: the names are this SDK's.

mod hooks;
mod update;
mod validator;

pub use update::{DiscoveredResource, EnvoyConfigValidator};
pub use validator::{ConfigValidator, NewConfigValidatorFunction, NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION};

//! What a module implements of a validator.

use super::{DiscoveredResource, EnvoyConfigValidator};
use crate::buffer::EnvoyBuffer;
use std::sync::OnceLock;

/// A validator, one for each configuration. Called on the main thread; an error is the text with which the update is rejected.
pub trait ConfigValidator: Send + Sync {
    /// Called for an update that brings all resources of a type.
    fn validate(
        &self,
        envoy: &EnvoyConfigValidator,
        type_url: &str,
        resources: &[DiscoveredResource<'_>],
    ) -> Result<(), String>;

    /// Called for an update that brings what has changed.
    fn validate_delta(
        &self,
        envoy: &EnvoyConfigValidator,
        type_url: &str,
        added: &[DiscoveredResource<'_>],
        removed: &[EnvoyBuffer<'_>],
    ) -> Result<(), String>;
}

/// Called for each validator with its name and its configuration; `None` refuses it.
pub type NewConfigValidatorFunction = fn(name: &str, config: &[u8]) -> Option<Box<dyn ConfigValidator>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION: OnceLock<NewConfigValidatorFunction> = OnceLock::new();

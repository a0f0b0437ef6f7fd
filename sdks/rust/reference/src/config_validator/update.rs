//! What a validator is given of an update.

use crate::abi::{
    self, envoy_dynamic_module_type_config_validator_resource as RawResource,
    envoy_dynamic_module_type_envoy_buffer as RawBuffer,
};
use crate::buffer::{module_buffer, pieces, EnvoyBuffer};
use std::time::Duration;

type EnvoyPtr = abi::envoy_dynamic_module_type_config_validator_context_envoy_ptr;

/// Envoy's side of an update; exists only while a callback runs.
pub struct EnvoyConfigValidator {
    raw: EnvoyPtr,
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive.
impl EnvoyConfigValidator {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn of(raw: EnvoyPtr) -> Self {
        Self { raw }
    }

    /// How many clusters Envoy has that have come by discovery.
    pub fn get_dynamic_cluster_count(&self) -> u64 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_config_validator_get_dynamic_cluster_count(self.raw) }
    }

    /// Says why the update is rejected.
    pub(super) fn set_rejection_message(&self, message: &str) {
        // SAFETY: see above; the text outlives the call.
        unsafe {
            abi::envoy_dynamic_module_callback_config_validator_set_rejection_message(
                self.raw,
                module_buffer(message.as_bytes()),
            );
        }
    }
}

/// A resource of an update.
pub struct DiscoveredResource<'a> {
    /// What it is called.
    pub name: EnvoyBuffer<'a>,
    /// Its version.
    pub version: EnvoyBuffer<'a>,
    /// What else it is called.
    pub aliases: Vec<EnvoyBuffer<'a>>,
    /// How long it holds, where that is limited.
    pub ttl: Option<Duration>,
    /// The resource, as it was sent; without one it is as it was.
    pub resource: Option<EnvoyBuffer<'a>>,
}

impl DiscoveredResource<'_> {
    /// # Safety
    /// What `raw` points at lives as long as the value.
    pub(super) unsafe fn of(raw: &RawResource) -> Self {
        let text = |raw: RawBuffer| {
            // SAFETY: the caller's promise.
            unsafe { EnvoyBuffer::from_raw(raw) }
        };
        Self {
            name: text(raw.name),
            version: text(raw.version),
            // SAFETY: the caller's promise.
            aliases: unsafe { pieces(raw.aliases, raw.aliases_count) }.unwrap_or_default(),
            ttl: raw.has_ttl.then(|| Duration::from_millis(raw.ttl_milliseconds)),
            resource: raw.has_resource.then(|| text(raw.serialized_resource)),
        }
    }
}

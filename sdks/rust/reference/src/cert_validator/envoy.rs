//! Envoy's side of a certificate validator.

use crate::abi;
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};

/// Envoy's side of a validator; exists only while a chain is judged.
pub struct EnvoyCertValidator(pub(super) abi::envoy_dynamic_module_type_cert_validator_config_envoy_ptr);

// SAFETY of every call below: what Envoy passed to the callback that is running, so it is alive; names and values outlive the call.
impl EnvoyCertValidator {
    /// Puts text into the filter state of the connection; whether that could be.
    pub fn set_filter_state(&self, key: &[u8], value: &[u8]) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cert_validator_set_filter_state(
                self.0,
                module_buffer(key),
                module_buffer(value),
            )
        }
    }

    /// Text in the filter state of the connection.
    pub fn get_filter_state<'a>(&'a self, key: &[u8]) -> Option<EnvoyBuffer<'a>> {
        let mut raw = NO_BYTES;
        // SAFETY: see above; what Envoy shows stays as long as the callback runs.
        unsafe {
            abi::envoy_dynamic_module_callback_cert_validator_get_filter_state(self.0, module_buffer(key), &mut raw)
                .then(|| EnvoyBuffer::from_raw(raw))
                .filter(|value| !value.as_slice().is_empty())
        }
    }

    /// Hands over why a chain is turned down; Envoy copies it.
    pub(super) fn set_error_details(&self, details: &str) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cert_validator_set_error_details(
                self.0,
                module_buffer(details.as_bytes()),
            );
        }
    }
}

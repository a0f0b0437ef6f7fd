//! Certificate validators: what judges the certificates that a peer shows in a TLS handshake.

mod envoy;
mod hooks;
mod validator;

pub use envoy::EnvoyCertValidator;
pub use validator::{
    CertValidatorConfig, ClientValidationStatus, NewCertValidatorConfigFunction, ValidationResult, ValidationStatus,
    NEW_CERT_VALIDATOR_CONFIG_FUNCTION,
};

//! What a module implements of a certificate validator.

use super::EnvoyCertValidator;
use std::sync::OnceLock;

/// Whether a chain is taken.
pub enum ValidationStatus {
    Successful,
    Failed,
}

/// The same in the words that Envoy has for certificates of clients.
pub enum ClientValidationStatus {
    NotValidated,
    NoClientCertificate,
    Validated,
    Failed,
}

/// What came of a chain.
pub struct ValidationResult {
    pub status: ValidationStatus,
    pub detailed_status: ClientValidationStatus,
    /// The alert of TLS that the peer gets; Envoy chooses one where there is none.
    pub tls_alert: Option<u8>,
    /// Why it is turned down.
    pub error_details: Option<String>,
}

impl ValidationResult {
    /// The chain is taken.
    pub fn successful() -> Self {
        Self {
            status: ValidationStatus::Successful,
            detailed_status: ClientValidationStatus::Validated,
            tls_alert: None,
            error_details: None,
        }
    }

    /// The chain is turned down.
    pub fn failed(
        detailed_status: ClientValidationStatus,
        tls_alert: Option<u8>,
        error_details: Option<String>,
    ) -> Self {
        Self { status: ValidationStatus::Failed, detailed_status, tls_alert, error_details }
    }
}

/// A validator: its configuration, which all threads use.
pub trait CertValidatorConfig: Send + Sync {
    /// Judges a chain.
    ///
    /// `certs` are in DER, the peer's first; `host_name` is the name that a client asks for; `is_server` tells whether they are a
    /// client's.
    fn do_verify_cert_chain(
        &self,
        envoy_cert_validator: &EnvoyCertValidator,
        certs: &[&[u8]],
        host_name: &str,
        is_server: bool,
    ) -> ValidationResult;

    /// `SSL_VERIFY_*` of BoringSSL: whether a certificate is asked for, and must be shown.
    fn get_ssl_verify_mode(&self, handshaker_provides_certificates: bool) -> i32;

    /// What tells this configuration from others: sessions are kept apart by it.
    fn update_digest(&self) -> &[u8];
}

/// Called for each validator with its name and its configuration; `None` refuses it.
pub type NewCertValidatorConfigFunction = fn(name: &str, config: &[u8]) -> Option<Box<dyn CertValidatorConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_CERT_VALIDATOR_CONFIG_FUNCTION: OnceLock<NewCertValidatorConfigFunction> = OnceLock::new();

//! The functions that Envoy looks up and calls for certificate validators. Each calls the module's code guarded: no panic leaves
//! it, and a chain whose judge panics is turned down.

use super::{
    CertValidatorConfig, ClientValidationStatus, EnvoyCertValidator, ValidationResult, ValidationStatus,
    NEW_CERT_VALIDATOR_CONFIG_FUNCTION,
};
use crate::abi::{
    self, envoy_dynamic_module_type_cert_validator_client_validation_status as RawDetailedStatus,
    envoy_dynamic_module_type_cert_validator_validation_result as RawResult,
    envoy_dynamic_module_type_cert_validator_validation_status as RawStatus,
    envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
};
use crate::buffer::{module_buffer, EnvoyBuffer};
use crate::guard;

type EnvoyPtr = abi::envoy_dynamic_module_type_cert_validator_config_envoy_ptr;
type ConfigPtr = abi::envoy_dynamic_module_type_cert_validator_config_module_ptr;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn CertValidatorConfig>;

/// A peer must show a certificate: what holds where the module's answer is not to be had.
const STRICTEST: i32 = 3;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cert_validator_config_new(
    _envoy: EnvoyPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_cert_validator_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_CERT_VALIDATOR_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cert_validator_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// # Safety
/// Called by Envoy with its side of the validator, and what `…_config_new` returned; the rest is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cert_validator_do_verify_cert_chain(
    envoy: EnvoyPtr,
    config: ConfigPtr,
    certs: *mut RawBuffer,
    certs_count: usize,
    host_name: RawBuffer,
    is_server: bool,
) -> RawResult {
    // SAFETY: Envoy's promise, see above; without certificates the pointer may be null.
    let (config, host_name, certs) = unsafe {
        let raw = if certs.is_null() { &[] } else { std::slice::from_raw_parts(certs.cast_const(), certs_count) };
        let certs: Vec<_> = raw.iter().map(|one| EnvoyBuffer::from_raw(*one)).collect();
        (&*config.cast::<Config>(), EnvoyBuffer::from_raw(host_name), certs)
    };
    let envoy = EnvoyCertValidator(envoy);
    let result = guard::run("do_verify_cert_chain", || {
        let certs: Vec<_> = certs.iter().map(EnvoyBuffer::as_slice).collect();
        config.do_verify_cert_chain(&envoy, &certs, &String::from_utf8_lossy(host_name.as_slice()), is_server)
    })
    .unwrap_or_else(|| ValidationResult::failed(ClientValidationStatus::Failed, None, None));
    if let Some(details) = &result.error_details {
        envoy.set_error_details(details);
    }
    raw_result(&result)
}

fn raw_result(result: &ValidationResult) -> RawResult {
    RawResult {
        status: match result.status {
            ValidationStatus::Successful => RawStatus::Successful,
            ValidationStatus::Failed => RawStatus::Failed,
        },
        detailed_status: match result.detailed_status {
            ClientValidationStatus::NotValidated => RawDetailedStatus::NotValidated,
            ClientValidationStatus::NoClientCertificate => RawDetailedStatus::NoClientCertificate,
            ClientValidationStatus::Validated => RawDetailedStatus::Validated,
            ClientValidationStatus::Failed => RawDetailedStatus::Failed,
        },
        tls_alert: result.tls_alert.unwrap_or(0),
        has_tls_alert: result.tls_alert.is_some(),
    }
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cert_validator_get_ssl_verify_mode(
    config: ConfigPtr,
    handshaker_provides_certificates: bool,
) -> std::os::raw::c_int {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("get_ssl_verify_mode", || config.get_ssl_verify_mode(handshaker_provides_certificates))
        .unwrap_or(STRICTEST)
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, and a place for bytes, which stay as long as the configuration.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cert_validator_update_digest(
    config: ConfigPtr,
    out: *mut ModuleBuffer,
) {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    let digest = guard::run("update_digest", || module_buffer(config.update_digest()));
    // SAFETY: Envoy's promise, see above.
    unsafe { out.write(digest.unwrap_or_else(|| module_buffer(&[]))) }
}

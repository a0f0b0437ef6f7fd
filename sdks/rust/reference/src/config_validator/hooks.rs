//! The functions that Envoy looks up and calls for validators. Each calls the module's code guarded: no panic leaves it.

use super::{ConfigValidator, DiscoveredResource, EnvoyConfigValidator, NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION};
use crate::abi::{
    self, envoy_dynamic_module_type_config_validator_resource as RawResource,
    envoy_dynamic_module_type_envoy_buffer as RawBuffer,
};
use crate::buffer::{all_of, pieces, EnvoyBuffer};
use crate::guard;

/// What Envoy holds for a validator. Boxed twice, for a pointer to a `dyn` is not one word.
type Validator = Box<dyn ConfigValidator>;

type EnvoyPtr = abi::envoy_dynamic_module_type_config_validator_context_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_config_validator_config_module_ptr;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_config_validator_config_new(
    _envoy: abi::envoy_dynamic_module_type_config_validator_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Validator> = guard::run("new_config_validator", || {
        let new_config = NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION.get()?;
        new_config(&String::from_utf8_lossy(name.as_slice()), config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |validator| Box::into_raw(Box::new(validator)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_config_validator_config_destroy(validator: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let validator = unsafe { Box::from_raw(validator.cast::<Validator>().cast_mut()) };
    let _ = guard::run("drop of the validator", || drop(validator));
}

/// # Safety
/// Called by Envoy with its side of the update, what `…_config_new` returned, and resources that are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_config_validator_validate(
    envoy: EnvoyPtr,
    validator: ModulePtr,
    type_url: RawBuffer,
    resources: *const RawResource,
    resources_count: usize,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let resources = all(resources, resources_count);
        judged(envoy, validator, type_url, "validate", |validator, envoy, type_url| {
            validator.validate(envoy, type_url, &resources)
        })
    }
}

/// # Safety
/// As for the hook above.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_config_validator_validate_delta(
    envoy: EnvoyPtr,
    validator: ModulePtr,
    type_url: RawBuffer,
    added: *const RawResource,
    added_count: usize,
    removed: *const RawBuffer,
    removed_count: usize,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let (added, removed) = (all(added, added_count), pieces(removed, removed_count).unwrap_or_default());
        judged(envoy, validator, type_url, "validate_delta", |validator, envoy, type_url| {
            validator.validate_delta(envoy, type_url, &added, &removed)
        })
    }
}

/// # Safety
/// `first` is null, or points at `count` resources that live for `'a`.
unsafe fn all<'a>(first: *const RawResource, count: usize) -> Vec<DiscoveredResource<'a>> {
    // SAFETY: the caller's promise.
    unsafe { all_of(first, count).unwrap_or_default().iter().map(|raw| DiscoveredResource::of(raw)).collect() }
}

/// Has a module judge an update; one over which it panics is rejected.
///
/// # Safety
/// `envoy` is Envoy's side of the update, and `validator` what `…_config_new` returned.
unsafe fn judged(
    envoy: EnvoyPtr,
    validator: ModulePtr,
    type_url: RawBuffer,
    name: &str,
    judge: impl FnOnce(&Validator, &EnvoyConfigValidator, &str) -> Result<(), String>,
) -> bool {
    // SAFETY: the caller's promise.
    let (validator, envoy, type_url) =
        unsafe { (&*validator.cast::<Validator>(), EnvoyConfigValidator::of(envoy), EnvoyBuffer::from_raw(type_url)) };
    let type_url = String::from_utf8_lossy(type_url.as_slice());
    let judged = guard::run(name, || judge(validator, &envoy, &type_url));
    match judged.unwrap_or_else(|| Err(format!("{name} panicked"))) {
        Ok(()) => true,
        Err(message) => {
            envoy.set_rejection_message(&message);
            false
        }
    }
}

//! Early header mutations: what changes a request's headers before anything else of Envoy looks at them.

use crate::abi::{
    self, envoy_dynamic_module_type_attribute_id as Attribute, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::guard;
use std::sync::OnceLock;

type ConfigPtr = abi::envoy_dynamic_module_type_early_header_mutation_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_early_header_mutation_context_envoy_ptr;

/// The configuration of a mutation. Used by all threads.
pub trait EarlyHeaderMutationConfig: Send + Sync {
    /// Changes a request; returns whether the mutations after this one see it too.
    fn mutate(&self, ctx: &mut EarlyHeaderMutationContext) -> bool;
}

/// Called for each configuration with the mutation's name and its configuration; `None` refuses it.
pub type NewEarlyHeaderMutationConfigFunction =
    fn(name: &str, config: &[u8]) -> Option<Box<dyn EarlyHeaderMutationConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_EARLY_HEADER_MUTATION_CONFIG_FUNCTION: OnceLock<NewEarlyHeaderMutationConfigFunction> = OnceLock::new();

/// Envoy's side of a request; exists only while a callback runs.
pub struct EarlyHeaderMutationContext(EnvoyPtr);

// SAFETY of every call below: what Envoy passed to the callback that is running, so it is alive, and so is what it shows until a
// header is changed; the arguments outlive the call.
impl EarlyHeaderMutationContext {
    /// How many headers there are.
    pub fn get_headers_count(&self) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_early_header_mutation_get_headers_size(self.0) }
    }

    /// The first value of a header.
    pub fn get_header(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.get_header_value(key, 0).map(|(value, _)| value)
    }

    /// One of the values of a header, and how many there are.
    pub fn get_header_value(&self, key: &str, index: usize) -> Option<(EnvoyBuffer<'_>, usize)> {
        let (key, mut raw, mut count) = (module_buffer(key.as_bytes()), NO_BYTES, 0);
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_early_header_mutation_get_header_value(
                self.0, key, &mut raw, index, &mut count,
            )
            .then(|| (EnvoyBuffer::from_raw(raw), count))
        }
    }

    /// Sets a header; `false` where the key is empty.
    pub fn set_header(&mut self, key: &str, value: &[u8]) -> bool {
        let (key, value) = (module_buffer(key.as_bytes()), module_buffer(value));
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_early_header_mutation_set_header(self.0, key, value) }
    }

    /// Adds a value to those that a header has; `false` where the key is empty.
    pub fn add_header(&mut self, key: &str, value: &[u8]) -> bool {
        let (key, value) = (module_buffer(key.as_bytes()), module_buffer(value));
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_early_header_mutation_add_header(self.0, key, value) }
    }

    /// Removes all values of a header; `false` where the key is empty.
    pub fn remove_header(&mut self, key: &str) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_early_header_mutation_remove_header(
                self.0,
                module_buffer(key.as_bytes()),
            )
        }
    }

    /// An attribute that is text.
    pub fn get_attribute_string(&self, attribute_id: Attribute) -> Option<EnvoyBuffer<'_>> {
        let mut raw = NO_BYTES;
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_early_header_mutation_get_attribute_string(
                self.0,
                attribute_id,
                &mut raw,
            )
            .then(|| EnvoyBuffer::from_raw(raw))
        }
    }
}

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn EarlyHeaderMutationConfig>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_early_header_mutation_config_new(
    _envoy: abi::envoy_dynamic_module_type_early_header_mutation_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_early_header_mutation_config", || {
        let new_config = NEW_EARLY_HEADER_MUTATION_CONFIG_FUNCTION.get()?;
        new_config(&String::from_utf8_lossy(name.as_slice()), config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_early_header_mutation_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns true if that panics: the request goes on as it has become.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of a request.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_early_header_mutation_mutate(
    config: ConfigPtr,
    envoy: EnvoyPtr,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("mutate", || config.mutate(&mut EarlyHeaderMutationContext(envoy))).unwrap_or(true)
}

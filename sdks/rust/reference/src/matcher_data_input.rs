//! What a module gives matchers to look at.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_http_header_type as HeaderType,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::{configured, guard};

type ConfigPtr = abi::envoy_dynamic_module_type_matcher_data_input_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_matcher_data_input_envoy_ptr;

/// Envoy's side of what a value is taken from; exists only while a hook runs.
pub struct DataInputContext {
    envoy: EnvoyPtr,
}

impl DataInputContext {
    /// A header of the request; its first value.
    pub fn get_request_header(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::RequestHeader, key)
    }

    /// A header of the response, where there is one yet; its first value.
    pub fn get_response_header(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::ResponseHeader, key)
    }

    /// A trailer of the response, where there is one yet; its first value.
    pub fn get_response_trailer(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::ResponseTrailer, key)
    }

    fn header(&self, header_type: HeaderType, key: &str) -> Option<&[u8]> {
        let mut raw = NO_BYTES;
        // SAFETY: what Envoy passed to the hook that is running, so it is alive, and so is what it shows, as long as that hook
        // runs; the key outlives the call.
        unsafe {
            abi::envoy_dynamic_module_callback_matcher_data_input_get_header_value(
                self.envoy,
                header_type,
                module_buffer(key.as_bytes()),
                &mut raw,
                0,
                std::ptr::null_mut(),
            )
            .then(|| EnvoyBuffer::from_raw(raw).into_slice())
        }
    }
}

/// The configuration of an input. Used by all threads.
pub trait MatcherDataInput: Sized + Send + Sync + 'static {
    /// Makes it of the input's name and configuration; an error refuses it.
    fn new(name: &str, config: &[u8]) -> Result<Self, String>;

    /// The value that is matched; `None` where there is none, which matches nothing.
    fn get(&self, ctx: &DataInputContext) -> Option<Vec<u8>>;
}

/// What `…_config_new` does.
///
/// # Safety
/// `name` and `config` are valid during the call.
#[doc(hidden)]
pub unsafe fn config_new<C: MatcherDataInput>(name: RawBuffer, config: RawBuffer) -> ConfigPtr {
    // SAFETY: the caller's promise.
    unsafe { configured::new("new_matcher_data_input", name, config, |name, config| C::new(name, config).ok()) }
}

/// What `…_config_destroy` does.
///
/// # Safety
/// `config` is what [`config_new`] returned for this very type, and used no more.
#[doc(hidden)]
pub unsafe fn config_destroy<C: MatcherDataInput>(config: ConfigPtr) {
    // SAFETY: the caller's promise.
    unsafe { configured::destroy::<C>(config) }
}

/// What `…_get` does. After a panic there is no value.
///
/// # Safety
/// `config` is what [`config_new`] returned for this very type; `envoy` is valid during the call.
#[doc(hidden)]
pub unsafe fn get<C: MatcherDataInput>(config: ConfigPtr, envoy: EnvoyPtr) {
    // SAFETY: the caller's promise.
    let config = unsafe { &*config.cast::<C>() };
    if let Some(value) = guard::run("get", || config.get(&DataInputContext { envoy })).flatten() {
        // SAFETY: the caller's promise; Envoy copies the value.
        unsafe { abi::envoy_dynamic_module_callback_matcher_data_input_set_result(envoy, module_buffer(&value)) }
    }
}

/// Makes a type the configuration of a module's inputs of matchers.
#[macro_export]
macro_rules! declare_matcher_data_input {
    ($config:ty) => {
        /// # Safety
        /// Called by Envoy: `name` and `config` are valid during the call.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_matcher_data_input_config_new(
            _envoy: $crate::abi::envoy_dynamic_module_type_matcher_data_input_config_envoy_ptr,
            name: $crate::abi::envoy_dynamic_module_type_envoy_buffer,
            config: $crate::abi::envoy_dynamic_module_type_envoy_buffer,
        ) -> $crate::abi::envoy_dynamic_module_type_matcher_data_input_config_module_ptr {
            // SAFETY: Envoy's promise, see above.
            unsafe { $crate::matcher_data_input::config_new::<$config>(name, config) }
        }

        /// # Safety
        /// Called by Envoy, once, with what `…_config_new` returned.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_matcher_data_input_config_destroy(
            config: $crate::abi::envoy_dynamic_module_type_matcher_data_input_config_module_ptr,
        ) {
            // SAFETY: Envoy's promise, see above.
            unsafe { $crate::matcher_data_input::config_destroy::<$config>(config) }
        }

        /// # Safety
        /// Called by Envoy with what `…_config_new` returned, and its side of what the value is taken from.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_matcher_data_input_get(
            config: $crate::abi::envoy_dynamic_module_type_matcher_data_input_config_module_ptr,
            envoy: $crate::abi::envoy_dynamic_module_type_matcher_data_input_envoy_ptr,
        ) {
            // SAFETY: Envoy's promise, see above.
            unsafe { $crate::matcher_data_input::get::<$config>(config, envoy) }
        }
    };
}

//! Input matchers, which decide by what a request and its response are like.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_http_header_type as HeaderType,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::{configured, guard};

type ConfigPtr = abi::envoy_dynamic_module_type_matcher_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_matcher_input_envoy_ptr;
type RawHeader = abi::envoy_dynamic_module_type_envoy_http_header;

/// Envoy's side of what is matched; exists only while a hook runs.
pub struct MatchContext {
    envoy: EnvoyPtr,
}

// SAFETY of every call below: `envoy` is what Envoy passed to the hook that is running, so it is alive, and so is what it shows,
// as long as that hook runs.
impl MatchContext {
    /// A header of the request; its first value.
    pub fn get_request_header(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::RequestHeader, key)
    }

    /// A header of the response, where there is one yet; its first value.
    pub fn get_response_header(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::ResponseHeader, key)
    }

    /// How many headers, or trailers, there are.
    pub fn get_headers_size(&self, header_type: HeaderType) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_matcher_get_headers_size(self.envoy, header_type) }
    }

    /// All headers, or trailers; `None` where there are none.
    pub fn get_all_headers(&self, header_type: HeaderType) -> Option<Vec<(&[u8], &[u8])>> {
        let size = self.get_headers_size(header_type);
        if size == 0 {
            return None;
        }
        let mut raw = Vec::<RawHeader>::with_capacity(size);
        // SAFETY: see above; there is a place for each header, and Envoy fills all.
        unsafe {
            if !abi::envoy_dynamic_module_callback_matcher_get_headers(self.envoy, header_type, raw.as_mut_ptr()) {
                return None;
            }
            raw.set_len(size);
        }
        let bytes = |ptr, length| {
            // SAFETY: see above.
            unsafe { EnvoyBuffer::from_raw(RawBuffer { ptr, length }) }.into_slice()
        };
        let pair = |one: &RawHeader| (bytes(one.key_ptr, one.key_length), bytes(one.value_ptr, one.value_length));
        Some(raw.iter().map(pair).collect())
    }

    fn header(&self, header_type: HeaderType, key: &str) -> Option<&[u8]> {
        let mut raw = NO_BYTES;
        // SAFETY: see above; the key outlives the call.
        unsafe {
            abi::envoy_dynamic_module_callback_matcher_get_header_value(
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

/// The configuration of a matcher. Used by all threads.
pub trait MatcherConfig: Sized + Send + Sync + 'static {
    /// Makes it of the matcher's name and configuration; an error refuses it.
    fn new(name: &str, config: &[u8]) -> Result<Self, String>;

    /// Whether it holds for a request.
    fn on_matcher_match(&self, ctx: &MatchContext) -> bool;
}

/// What `…_config_new` does.
///
/// # Safety
/// `name` and `config` are valid during the call.
#[doc(hidden)]
pub unsafe fn config_new<C: MatcherConfig>(name: RawBuffer, config: RawBuffer) -> ConfigPtr {
    // SAFETY: the caller's promise.
    unsafe { configured::new("new_matcher_config", name, config, |name, config| C::new(name, config).ok()) }
}

/// What `…_config_destroy` does.
///
/// # Safety
/// `config` is what [`config_new`] returned for this very type, and used no more.
#[doc(hidden)]
pub unsafe fn config_destroy<C: MatcherConfig>(config: ConfigPtr) {
    // SAFETY: the caller's promise.
    unsafe { configured::destroy::<C>(config) }
}

/// What `…_match` does. After a panic the answer is no, and from 1.40 on Envoy learns that it is none.
///
/// # Safety
/// `config` is what [`config_new`] returned for this very type; `envoy` is valid during the call.
#[doc(hidden)]
pub unsafe fn matches<C: MatcherConfig>(config: ConfigPtr, envoy: EnvoyPtr) -> bool {
    // SAFETY: the caller's promise.
    let config = unsafe { &*config.cast::<C>() };
    let answer = guard::run("on_matcher_match", || config.on_matcher_match(&MatchContext { envoy }));
    #[cfg(feature = "sdk-1-40")]
    if answer.is_none() {
        // SAFETY: the caller's promise.
        unsafe { abi::envoy_dynamic_module_callback_matcher_set_error(envoy) }
    }
    answer.unwrap_or(false)
}

/// Makes a type the configuration of a module's matchers.
#[macro_export]
macro_rules! declare_matcher {
    ($config:ty) => {
        /// # Safety
        /// Called by Envoy: `name` and `config` are valid during the call.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_matcher_config_new(
            _envoy: $crate::abi::envoy_dynamic_module_type_matcher_config_envoy_ptr,
            name: $crate::abi::envoy_dynamic_module_type_envoy_buffer,
            config: $crate::abi::envoy_dynamic_module_type_envoy_buffer,
        ) -> $crate::abi::envoy_dynamic_module_type_matcher_config_module_ptr {
            // SAFETY: Envoy's promise, see above.
            unsafe { $crate::matcher::config_new::<$config>(name, config) }
        }

        /// # Safety
        /// Called by Envoy, once, with what `…_config_new` returned.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_matcher_config_destroy(
            config: $crate::abi::envoy_dynamic_module_type_matcher_config_module_ptr,
        ) {
            // SAFETY: Envoy's promise, see above.
            unsafe { $crate::matcher::config_destroy::<$config>(config) }
        }

        /// # Safety
        /// Called by Envoy with what `…_config_new` returned, and its side of what is matched.
        #[no_mangle]
        pub unsafe extern "C" fn envoy_dynamic_module_on_matcher_match(
            config: $crate::abi::envoy_dynamic_module_type_matcher_config_module_ptr,
            envoy: $crate::abi::envoy_dynamic_module_type_matcher_input_envoy_ptr,
        ) -> bool {
            // SAFETY: Envoy's promise, see above.
            unsafe { $crate::matcher::matches::<$config>(config, envoy) }
        }
    };
}

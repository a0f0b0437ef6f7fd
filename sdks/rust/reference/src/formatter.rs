//! Formatters: what makes text of a command such as `%NAME(ARGUMENT)%`.

pub use crate::access_log::AccessLogType;

use crate::abi::{
    self, envoy_dynamic_module_type_attribute_id as Attribute, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_http_header_type as HeaderType, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::guard;
use std::cell::RefCell;
use std::sync::OnceLock;

type ConfigPtr = abi::envoy_dynamic_module_type_formatter_config_module_ptr;
type ProviderPtr = abi::envoy_dynamic_module_type_formatter_provider_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_formatter_context_envoy_ptr;

/// The configuration of a formatter.
pub trait FormatterConfig: Send + Sync {
    /// Makes what stands for a command, which ends after `max_length` bytes; `None` leaves the command to others.
    fn parse(&self, command: &str, command_arg: &str, max_length: Option<usize>) -> Option<Box<dyn FormatterProvider>>;
}

/// What stands for a command. Used by all threads.
pub trait FormatterProvider: Send + Sync {
    /// Returns the text; `None` is Envoy's way to write nothing.
    fn format(&self, ctx: &FormatterContext) -> Option<String>;
}

/// Called for each configuration with the formatter's name and its configuration; `None` refuses it.
pub type NewFormatterConfigFunction = fn(name: &str, config: &[u8]) -> Option<Box<dyn FormatterConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_FORMATTER_CONFIG_FUNCTION: OnceLock<NewFormatterConfigFunction> = OnceLock::new();

/// Envoy's side of what is written; exists only while a callback runs.
pub struct FormatterContext(EnvoyPtr);

// SAFETY of every call below: what Envoy passed to the callback that is running, so it is alive, and so is what it shows; keys
// outlive the call.
impl FormatterContext {
    /// Takes what a callback shows.
    fn shown(&self, show: impl FnOnce(EnvoyPtr, *mut RawBuffer) -> bool) -> Option<EnvoyBuffer<'_>> {
        let mut raw = NO_BYTES;
        // SAFETY: see above.
        show(self.0, &mut raw).then(|| unsafe { EnvoyBuffer::from_raw(raw) })
    }

    /// An attribute that is text.
    pub fn get_attribute_string(&self, attribute_id: Attribute) -> Option<EnvoyBuffer<'_>> {
        self.shown(|envoy, result| {
            // SAFETY: see above.
            unsafe { abi::envoy_dynamic_module_callback_formatter_get_attribute_string(envoy, attribute_id, result) }
        })
    }

    /// An attribute that is a number.
    pub fn get_attribute_int(&self, attribute_id: Attribute) -> Option<u64> {
        let mut result = 0;
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_formatter_get_attribute_int(self.0, attribute_id, &mut result) }
            .then_some(result)
    }

    /// An attribute that holds or not.
    pub fn get_attribute_bool(&self, attribute_id: Attribute) -> Option<bool> {
        let mut result = false;
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_formatter_get_attribute_bool(self.0, attribute_id, &mut result) }
            .then_some(result)
    }

    /// One of the values of a header or trailer.
    pub fn get_header_value(&self, header_type: HeaderType, key: &str, index: usize) -> Option<EnvoyBuffer<'_>> {
        let key = module_buffer(key.as_bytes());
        self.shown(|envoy, result| {
            // SAFETY: see above.
            unsafe {
                abi::envoy_dynamic_module_callback_formatter_get_header_value(
                    envoy,
                    header_type,
                    key,
                    result,
                    index,
                    std::ptr::null_mut(),
                )
            }
        })
    }

    /// A header of the request.
    pub fn get_request_header(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.get_header_value(HeaderType::RequestHeader, key, 0)
    }

    /// A header of the response.
    pub fn get_response_header(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.get_header_value(HeaderType::ResponseHeader, key, 0)
    }

    /// A trailer of the response.
    pub fn get_response_trailer(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.get_header_value(HeaderType::ResponseTrailer, key, 0)
    }

    /// How many headers, or trailers, there are.
    pub fn get_headers_count(&self, header_type: HeaderType) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_formatter_get_headers_size(self.0, header_type) }
    }

    /// A text of the dynamic metadata.
    pub fn get_dynamic_metadata(&self, filter_name: &str, path: &str) -> Option<EnvoyBuffer<'_>> {
        let (namespace, path) = (module_buffer(filter_name.as_bytes()), module_buffer(path.as_bytes()));
        self.shown(|envoy, result| {
            // SAFETY: see above.
            unsafe { abi::envoy_dynamic_module_callback_formatter_get_dynamic_metadata(envoy, namespace, path, result) }
        })
    }

    /// The body of an answer of Envoy's own.
    pub fn local_reply_body(&self) -> Option<EnvoyBuffer<'_>> {
        // SAFETY: see above.
        self.shown(|envoy, result| unsafe {
            abi::envoy_dynamic_module_callback_formatter_get_local_reply_body(envoy, result)
        })
    }

    /// On what occasion something is logged, if that is what the text is for.
    pub fn access_log_type(&self) -> AccessLogType {
        // SAFETY: see above.
        AccessLogType::of(unsafe { abi::envoy_dynamic_module_callback_formatter_get_access_log_type(self.0) })
    }

    /// The status of the response.
    pub fn response_code(&self) -> Option<u32> {
        u32::try_from(self.get_attribute_int(Attribute::ResponseCode)?).ok()
    }

    /// Such as `HTTP/1.1`.
    pub fn protocol(&self) -> Option<EnvoyBuffer<'_>> {
        self.get_attribute_string(Attribute::RequestProtocol)
    }
}

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn FormatterConfig>;

/// What Envoy holds for a command.
type Provider = Box<dyn FormatterProvider>;

thread_local! {
    /// What was written last on this thread: Envoy copies it before the next call.
    static WRITTEN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_formatter_config_new(
    _envoy: abi::envoy_dynamic_module_type_formatter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_formatter_config", || {
        let new_config = NEW_FORMATTER_CONFIG_FUNCTION.get()?;
        new_config(&String::from_utf8_lossy(name.as_slice()), config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_formatter_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if that panics: Envoy then looks whether others know the command.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and texts that are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_formatter_parse(
    config: ConfigPtr,
    command: RawBuffer,
    command_arg: RawBuffer,
    has_max_length: bool,
    max_length: usize,
) -> ProviderPtr {
    // SAFETY: Envoy's promise, see above.
    let (config, command, argument) =
        unsafe { (&*config.cast::<Config>(), EnvoyBuffer::from_raw(command), EnvoyBuffer::from_raw(command_arg)) };
    let made: Option<Provider> = guard::run("parse", || {
        let command = String::from_utf8_lossy(command.as_slice());
        let argument = String::from_utf8_lossy(argument.as_slice());
        config.parse(&command, &argument, has_max_length.then_some(max_length))
    })
    .flatten();
    made.map_or(std::ptr::null(), |provider| Box::into_raw(Box::new(provider)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_parse` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_formatter_provider_destroy(provider: ProviderPtr) {
    // SAFETY: Envoy's promise, see above; `…_parse` made it.
    let provider = unsafe { Box::from_raw(provider.cast::<Provider>().cast_mut()) };
    let _ = guard::run("drop of the provider", || drop(provider));
}

/// # Safety
/// Called by Envoy with what `…_parse` returned, its side of what is written, and where the text goes.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_formatter_format(
    provider: ProviderPtr,
    envoy: EnvoyPtr,
    result: *mut ModuleBuffer,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    let provider = unsafe { &*provider.cast::<Provider>() };
    let Some(text) = guard::run("format", || provider.format(&FormatterContext(envoy))).flatten() else {
        return false;
    };
    WRITTEN.with_borrow_mut(|written| {
        *written = text;
        // SAFETY: Envoy's promise, see above.
        unsafe { *result = module_buffer(written.as_bytes()) };
    });
    true
}

//! Header formatters: what spells the names of HTTP/1 headers.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
};
use crate::buffer::{module_buffer, EnvoyBuffer};
use crate::{guard, held};
use std::marker::PhantomData;
use std::sync::OnceLock;

type ConfigPtr = abi::envoy_dynamic_module_type_header_formatter_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_header_formatter_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_header_formatter_module_ptr;

/// The configuration of a formatter. Used by all threads.
pub trait HeaderFormatterConfig: Send + Sync {
    /// Makes the formatter of one message; without one Envoy spells its headers as it does by default.
    fn create(&self) -> Option<Box<dyn HeaderFormatter>>;
}

/// The formatter of one message. Used by one thread.
pub trait HeaderFormatter {
    /// A header came, with its name as the other side spells it.
    fn process_key(&mut self, _key: &str, _handle: &HeaderFormatterHandle) {}

    /// Spells the name of a header that is about to be sent; `None` leaves it in lower case. Envoy copies the name before it
    /// calls the formatter again.
    fn format(&mut self, key: &str, handle: &HeaderFormatterHandle) -> Option<&str>;
}

/// Envoy's side of a formatter; exists only while a callback runs. There is nothing that it can be asked for.
pub struct HeaderFormatterHandle(PhantomData<EnvoyPtr>);

/// Called for each configuration with the formatter's name and its configuration; `None` refuses it.
pub type NewHeaderFormatterConfigFunction = fn(name: &str, config: &[u8]) -> Option<Box<dyn HeaderFormatterConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_HEADER_FORMATTER_CONFIG_FUNCTION: OnceLock<NewHeaderFormatterConfigFunction> = OnceLock::new();

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn HeaderFormatterConfig>;

/// What Envoy holds for a message.
type Formatter = Box<dyn HeaderFormatter>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_header_formatter_config_new(
    _envoy: abi::envoy_dynamic_module_type_header_formatter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_header_formatter_config", || {
        let new_config = NEW_HEADER_FORMATTER_CONFIG_FUNCTION.get()?;
        new_config(&String::from_utf8_lossy(name.as_slice()), config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_header_formatter_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the formatter panics: Envoy then spells the headers of the message by itself.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of a message.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_header_formatter_new(
    config: ConfigPtr,
    _envoy: EnvoyPtr,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("create", || config.create()).flatten().map_or(std::ptr::null(), held::hold::<Formatter>)
}

/// # Safety
/// Called by Envoy, once, with what `…_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_header_formatter_destroy(formatter: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_new` made it.
    unsafe { held::destroy::<Formatter>(formatter) }
}

/// # Safety
/// Called by Envoy with what `…_new` returned, and a name that is valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_header_formatter_process_key(
    _envoy: EnvoyPtr,
    formatter: ModulePtr,
    key: RawBuffer,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let key = EnvoyBuffer::from_raw(key);
        held::call::<Formatter, _>(formatter, (), |formatter| {
            let _ = guard::run("process_key", || {
                let key = String::from_utf8_lossy(key.as_slice());
                formatter.process_key(&key, &HeaderFormatterHandle(PhantomData));
            });
        });
    }
}

/// Returns false if that panics: the name is sent in lower case.
///
/// # Safety
/// Called by Envoy with what `…_new` returned, a name that is valid during the call, and where its spelling goes.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_header_formatter_format(
    _envoy: EnvoyPtr,
    formatter: ModulePtr,
    key: RawBuffer,
    result: *mut ModuleBuffer,
) -> bool {
    // SAFETY: Envoy's promise, see above. What is spelled is the formatter's own, so it outlives the call.
    unsafe {
        let key = EnvoyBuffer::from_raw(key);
        held::call::<Formatter, _>(formatter, false, |formatter| {
            guard::run("format", || {
                let key = String::from_utf8_lossy(key.as_slice());
                let spelled = formatter.format(&key, &HeaderFormatterHandle(PhantomData))?;
                *result = module_buffer(spelled.as_bytes());
                Some(())
            })
            .flatten()
            .is_some()
        })
    }
}

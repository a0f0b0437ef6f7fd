//! Bridges: what carries requests of HTTP over a connection without HTTP.

use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::text::{of_header, NO_HEADER};
use crate::{guard, held};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::OnceLock;

type ConfigPtr = abi::envoy_dynamic_module_type_upstream_http_tcp_bridge_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_upstream_http_tcp_bridge_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_upstream_http_tcp_bridge_module_ptr;

/// The configuration of a bridge.
pub trait UpstreamHttpTcpBridgeConfig: Send + Sync {
    /// Makes the bridge of one request.
    fn new_bridge(&self, envoy_bridge: &dyn EnvoyUpstreamHttpTcpBridge) -> Box<dyn UpstreamHttpTcpBridge>;
}

/// The bridge of one request.
pub trait UpstreamHttpTcpBridge: Send {
    /// Called with the headers of the request.
    fn on_encode_headers(&mut self, envoy_bridge: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool);
    /// Called with each piece of its body.
    fn on_encode_data(&mut self, envoy_bridge: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool);
    /// Called with its trailers.
    fn on_encode_trailers(&mut self, envoy_bridge: &dyn EnvoyUpstreamHttpTcpBridge);
    /// Called with bytes of the connection.
    fn on_upstream_data(&mut self, envoy_bridge: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool);
}

/// Envoy's side of the bridge of one request.
pub trait EnvoyUpstreamHttpTcpBridge: Send {
    /// A value of a header of the request, and how many values it has.
    fn get_request_header_value(&self, key: &str, index: usize) -> (Option<Vec<u8>>, usize);
    /// How many headers the request has.
    fn get_request_headers_size(&self) -> usize;
    /// The headers of the request.
    fn get_request_headers(&self) -> Vec<(Vec<u8>, Vec<u8>)>;
    /// The piece of the request's body that is here.
    fn get_request_buffer(&self) -> Vec<u8>;
    /// The bytes of the connection that are here.
    fn get_response_buffer(&self) -> Vec<u8>;
    /// Sends bytes over the connection, and ends its sending side if they are the last.
    fn send_upstream_data(&self, data: &[u8], end_stream: bool);
    /// Answers the request from here.
    fn send_response<'a>(&self, status_code: u32, headers: &'a [(&'a str, &'a [u8])], body: &[u8]);
    /// Begins an answer.
    fn send_response_headers<'a>(&self, status_code: u32, headers: &'a [(&'a str, &'a [u8])], end_stream: bool);
    /// Sends a piece of its body.
    fn send_response_data(&self, data: &[u8], end_stream: bool);
    /// Ends it with trailers.
    fn send_response_trailers<'a>(&self, trailers: &'a [(&'a str, &'a [u8])]);
}

/// Called for each bridge with its name and its configuration; `None` refuses it.
pub type NewUpstreamHttpTcpBridgeConfigFunction =
    fn(name: &str, config: &[u8]) -> Option<Box<dyn UpstreamHttpTcpBridgeConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_UPSTREAM_HTTP_TCP_BRIDGE_CONFIG_FUNCTION: OnceLock<NewUpstreamHttpTcpBridgeConfigFunction> =
    OnceLock::new();

/// Envoy's side of a bridge; exists only while a callback runs.
struct EnvoyBridge(EnvoyPtr, Rc<Cell<Answer>>);

/// How far the answer of a request has come.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    None,
    Begun,
    Whole,
}

// SAFETY: it does not leave the callback in which it is made, as it is lent there.
unsafe impl Send for EnvoyBridge {}

/// How many slices of a body there can be. The ABI of 1.38 has no way to ask, and modules of later ones shall load there too. More
/// than a slice for each 16 bytes of a body that Envoy buffers by default have not been seen.
const MAX_SLICES: usize = 1 << 16;

/// What hands out slices of a body.
type Slices = unsafe extern "C" fn(EnvoyPtr, *mut RawBuffer, *mut usize);

impl EnvoyBridge {
    fn slices(&self, callback: Slices) -> Vec<u8> {
        let mut raw: Vec<RawBuffer> = vec![NO_BYTES; MAX_SLICES];
        let mut count = raw.len();
        // SAFETY: what Envoy passed to the callback that is running, so it is alive; there is a place for each slice.
        unsafe { callback(self.0, raw.as_mut_ptr(), &mut count) };
        // SAFETY: Envoy's slices, which live as long as the callback.
        raw.iter().take(count).flat_map(|one| unsafe { EnvoyBuffer::from_raw(*one) }.as_slice().to_vec()).collect()
    }
}

// SAFETY of every call below: the bridge is what Envoy passed to the callback that is running, so it is alive; buffers that are
// passed outlive the call.
#[allow(clippy::undocumented_unsafe_blocks)]
impl EnvoyUpstreamHttpTcpBridge for EnvoyBridge {
    fn get_request_header_value(&self, key: &str, index: usize) -> (Option<Vec<u8>>, usize) {
        let (mut found, mut values) = (NO_BYTES, 0);
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_header;
        let there = unsafe { callback(self.0, module_buffer(key.as_bytes()), &mut found, index, &mut values) };
        (there.then(|| unsafe { EnvoyBuffer::from_raw(found) }.as_slice().to_vec()), values)
    }

    fn get_request_headers_size(&self) -> usize {
        unsafe { abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_headers_size(self.0) }
    }

    fn get_request_headers(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut raw = vec![NO_HEADER; self.get_request_headers_size()];
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_headers;
        if !unsafe { callback(self.0, raw.as_mut_ptr()) } {
            return Vec::new();
        }
        let pair = |(name, value): (EnvoyBuffer, EnvoyBuffer)| (name.as_slice().to_vec(), value.as_slice().to_vec());
        raw.iter().map(|raw| pair(unsafe { of_header(raw) })).collect()
    }

    fn get_request_buffer(&self) -> Vec<u8> {
        self.slices(abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_buffer)
    }

    fn get_response_buffer(&self) -> Vec<u8> {
        self.slices(abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_response_buffer)
    }

    fn send_upstream_data(&self, data: &[u8], end_stream: bool) {
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_upstream_data;
        unsafe { callback(self.0, module_buffer(data), end_stream) }
    }

    fn send_response<'a>(&self, status_code: u32, headers: &'a [(&'a str, &'a [u8])], body: &[u8]) {
        let mut raw = crate::http::module_headers(headers);
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response;
        self.1.set(Answer::Whole);
        unsafe { callback(self.0, status_code, raw.as_mut_ptr(), raw.len(), module_buffer(body)) }
    }

    fn send_response_headers<'a>(&self, status_code: u32, headers: &'a [(&'a str, &'a [u8])], end_stream: bool) {
        let mut raw = crate::http::module_headers(headers);
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response_headers;
        self.1.set(if end_stream { Answer::Whole } else { Answer::Begun });
        unsafe { callback(self.0, status_code, raw.as_mut_ptr(), raw.len(), end_stream) }
    }

    fn send_response_data(&self, data: &[u8], end_stream: bool) {
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response_data;
        if end_stream {
            self.1.set(Answer::Whole);
        }
        unsafe { callback(self.0, module_buffer(data), end_stream) }
    }

    fn send_response_trailers<'a>(&self, trailers: &'a [(&'a str, &'a [u8])]) {
        let mut raw = crate::http::module_headers(trailers);
        let callback = abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response_trailers;
        self.1.set(Answer::Whole);
        unsafe { callback(self.0, raw.as_mut_ptr(), raw.len()) }
    }
}

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn UpstreamHttpTcpBridgeConfig>;

/// What Envoy holds for the bridge of a request.
struct Bridge {
    module: Box<dyn UpstreamHttpTcpBridge>,
    answer: Rc<Cell<Answer>>,
    /// Whether it has panicked: then it is not called again.
    broken: bool,
}

impl Bridge {
    /// Calls the module. A panic ends the request: with a 500, or where an answer has begun with what there is of it.
    fn run(&mut self, name: &str, envoy: EnvoyPtr, call: impl FnOnce(&mut dyn UpstreamHttpTcpBridge, &EnvoyBridge)) {
        let envoy = EnvoyBridge(envoy, self.answer.clone());
        if self.broken || guard::run(name, || call(self.module.as_mut(), &envoy)).is_some() {
            return;
        }
        self.broken = true;
        match self.answer.get() {
            Answer::None => envoy.send_response(500, &[], b""),
            Answer::Begun => envoy.send_response_data(b"", true),
            Answer::Whole => (),
        }
    }
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_upstream_http_tcp_bridge_config_new(
    _envoy: abi::envoy_dynamic_module_type_upstream_http_tcp_bridge_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_bridge_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_UPSTREAM_HTTP_TCP_BRIDGE_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_upstream_http_tcp_bridge_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the bridge.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_upstream_http_tcp_bridge_new(
    config: ConfigPtr,
    envoy: EnvoyPtr,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    let answer = Rc::new(Cell::new(Answer::None));
    guard::run("new_bridge", || config.new_bridge(&EnvoyBridge(envoy, answer.clone())))
        .map_or(std::ptr::null(), |module| held::hold(Bridge { module, answer, broken: false }))
}

/// # Safety
/// Called by Envoy, once, with what `…_bridge_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_upstream_http_tcp_bridge_destroy(bridge: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_bridge_new` made it.
    unsafe { held::destroy::<Bridge>(bridge) }
}

/// Defines the hooks: `HOOK METHOD(PARAMETERS)`.
macro_rules! bridge_hooks {
    ($($hook:ident $method:ident($($end:ident)?);)*) => {
        $(
            /// # Safety
            /// Called by Envoy with its side of the bridge, and what `…_bridge_new` returned.
            #[no_mangle]
            pub unsafe extern "C" fn $hook(envoy: EnvoyPtr, bridge: ModulePtr, $($end: bool,)?) {
                // SAFETY: Envoy's promise, see above.
                unsafe {
                    held::call::<Bridge, _>(bridge, (), |bridge| {
                        bridge.run(stringify!($method), envoy, |module, envoy| module.$method(envoy, $($end)?));
                    });
                }
            }
        )*
    };
}

bridge_hooks! {
    envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_headers on_encode_headers(end_of_stream);
    envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_data on_encode_data(end_of_stream);
    envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_trailers on_encode_trailers();
    envoy_dynamic_module_on_upstream_http_tcp_bridge_on_upstream_data on_upstream_data(end_of_stream);
}

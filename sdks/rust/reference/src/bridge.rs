//! Bridges: what carries requests of HTTP over a connection without HTTP.

use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::{guard, held};
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
    /// The piece of the request's body that is here.
    fn get_request_buffer(&self) -> Vec<u8>;
    /// Answers the request from here.
    fn send_response<'a>(&self, status_code: u32, headers: &'a [(&'a str, &'a [u8])], body: &[u8]);
}

/// Called for each bridge with its name and its configuration; `None` refuses it.
pub type NewUpstreamHttpTcpBridgeConfigFunction =
    fn(name: &str, config: &[u8]) -> Option<Box<dyn UpstreamHttpTcpBridgeConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_UPSTREAM_HTTP_TCP_BRIDGE_CONFIG_FUNCTION: OnceLock<NewUpstreamHttpTcpBridgeConfigFunction> =
    OnceLock::new();

/// Envoy's side of a bridge; exists only while a callback runs.
struct EnvoyBridge(EnvoyPtr);

// SAFETY: it does not leave the callback in which it is made, as it is lent there.
unsafe impl Send for EnvoyBridge {}

impl EnvoyBridge {
    /// How many slices the piece of the body has.
    #[cfg(not(feature = "sdk-1-38"))]
    fn slices(&self) -> usize {
        // SAFETY: what Envoy passed to the callback that is running, so it is alive.
        unsafe { abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_buffer_chunks_size(self.0) }
    }

    /// The ABI of 1.38 has no way to learn how many there are. More than a slice for each 16 bytes of a body that Envoy buffers
    /// by default have not been seen.
    #[cfg(feature = "sdk-1-38")]
    fn slices(&self) -> usize {
        1 << 16
    }
}

impl EnvoyUpstreamHttpTcpBridge for EnvoyBridge {
    fn get_request_buffer(&self) -> Vec<u8> {
        let mut raw: Vec<RawBuffer> = vec![NO_BYTES; self.slices()];
        let mut count = raw.len();
        // SAFETY: as above; there is a place for each slice.
        unsafe {
            abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_buffer(
                self.0,
                raw.as_mut_ptr(),
                &mut count,
            );
        }
        // SAFETY: Envoy's slices, which live as long as the callback.
        raw.iter().take(count).flat_map(|one| unsafe { EnvoyBuffer::from_raw(*one) }.as_slice().to_vec()).collect()
    }

    fn send_response<'a>(&self, status_code: u32, headers: &'a [(&'a str, &'a [u8])], body: &[u8]) {
        let mut raw = crate::http::module_headers(headers);
        // SAFETY: as above; headers and body outlive the call.
        unsafe {
            abi::envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response(
                self.0,
                status_code,
                raw.as_mut_ptr(),
                raw.len(),
                module_buffer(body),
            );
        }
    }
}

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn UpstreamHttpTcpBridgeConfig>;

/// What Envoy holds for the bridge of a request.
type Bridge = Box<dyn UpstreamHttpTcpBridge>;

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
    guard::run("new_bridge", || config.new_bridge(&EnvoyBridge(envoy)))
        .map_or(std::ptr::null(), held::hold::<Bridge>)
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
                        let _ = guard::run(stringify!($method), || bridge.$method(&EnvoyBridge(envoy), $($end)?));
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

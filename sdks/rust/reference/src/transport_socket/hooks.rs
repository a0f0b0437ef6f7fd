//! The functions that Envoy looks up and calls for transport sockets. Each calls the module's code guarded: no panic leaves it, and
//! a connection whose socket panics as bytes go through is closed.

use super::{
    ConnectionEvent, EnvoyTransportSocketImpl, IoResult, PostIoAction, TransportSocket, TransportSocketFactoryConfig,
    NEW_TRANSPORT_SOCKET_FACTORY_CONFIG_FUNCTION,
};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
    envoy_dynamic_module_type_network_connection_event as RawEvent,
    envoy_dynamic_module_type_transport_socket_io_result as RawResult,
    envoy_dynamic_module_type_transport_socket_post_io_action as RawAction,
};
use crate::buffer::{module_buffer, EnvoyBuffer};
use crate::{guard, held};
use std::cell::RefCell;

type ConfigPtr = abi::envoy_dynamic_module_type_transport_socket_factory_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_transport_socket_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_transport_socket_module_ptr;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn TransportSocketFactoryConfig<EnvoyTransportSocketImpl>>;

/// What Envoy holds for the socket of a connection.
type Socket = Box<dyn TransportSocket<EnvoyTransportSocketImpl>>;

thread_local! {
    /// What a socket has answered last on this thread: Envoy copies it at once.
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_factory_config_new(
    _envoy: abi::envoy_dynamic_module_type_transport_socket_factory_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
    is_upstream: bool,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_transport_socket_factory_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_TRANSPORT_SOCKET_FACTORY_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice(), is_upstream)
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_factory_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the socket panics: Envoy then closes the connection.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the socket.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_new(config: ConfigPtr, envoy: EnvoyPtr) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_transport_socket", || config.new_transport_socket(&mut EnvoyTransportSocketImpl(envoy)))
        .map_or(std::ptr::null(), held::hold::<Socket>)
}

/// # Safety
/// Called by Envoy, once, with what `…_socket_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_destroy(socket: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_socket_new` made it.
    unsafe { held::destroy::<Socket>(socket) }
}

/// Calls a socket; `otherwise` is the answer where it panics, or is busy.
///
/// # Safety
/// `envoy` is Envoy's side of the socket, and `socket` what `…_socket_new` returned.
unsafe fn call<R: Clone>(
    envoy: EnvoyPtr,
    socket: ModulePtr,
    name: &str,
    otherwise: R,
    action: impl FnOnce(&mut Socket, &mut EnvoyTransportSocketImpl) -> R,
) -> R {
    // SAFETY: the caller's promise.
    unsafe {
        held::call::<Socket, _>(socket, otherwise.clone(), |socket| {
            guard::run(name, || action(socket, &mut EnvoyTransportSocketImpl(envoy))).unwrap_or(otherwise)
        })
    }
}

/// # Safety
/// Called by Envoy with its side of the socket, and what `…_socket_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_set_callbacks(envoy: EnvoyPtr, socket: ModulePtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, socket, "on_set_callbacks", (), |socket, envoy| socket.on_set_callbacks(envoy)) }
}

/// # Safety
/// As `…_set_callbacks`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_on_connected(envoy: EnvoyPtr, socket: ModulePtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, socket, "on_connected", (), |socket, envoy| socket.on_connected(envoy)) }
}

/// # Safety
/// As `…_set_callbacks`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_do_read(
    envoy: EnvoyPtr,
    socket: ModulePtr,
) -> RawResult {
    // SAFETY: Envoy's promise, see above.
    let read = unsafe {
        call(envoy, socket, "on_do_read", IoResult::close(0, false), |socket, envoy| socket.on_do_read(envoy))
    };
    raw_result(read)
}

/// # Safety
/// As `…_set_callbacks`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_do_write(
    envoy: EnvoyPtr,
    socket: ModulePtr,
    end_stream: bool,
) -> RawResult {
    // SAFETY: Envoy's promise, see above.
    let written = unsafe {
        call(envoy, socket, "on_do_write", IoResult::close(0, false), |socket, envoy| {
            socket.on_do_write(envoy, end_stream)
        })
    };
    raw_result(written)
}

fn raw_result(result: IoResult) -> RawResult {
    RawResult {
        action: match result.action {
            PostIoAction::KeepOpen => RawAction::KeepOpen,
            PostIoAction::Close => RawAction::Close,
        },
        bytes_processed: result.bytes_processed as u64,
        end_stream_read: result.end_stream_read,
    }
}

/// # Safety
/// As `…_set_callbacks`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_close(
    envoy: EnvoyPtr,
    socket: ModulePtr,
    event: RawEvent,
    abort_reset: bool,
) {
    let event = match event {
        RawEvent::RemoteClose => ConnectionEvent::RemoteClose,
        RawEvent::Connected => ConnectionEvent::Connected,
        RawEvent::ConnectedZeroRtt => ConnectionEvent::ConnectedZeroRtt,
        _ => ConnectionEvent::LocalClose,
    };
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, socket, "on_close", (), |socket, envoy| socket.on_close(envoy, event, abort_reset)) }
}

/// # Safety
/// As `…_set_callbacks`, with a place for text, which stays until the next one on this thread.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_get_protocol(
    envoy: EnvoyPtr,
    socket: ModulePtr,
    result: *mut ModuleBuffer,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let text = call(envoy, socket, "get_protocol", String::new(), |socket, envoy| socket.get_protocol(envoy));
        result.write(kept(text));
    }
}

/// # Safety
/// As `…_get_protocol`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_get_failure_reason(
    envoy: EnvoyPtr,
    socket: ModulePtr,
    result: *mut ModuleBuffer,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let text =
            call(envoy, socket, "get_failure_reason", String::new(), |socket, envoy| socket.get_failure_reason(envoy));
        result.write(kept(text));
    }
}

fn kept(text: String) -> ModuleBuffer {
    TEXT.with_borrow_mut(|kept| {
        *kept = text;
        module_buffer(kept.as_bytes())
    })
}

/// # Safety
/// As `…_set_callbacks`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_can_flush_close(
    envoy: EnvoyPtr,
    socket: ModulePtr,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, socket, "can_flush_close", false, |socket, envoy| socket.can_flush_close(envoy)) }
}

/// # Safety
/// As `…_set_callbacks`.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_transport_socket_start_secure_transport(
    envoy: EnvoyPtr,
    socket: ModulePtr,
) -> bool {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        call(envoy, socket, "start_secure_transport", false, |socket, envoy| socket.start_secure_transport(envoy))
    }
}

//! What a module can ask of Envoy about a transport socket.

use super::{ConnectionEvent, IoStatus};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_network_connection_event as RawEvent,
    envoy_dynamic_module_type_transport_socket_io_status as RawStatus,
};
use crate::buffer::{EnvoyBuffer, NO_BYTES};

/// Envoy's side of a socket.
pub trait EnvoyTransportSocket {
    /// Reads bytes of the operating system's socket; how many.
    fn io_read(&self, buffer: &mut [u8]) -> (IoStatus, usize);
    /// Writes bytes to it; how many.
    fn io_write(&self, data: &[u8]) -> (IoStatus, usize);
    /// Tells the peer that no more comes.
    fn io_shutdown_write(&self);
    /// Its descriptor.
    fn get_fd(&self) -> Option<i32>;
    /// Hands bytes to Envoy.
    fn read_buffer_add(&self, data: &[u8]);
    /// Adds to `out` what Envoy wants to be written.
    fn copy_write_buffer(&self, out: &mut Vec<u8>);
    /// Takes bytes off what Envoy wants to be written.
    fn write_buffer_drain(&self, length: usize);
    /// How many Envoy wants to be written.
    fn write_buffer_length(&self) -> usize;
    /// Tells Envoy what happens to the connection.
    fn raise_event(&self, event: ConnectionEvent);
    /// Whether Envoy has enough for now.
    fn should_drain_read_buffer(&self) -> bool;
    /// Has Envoy come back to read.
    fn set_is_readable(&self);
    /// The peer's address and port.
    fn get_remote_address(&self) -> (String, u32);
    /// This side's address and port.
    fn get_local_address(&self) -> (String, u32);
}

/// Envoy's side of a socket; exists only while a callback runs.
pub struct EnvoyTransportSocketImpl(pub(super) abi::envoy_dynamic_module_type_transport_socket_envoy_ptr);

type AddressCallback =
    unsafe extern "C" fn(abi::envoy_dynamic_module_type_transport_socket_envoy_ptr, *mut RawBuffer, *mut u32) -> bool;

impl EnvoyTransportSocketImpl {
    fn address(&self, callback: AddressCallback) -> (String, u32) {
        let (mut raw, mut port) = (NO_BYTES, 0);
        // SAFETY: what Envoy passed to the callback that is running, so it is alive, as is what it shows.
        let address = unsafe { callback(self.0, &mut raw, &mut port).then(|| EnvoyBuffer::from_raw(raw)) };
        match address {
            Some(address) if !address.as_slice().is_empty() => {
                (String::from_utf8_lossy(address.as_slice()).into_owned(), port)
            }
            _ => (String::new(), 0),
        }
    }
}

// SAFETY of every call below: what Envoy passed to the callback that is running, so it is alive; buffers outlive the call.
impl EnvoyTransportSocket for EnvoyTransportSocketImpl {
    fn io_read(&self, buffer: &mut [u8]) -> (IoStatus, usize) {
        let mut size = 0;
        // SAFETY: see above.
        let status = unsafe {
            abi::envoy_dynamic_module_callback_transport_socket_io_read(
                self.0,
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                &mut size,
            )
        };
        (status_of(status), size)
    }

    fn io_write(&self, data: &[u8]) -> (IoStatus, usize) {
        let mut size = 0;
        // SAFETY: see above.
        let status = unsafe {
            abi::envoy_dynamic_module_callback_transport_socket_io_write(
                self.0,
                data.as_ptr().cast(),
                data.len(),
                &mut size,
            )
        };
        (status_of(status), size)
    }

    fn io_shutdown_write(&self) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_transport_socket_io_shutdown_write(self.0) }
    }

    fn get_fd(&self) -> Option<i32> {
        // SAFETY: see above.
        let descriptor = unsafe { abi::envoy_dynamic_module_callback_transport_socket_get_fd(self.0) };
        (descriptor >= 0).then_some(descriptor)
    }

    fn read_buffer_add(&self, data: &[u8]) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_transport_socket_read_buffer_add(
                self.0,
                data.as_ptr().cast(),
                data.len(),
            );
        }
    }

    fn copy_write_buffer(&self, out: &mut Vec<u8>) {
        let mut count = 0;
        // SAFETY: see above; without a place for slices Envoy counts them.
        unsafe {
            abi::envoy_dynamic_module_callback_transport_socket_write_buffer_get_slices(
                self.0,
                std::ptr::null_mut(),
                &mut count,
            );
        }
        let mut raw = vec![NO_BYTES; count];
        if count > 0 {
            // SAFETY: see above; there is a place for each slice.
            unsafe {
                abi::envoy_dynamic_module_callback_transport_socket_write_buffer_get_slices(
                    self.0,
                    raw.as_mut_ptr(),
                    &mut count,
                );
            }
        }
        for one in raw.iter().take(count) {
            // SAFETY: Envoy's slices, which live until something is drained.
            out.extend_from_slice(unsafe { EnvoyBuffer::from_raw(*one) }.as_slice());
        }
    }

    fn write_buffer_drain(&self, length: usize) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_transport_socket_write_buffer_drain(self.0, length) }
    }

    fn write_buffer_length(&self) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_transport_socket_write_buffer_length(self.0) }
    }

    fn raise_event(&self, event: ConnectionEvent) {
        let event = match event {
            ConnectionEvent::RemoteClose => RawEvent::RemoteClose,
            ConnectionEvent::LocalClose => RawEvent::LocalClose,
            ConnectionEvent::Connected => RawEvent::Connected,
            ConnectionEvent::ConnectedZeroRtt => RawEvent::ConnectedZeroRtt,
        };
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_transport_socket_raise_event(self.0, event) }
    }

    fn should_drain_read_buffer(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_transport_socket_should_drain_read_buffer(self.0) }
    }

    fn set_is_readable(&self) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_transport_socket_set_is_readable(self.0) }
    }

    fn get_remote_address(&self) -> (String, u32) {
        self.address(abi::envoy_dynamic_module_callback_transport_socket_get_remote_address)
    }

    fn get_local_address(&self) -> (String, u32) {
        self.address(abi::envoy_dynamic_module_callback_transport_socket_get_local_address)
    }
}

fn status_of(raw: RawStatus) -> IoStatus {
    match raw {
        RawStatus::Success => IoStatus::Success,
        RawStatus::Again => IoStatus::Again,
        _ => IoStatus::Error,
    }
}

//! What a module implements of a transport socket.

use super::{EnvoyTransportSocket, EnvoyTransportSocketImpl};
use std::sync::OnceLock;

/// What becomes of a connection after bytes went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostIoAction {
    KeepOpen,
    Close,
}

/// What came of reading or writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoResult {
    pub action: PostIoAction,
    /// How many bytes were taken from the buffer, or added to it.
    pub bytes_processed: usize,
    /// Whether the peer sends no more.
    pub end_stream_read: bool,
}

impl IoResult {
    /// The connection goes on.
    pub fn keep_open(bytes_processed: usize, end_stream_read: bool) -> Self {
        Self { action: PostIoAction::KeepOpen, bytes_processed, end_stream_read }
    }

    /// The connection is closed.
    pub fn close(bytes_processed: usize, end_stream_read: bool) -> Self {
        Self { action: PostIoAction::Close, bytes_processed, end_stream_read }
    }
}

/// How it went with the socket of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IoStatus {
    /// Bytes went; none that were read are the peer's end.
    Success,
    /// Later.
    Again,
    Error,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEvent {
    RemoteClose,
    LocalClose,
    Connected,
    ConnectedZeroRtt,
}

/// The configuration of sockets. Used by all threads.
pub trait TransportSocketFactoryConfig<ETS: EnvoyTransportSocket + ?Sized>: Sync {
    /// Makes the socket of one connection.
    fn new_transport_socket(&self, envoy: &mut ETS) -> Box<dyn TransportSocket<ETS>>;
}

/// The socket of one connection; called on one thread.
pub trait TransportSocket<ETS: EnvoyTransportSocket + ?Sized> {
    /// Envoy's side is there.
    fn on_set_callbacks(&mut self, envoy: &mut ETS);
    /// The connection of the operating system is there.
    fn on_connected(&mut self, envoy: &mut ETS);
    /// Bytes can be read.
    fn on_do_read(&mut self, envoy: &mut ETS) -> IoResult;
    /// Bytes are to be written, the last ones if `end_stream`.
    fn on_do_write(&mut self, envoy: &mut ETS, end_stream: bool) -> IoResult;
    /// The connection is closed; with a reset if `abort_reset`.
    fn on_close(&mut self, envoy: &mut ETS, event: ConnectionEvent, abort_reset: bool);
    /// The protocol that was agreed on; nothing where none was.
    fn get_protocol(&self, envoy: &mut ETS) -> String;
    /// What went wrong; nothing where nothing did.
    fn get_failure_reason(&self, envoy: &mut ETS) -> String;
    /// Whether the connection may be closed once all is written.
    fn can_flush_close(&self, envoy: &mut ETS) -> bool;
    /// Goes over to what is secure; whether it did.
    fn start_secure_transport(&mut self, envoy: &mut ETS) -> bool;
}

/// Called for each configuration with the socket's name, its configuration, and whether it is for connections to upstream servers;
/// `None` refuses it.
pub type NewTransportSocketFactoryConfigFunction<ETS> =
    fn(name: &str, config: &[u8], is_upstream: bool) -> Option<Box<dyn TransportSocketFactoryConfig<ETS>>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_TRANSPORT_SOCKET_FACTORY_CONFIG_FUNCTION: OnceLock<
    NewTransportSocketFactoryConfigFunction<EnvoyTransportSocketImpl>,
> = OnceLock::new();

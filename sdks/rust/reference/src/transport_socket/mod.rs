//! Transport sockets: what is between a connection's bytes and Envoy.

mod envoy;
mod hooks;
mod socket;

pub use envoy::{EnvoyTransportSocket, EnvoyTransportSocketImpl};
pub use socket::{
    ConnectionEvent, IoResult, IoStatus, NewTransportSocketFactoryConfigFunction, PostIoAction, TransportSocket,
    TransportSocketFactoryConfig, NEW_TRANSPORT_SOCKET_FACTORY_CONFIG_FUNCTION,
};

//! The transport sockets `masked`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::{asks, Plan};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::{
    ConnectionEvent, EnvoyTransportSocket, EnvoyTransportSocketImpl, IoResult, IoStatus, TransportSocket,
    TransportSocketFactoryConfig,
};
use std::io::Write;

const CALLBACKS: [&str; 9] =
    ["none", "set_callbacks", "connected", "read", "write", "close", "failure_reason", "destroy", "configuration_end"];

/// How much is read at once.
const PIECE_BYTES: usize = 16 * 1024;

type Envoy = EnvoyTransportSocketImpl;

pub fn new_config(
    name: &str,
    config: &[u8],
    is_upstream: bool,
) -> Option<Box<dyn TransportSocketFactoryConfig<Envoy>>> {
    let mask = mask(config);
    let life = || Life::begin("transport_socket", "configuration", config);
    match name {
        "masked" => Some(Box::new(Masked { mask, is_upstream, life: life() })),
        "panic" => Some(Box::new(Panics { plan: plan(config)?, mask, life: life() })),
        _ => None,
    }
}

/// Sockets have no guard: one is refused.
fn plan(config: &[u8]) -> Option<Plan> {
    Plan::parse(std::str::from_utf8(config).ok()?, &CALLBACKS).filter(|plan| !plan.guarded)
}

/// What every byte is combined with by exclusive or. Never 0.
fn mask(text: &[u8]) -> u8 {
    let sum: u32 = text.iter().copied().map(u32::from).sum();
    u8::try_from(sum % 255).unwrap_or(0) + 1
}

struct Masked {
    mask: u8,
    is_upstream: bool,
    life: Life,
}

impl TransportSocketFactoryConfig<Envoy> for Masked {
    fn new_transport_socket(&self, _envoy: &mut Envoy) -> Box<dyn TransportSocket<Envoy>> {
        Box::new(Socket { bytes: Bytes::new(self.mask), is_upstream: self.is_upstream, life: self.life.part("socket") })
    }
}

/// The bytes of a connection on their way. The first that is written is the mask, so that the peer knows it.
struct Bytes {
    mask: u8,
    greeted: bool,
    read: usize,
    written: usize,
    shut_down: bool,
}

impl Bytes {
    fn new(mask: u8) -> Self {
        Self { mask, greeted: false, read: 0, written: 0, shut_down: false }
    }

    /// Writes the mask, once; whether it is written.
    fn greet(&mut self, envoy: &Envoy) -> bool {
        self.greeted = self.greeted || envoy.io_write(&[self.mask]) == (IoStatus::Success, 1);
        self.greeted
    }

    fn masked(&self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte ^= self.mask);
    }

    /// Hands all to Envoy that has come; `look` sees each piece.
    fn read(&mut self, envoy: &Envoy, mut look: impl FnMut(&[u8])) -> IoResult {
        let mut piece = [0; PIECE_BYTES];
        let mut total = 0;
        loop {
            if envoy.should_drain_read_buffer() {
                envoy.set_is_readable();
                return IoResult::keep_open(total, false);
            }
            match envoy.io_read(&mut piece) {
                (IoStatus::Success, 0) => return IoResult::keep_open(total, true),
                (IoStatus::Success, size) => {
                    self.masked(&mut piece[..size]);
                    look(&piece[..size]);
                    envoy.read_buffer_add(&piece[..size]);
                    total += size;
                    self.read += size;
                }
                (IoStatus::Again, _) => return IoResult::keep_open(total, false),
                (IoStatus::Error, _) => return IoResult::close(total, false),
            }
        }
    }

    /// Writes what the connection takes.
    fn write(&mut self, envoy: &Envoy, end_stream: bool) -> IoResult {
        if !self.greet(envoy) {
            return IoResult::keep_open(0, false);
        }
        let mut bytes = Vec::new();
        envoy.copy_write_buffer(&mut bytes);
        self.masked(&mut bytes);
        let mut total = 0;
        while total < bytes.len() {
            match envoy.io_write(&bytes[total..]) {
                (IoStatus::Success, size) => {
                    envoy.write_buffer_drain(size);
                    total += size;
                    self.written += size;
                }
                (IoStatus::Again, _) => return IoResult::keep_open(total, false),
                (IoStatus::Error, _) => return IoResult::close(total, false),
            }
        }
        if end_stream && !self.shut_down && envoy.write_buffer_length() == 0 {
            envoy.io_shutdown_write();
            self.shut_down = true;
        }
        IoResult::keep_open(total, false)
    }
}

/// Masks what goes through.
struct Socket {
    bytes: Bytes,
    is_upstream: bool,
    life: Life,
}

impl TransportSocket<Envoy> for Socket {
    fn on_set_callbacks(&mut self, _envoy: &mut Envoy) {}

    fn on_connected(&mut self, envoy: &mut Envoy) {
        self.life.used();
        self.bytes.greet(envoy);
        envoy.raise_event(ConnectionEvent::Connected);
    }

    fn on_do_read(&mut self, envoy: &mut Envoy) -> IoResult {
        self.bytes.read(envoy, |_| ())
    }

    fn on_do_write(&mut self, envoy: &mut Envoy, end_stream: bool) -> IoResult {
        self.bytes.write(envoy, end_stream)
    }

    fn on_close(&mut self, envoy: &mut Envoy, event: ConnectionEvent, abort_reset: bool) {
        let (remote, remote_port) = envoy.get_remote_address();
        let (local, local_port) = envoy.get_local_address();
        let line = format!(
            "dmconform socket {LANG} [{}] upstream={} read={} written={} remote={remote}|{remote_port} \
             local={local}|{local_port} descriptor={} event={event:?} reset={abort_reset}\n",
            self.life.config(),
            self.is_upstream,
            self.bytes.read,
            self.bytes.written,
            envoy.get_fd().is_some(),
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn get_protocol(&self, _envoy: &mut Envoy) -> String {
        String::new()
    }

    fn get_failure_reason(&self, _envoy: &mut Envoy) -> String {
        String::new()
    }

    fn can_flush_close(&self, _envoy: &mut Envoy) -> bool {
        true
    }

    fn start_secure_transport(&mut self, _envoy: &mut Envoy) -> bool {
        false
    }
}

struct Panics {
    plan: Plan,
    mask: u8,
    life: Life,
}

impl TransportSocketFactoryConfig<Envoy> for Panics {
    fn new_transport_socket(&self, _envoy: &mut Envoy) -> Box<dyn TransportSocket<Envoy>> {
        self.plan.panic_in("creation");
        let bytes = Bytes::new(self.mask);
        Box::new(Panicking { plan: self.plan, bytes, asked: false, life: self.life.part("socket") })
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.plan.panic_in("configuration_end");
        }
    }
}

/// Masks as well.
struct Panicking {
    plan: Plan,
    bytes: Bytes,
    asked: bool,
    life: Life,
}

impl Panicking {
    fn panic_in(&self, callback: &str) {
        if self.asked {
            self.plan.panic_in(callback);
        }
    }
}

impl TransportSocket<Envoy> for Panicking {
    // Nothing has come yet that could ask for a panic, here and when the connection is there.
    fn on_set_callbacks(&mut self, _envoy: &mut Envoy) {
        self.plan.panic_in("set_callbacks");
    }

    fn on_connected(&mut self, envoy: &mut Envoy) {
        self.life.used();
        self.plan.panic_in("connected");
        self.bytes.greet(envoy);
        envoy.raise_event(ConnectionEvent::Connected);
    }

    fn on_do_read(&mut self, envoy: &mut Envoy) -> IoResult {
        let mut asked = false;
        let read = self.bytes.read(envoy, |piece| asked |= asks(piece));
        self.asked |= asked;
        self.panic_in("read");
        read
    }

    fn on_do_write(&mut self, envoy: &mut Envoy, end_stream: bool) -> IoResult {
        self.panic_in("write");
        self.bytes.write(envoy, end_stream)
    }

    fn on_close(&mut self, _envoy: &mut Envoy, _event: ConnectionEvent, _abort_reset: bool) {
        self.panic_in("close");
    }

    fn get_protocol(&self, _envoy: &mut Envoy) -> String {
        String::new()
    }

    fn get_failure_reason(&self, _envoy: &mut Envoy) -> String {
        self.panic_in("failure_reason");
        String::new()
    }

    fn can_flush_close(&self, _envoy: &mut Envoy) -> bool {
        true
    }

    fn start_secure_transport(&mut self, _envoy: &mut Envoy) -> bool {
        false
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        // As above.
        if !std::thread::panicking() {
            self.panic_in("destroy");
        }
    }
}

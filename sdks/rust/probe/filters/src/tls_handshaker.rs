//! The TLS handshakers `sieve`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::{
    HandshakeResult, TlsHandshaker, TlsHandshakerCapabilities, TlsHandshakerConfig,
};
use std::ffi::c_void;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

const CALLBACKS: [&str; 5] = ["none", "context", "handshake", "destroy", "configuration_end"];

pub fn new_config(
    name: &str,
    config: &[u8],
    _capabilities: &mut TlsHandshakerCapabilities,
) -> Option<Box<dyn TlsHandshakerConfig>> {
    let life = || Life::begin("tls_handshaker", "configuration", config);
    match name {
        "sieve" => Some(Box::new(Sieve { mesh: mesh(config), connections: AtomicU64::new(0), life: life() })),
        "panic" => Some(Box::new(Panics { plan: plan(config)?, life: life() })),
        _ => None,
    }
}

/// Handshakers have no guard: one is refused.
fn plan(config: &[u8]) -> Option<Plan> {
    Plan::parse(std::str::from_utf8(config).ok()?, &CALLBACKS).filter(|plan| !plan.guarded)
}

/// Of so many connections one is refused: 2 to 6.
fn mesh(text: &[u8]) -> u64 {
    text.iter().copied().map(u64::from).sum::<u64>() % 5 + 2
}

/// Refuses some connections.
struct Sieve {
    mesh: u64,
    connections: AtomicU64,
    life: Life,
}

impl TlsHandshakerConfig for Sieve {
    fn configure_ssl_context(&self, ssl_ctx: *mut c_void) -> bool {
        let line = format!("dmconform context {LANG} [{}] given={}\n", self.life.config(), !ssl_ctx.is_null());
        let _ = std::io::stderr().write_all(line.as_bytes());
        true
    }

    fn new_handshaker(&self, ssl: *mut c_void) -> Box<dyn TlsHandshaker> {
        self.life.used();
        let place = (self.connections.fetch_add(1, Ordering::Relaxed) + 1) % self.mesh;
        Box::new(Handshaker { refuses: ssl.is_null() || place == 0, _life: self.life.part("handshaker") })
    }
}

struct Handshaker {
    refuses: bool,
    _life: Life,
}

impl TlsHandshaker for Handshaker {
    fn handshake(&mut self) -> HandshakeResult {
        if self.refuses {
            HandshakeResult::Failed
        } else {
            HandshakeResult::RunDefault
        }
    }
}

struct Panics {
    plan: Plan,
    life: Life,
}

impl TlsHandshakerConfig for Panics {
    fn configure_ssl_context(&self, _ssl_ctx: *mut c_void) -> bool {
        self.plan.panic_in("context");
        true
    }

    fn new_handshaker(&self, _ssl: *mut c_void) -> Box<dyn TlsHandshaker> {
        self.life.used();
        self.plan.panic_in("creation");
        Box::new(Panicking { plan: self.plan, _life: self.life.part("handshaker") })
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

struct Panicking {
    plan: Plan,
    _life: Life,
}

impl TlsHandshaker for Panicking {
    fn handshake(&mut self) -> HandshakeResult {
        self.plan.panic_in("handshake");
        HandshakeResult::RunDefault
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        // As above.
        if !std::thread::panicking() {
            self.plan.panic_in("destroy");
        }
    }
}

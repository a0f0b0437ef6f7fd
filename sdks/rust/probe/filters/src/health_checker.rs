//! The health checkers `asks`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::thread::{self, Thread};
use crate::words::{shown, write};
use envoy_proxy_dynamic_modules_rust_sdk::health_checker::{
    HealthCheckHost, HealthCheckerConfig, HealthCheckerSession, HostHealth, Reporter,
};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const HOOKS: [&str; 5] = ["none", "creation", "interval", "timeout", "destroy"];
const NAMESPACE: &str = "dmconform";

/// How long a server may take for each step of an answer.
const PATIENCE: Duration = Duration::from_millis(500);

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn HealthCheckerConfig>> {
    let plan = match name {
        "asks" => None,
        "panic" => Some(Plan::parse_unguarded(config, &HOOKS)?),
        _ => return None, // `refuse`, and what no one knows
    };
    Some(Box::new(Config(Arc::new(Checker { plan, life: Life::begin("health_checker", "configuration", config) }))))
}

/// What all sessions of a configuration share.
struct Checker {
    plan: Option<Plan>,
    life: Life,
}

impl Checker {
    fn panic_in(&self, hook: &str) {
        if let Some(plan) = self.plan {
            plan.panic_in(hook);
        }
    }

    fn is_to_panic_in(&self, hook: &str) -> bool {
        self.plan.is_some_and(|plan| plan.is(hook))
    }
}

struct Config(Arc<Checker>);

impl HealthCheckerConfig for Config {
    fn new_session(&self, host: &HealthCheckHost) -> Box<dyn HealthCheckerSession> {
        self.0.panic_in("creation");
        let address = host.address();
        let pairs = [
            ("address", shown(address)),
            ("name", shown(host.metadata_string(NAMESPACE, "name"))),
            ("number", host.metadata_number(NAMESPACE, "number").map_or_else(|| "-".to_owned(), |one| one.to_string())),
            ("yes", host.metadata_bool(NAMESPACE, "yes").map_or_else(|| "-".to_owned(), |one| one.to_string())),
        ];
        write("session", self.0.life.config(), &pairs);
        Box::new(Session { of: self.0.clone(), check: None, last: None, _life: self.0.life.part("session") })
    }
}

/// The checks of one host.
struct Session {
    of: Arc<Checker>,
    check: Option<Thread>,
    last: Option<HostHealth>,
    _life: Life,
}

impl HealthCheckerSession for Session {
    fn on_interval(&mut self, host: &HealthCheckHost, reporter: Reporter) {
        self.of.life.used();
        self.of.panic_in("interval");
        self.note(host);
        // The check before has ended, or ends soon.
        self.check = None;
        let address = host.address().and_then(|address| std::str::from_utf8(address.as_slice()).ok()?.parse().ok());
        // Nothing is reported where the time is to run out.
        if self.of.is_to_panic_in("timeout") {
            return;
        }
        let text = self.of.life.config().to_owned();
        self.check = thread::start(move || {
            reporter.report(address.map_or(HostHealth::Unhealthy, |address| health_of(&address, &text)));
        });
    }

    fn on_timeout(&mut self) {
        self.of.panic_in("timeout");
    }
}

impl Session {
    /// Writes how healthy the host takes its host to be, whenever that has changed.
    fn note(&mut self, host: &HealthCheckHost) {
        let health = host.health();
        if self.last != Some(health) {
            self.last = Some(health);
            let word = match health {
                HostHealth::Healthy => "healthy",
                HostHealth::Degraded => "degraded",
                HostHealth::Unhealthy => "unhealthy",
            };
            write("health", self.of.life.config(), &[("address", shown(host.address())), ("is", word.to_owned())]);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A thread that outlived the module would run code that is no longer there.
        self.check = None;
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.of.panic_in("destroy");
        }
    }
}

/// Asks a server over HTTP. A status of 200 is healthy, 429 degraded, and all else unhealthy.
fn health_of(address: &SocketAddr, text: &str) -> HostHealth {
    match status(address, text) {
        Ok(Some(200)) => HostHealth::Healthy,
        Ok(Some(429)) => HostHealth::Degraded,
        _ => HostHealth::Unhealthy,
    }
}

/// Text as a part of a path.
fn in_path(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

fn status(address: &SocketAddr, text: &str) -> std::io::Result<Option<u16>> {
    let mut server = TcpStream::connect_timeout(address, PATIENCE)?;
    server.set_read_timeout(Some(PATIENCE))?;
    let head = format!("GET /health/{} HTTP/1.1\r\nhost: dmconform\r\nconnection: close\r\n\r\n", in_path(text));
    server.write_all(head.as_bytes())?;
    let mut answer = [0; 12]; // `HTTP/1.1 200`
    server.read_exact(&mut answer)?;
    Ok(answer.rsplit(|byte| *byte == b' ').next().and_then(|code| std::str::from_utf8(code).ok()?.parse().ok()))
}

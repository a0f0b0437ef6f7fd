//! The bridges `raw`, `bridge`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyUpstreamHttpTcpBridge, UpstreamHttpTcpBridge, UpstreamHttpTcpBridgeConfig,
};
use std::sync::Arc;

const HOOKS: [&str; 6] = ["none", "headers", "data", "trailers", "upstream_data", "destroy"];

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn UpstreamHttpTcpBridgeConfig>> {
    let plan = match name {
        "bridge" => return Some(Box::new(SumConfig)),
        "raw" => None,
        "panic" => Some(Plan::parse_unguarded(config, &HOOKS)?),
        _ => return None, // `refuse`, and what no one knows
    };
    Some(Box::new(Config(Arc::new(Raw {
        plan,
        life: Life::begin("upstream_http_tcp_bridge", "configuration", config),
    }))))
}

/// What all bridges of a configuration share.
struct Raw {
    plan: Option<Plan>,
    life: Life,
}

struct Config(Arc<Raw>);

impl UpstreamHttpTcpBridgeConfig for Config {
    fn new_bridge(&self, _envoy: &dyn EnvoyUpstreamHttpTcpBridge) -> Box<dyn UpstreamHttpTcpBridge> {
        if let Some(plan) = self.0.plan {
            plan.panic_in("creation");
        }
        Box::new(RawBridge { of: self.0.clone(), panics: false, begun: false, _life: self.0.life.part("bridge") })
    }
}

/// Writes a request of HTTP to the connection itself, and hands on the bytes that come back.
struct RawBridge {
    of: Arc<Raw>,
    panics: bool,
    begun: bool,
    _life: Life,
}

impl RawBridge {
    fn panic_in(&self, hook: &str) {
        match self.of.plan {
            Some(plan) if self.panics => plan.panic_in(hook),
            _ => (),
        }
    }

    /// Sends a piece of a body in chunks.
    fn send_chunk(envoy: &dyn EnvoyUpstreamHttpTcpBridge, piece: &[u8]) {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        envoy.send_upstream_data(&chunk, false);
    }

    /// Ends a body in chunks, and the sending side of the connection.
    fn send_end(envoy: &dyn EnvoyUpstreamHttpTcpBridge, trailers: &str) {
        envoy.send_upstream_data(format!("0\r\n{trailers}\r\n").as_bytes(), true);
    }
}

impl UpstreamHttpTcpBridge for RawBridge {
    fn on_encode_headers(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool) {
        self.of.life.used();
        self.panics = envoy.get_request_header_value("x-dmconform-panic", 0).0.is_some();
        self.panic_in("headers");
        let one = |name| text(envoy.get_request_header_value(name, 0).0.unwrap_or_default());
        let (_, values) = envoy.get_request_header_value("x-dmconform-in", 0);
        let last = values.checked_sub(1).and_then(|index| envoy.get_request_header_value("x-dmconform-in", index).0);
        let seen = envoy.get_request_headers();
        let same = seen.len() == envoy.get_request_headers_size();
        let names = seen.iter().filter(|(name, _)| name.starts_with(b"x-dmconform-")).count();
        let framing = if end_of_stream { "content-length: 0" } else { "transfer-encoding: chunked" };
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{framing}\r\nx-dmconform-text: {}\r\n\
             x-dmconform-values: {values}\r\nx-dmconform-last: {}\r\nx-dmconform-headers: {names} {same}\r\n\r\n",
            one(":method"),
            one(":path"),
            one(":authority"),
            self.of.life.config(),
            text(last.unwrap_or_default()),
        );
        envoy.send_upstream_data(head.as_bytes(), end_of_stream);
    }

    fn on_encode_data(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool) {
        self.panic_in("data");
        let piece = envoy.get_request_buffer();
        if !piece.is_empty() {
            Self::send_chunk(envoy, &piece);
        }
        if end_of_stream {
            Self::send_end(envoy, "");
        }
    }

    fn on_encode_trailers(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge) {
        self.panic_in("trailers");
        Self::send_end(envoy, "x-dmconform-trailers: yes\r\n");
    }

    fn on_upstream_data(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool) {
        self.panic_in("upstream_data");
        let bytes = envoy.get_response_buffer();
        if !self.begun {
            self.begun = true;
            let headers: [(&str, &[u8]); 2] =
                [("content-type", b"application/octet-stream"), ("x-dmconform-text", self.of.life.config().as_bytes())];
            envoy.send_response_headers(200, &headers, false);
        }
        if !bytes.is_empty() {
            envoy.send_response_data(&bytes, false);
        }
        if end_of_stream {
            envoy.send_response_trailers(&[("x-dmconform-bridge", b"ended")]);
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Drop for RawBridge {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.panic_in("destroy");
        }
    }
}

/// `bridge`: answers a request with the number of bytes of its body, and their sum.
struct SumConfig;

impl UpstreamHttpTcpBridgeConfig for SumConfig {
    fn new_bridge(&self, _envoy: &dyn EnvoyUpstreamHttpTcpBridge) -> Box<dyn UpstreamHttpTcpBridge> {
        Box::new(Sum::default())
    }
}

#[derive(Default)]
struct Sum {
    bytes: usize,
    sum: u64,
}

impl Sum {
    fn answer(&self, envoy: &dyn EnvoyUpstreamHttpTcpBridge) {
        envoy.send_response(200, &[], format!("{} bytes of sum {}", self.bytes, self.sum).as_bytes());
    }
}

impl UpstreamHttpTcpBridge for Sum {
    fn on_encode_headers(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool) {
        if end_of_stream {
            self.answer(envoy);
        }
    }

    fn on_encode_data(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge, end_of_stream: bool) {
        let piece = envoy.get_request_buffer();
        self.bytes += piece.len();
        self.sum += piece.iter().copied().map(u64::from).sum::<u64>();
        if end_of_stream {
            self.answer(envoy);
        }
    }

    fn on_encode_trailers(&mut self, envoy: &dyn EnvoyUpstreamHttpTcpBridge) {
        self.answer(envoy);
    }

    fn on_upstream_data(&mut self, _envoy: &dyn EnvoyUpstreamHttpTcpBridge, _end_of_stream: bool) {}
}

//! `bridge`: answers a request with the number of bytes of its body, and their sum.

use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyUpstreamHttpTcpBridge, UpstreamHttpTcpBridge, UpstreamHttpTcpBridgeConfig,
};

pub fn new_config(name: &str, _config: &[u8]) -> Option<Box<dyn UpstreamHttpTcpBridgeConfig>> {
    (name == "bridge").then(|| -> Box<dyn UpstreamHttpTcpBridgeConfig> { Box::new(Config) })
}

struct Config;

impl UpstreamHttpTcpBridgeConfig for Config {
    fn new_bridge(&self, _envoy: &dyn EnvoyUpstreamHttpTcpBridge) -> Box<dyn UpstreamHttpTcpBridge> {
        Box::new(Bridge::default())
    }
}

#[derive(Default)]
struct Bridge {
    bytes: usize,
    sum: u64,
}

impl Bridge {
    fn answer(&self, envoy: &dyn EnvoyUpstreamHttpTcpBridge) {
        envoy.send_response(200, &[], format!("{} bytes of sum {}", self.bytes, self.sum).as_bytes());
    }
}

impl UpstreamHttpTcpBridge for Bridge {
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

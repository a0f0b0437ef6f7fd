//! The access loggers `lines`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::words::{shown, write};
use envoy_proxy_dynamic_modules_rust_sdk::access_log::{
    AccessLogger, AccessLoggerConfig, ConfigContext, CounterHandle, LogContext, MetricsContext,
};

const CALLBACKS: [&str; 4] = ["none", "log", "flush", "destroy"];

/// A configuration of any of them.
pub struct Config {
    does: Does,
    life: Life,
    logged: CounterHandle,
}

#[derive(Clone, Copy)]
enum Does {
    Lines,
    Panic(Plan),
}

// 1.37 has one type of loggers in a module, and wants its trait in scope; later ones have a function.
#[cfg(feature = "sdk-1-37")]
envoy_proxy_dynamic_modules_rust_sdk::declare_access_logger!(Config);

#[cfg(not(feature = "sdk-1-37"))]
pub fn new_config(ctx: &ConfigContext, name: &str, config: &[u8]) -> Option<Box<dyn AccessLoggerConfig>> {
    Some(Box::new(Config::new(ctx, name, config).ok()?))
}

impl AccessLoggerConfig for Config {
    fn new(ctx: &ConfigContext, name: &str, config: &[u8]) -> Result<Self, String> {
        let does = match name {
            "lines" => Does::Lines,
            "panic" => Does::Panic(Plan::parse_unguarded(config, &CALLBACKS).ok_or("no callback")?),
            _ => return Err("refused".to_owned()), // `refuse`, and what no one knows
        };
        let logged = ctx.define_counter("dmconform_logged").ok_or("no counter")?;
        Ok(Self { does, life: Life::begin("access_logger", "configuration", config), logged })
    }

    #[cfg(feature = "sdk-1-37")]
    fn create_logger(&self, metrics: MetricsContext) -> Box<dyn AccessLogger> {
        self.logger(metrics)
    }

    #[cfg(not(feature = "sdk-1-37"))]
    fn create_logger(&self, metrics: MetricsContext, _envoy: *mut std::ffi::c_void) -> Box<dyn AccessLogger> {
        self.logger(metrics)
    }
}

impl Config {
    fn logger(&self, metrics: MetricsContext) -> Box<dyn AccessLogger> {
        if let Does::Panic(plan) = self.does {
            plan.panic_in("creation");
        }
        Box::new(Logger { does: self.does, life: self.life.part("logger"), metrics, logged: self.logged })
    }
}

/// The logger of a thread.
struct Logger {
    does: Does,
    life: Life,
    metrics: MetricsContext,
    logged: CounterHandle,
}

impl AccessLogger for Logger {
    fn log(&mut self, ctx: &LogContext) {
        self.metrics.increment_counter(self.logged, 1);
        self.life.used();
        match &self.does {
            Does::Lines => write("access", self.life.config(), &seen(ctx)),
            Does::Panic(plan) => {
                if ctx.get_request_header("x-dmconform-panic").is_some() {
                    plan.panic_in("log");
                }
            }
        }
    }

    fn flush(&mut self) {
        match &self.does {
            Does::Lines => write("access", self.life.config(), &[("flushed", "yes".to_owned())]),
            Does::Panic(plan) => plan.panic_in("flush"),
        }
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        match &self.does {
            // A panic on top of another would end the process, whoever guards.
            Does::Panic(plan) if !std::thread::panicking() => plan.panic_in("destroy"),
            _ => (),
        }
    }
}

/// What there is to be seen of a request.
fn seen(ctx: &LogContext) -> Vec<(&'static str, String)> {
    let (timing, bytes) = (ctx.timing_info(), ctx.bytes_info());
    let mut pairs = vec![
        ("method", shown(ctx.get_request_header(":method"))),
        ("path", shown(ctx.get_request_header(":path"))),
        ("in", shown(ctx.get_request_header("x-dmconform-in"))),
        ("out", shown(ctx.get_response_header("x-dmconform-in"))),
        ("status", ctx.response_code().unwrap_or(0).to_string()),
        ("details", shown(ctx.response_code_details())),
        ("protocol", shown(ctx.protocol())),
        ("route", shown(ctx.route_name())),
        ("cluster", shown(ctx.upstream_cluster())),
        ("host", shown(ctx.upstream_host())),
        ("sni", shown(ctx.requested_server_name())),
        ("reply", shown(ctx.local_reply_body())),
        ("metadata", shown(ctx.get_dynamic_metadata("dmconform", "text"))),
        ("received", bytes.bytes_received.to_string()),
        ("sent", bytes.bytes_sent.to_string()),
        ("wire_received", bytes.wire_bytes_received.to_string()),
        ("wire_sent", bytes.wire_bytes_sent.to_string()),
        ("start_ns", timing.start_time_unix_ns.to_string()),
        ("complete_ns", timing.request_complete_duration_ns.to_string()),
        ("upstream_first_sent_ns", timing.first_upstream_tx_byte_sent_ns.to_string()),
        ("upstream_first_received_ns", timing.first_upstream_rx_byte_received_ns.to_string()),
        ("downstream_last_sent_ns", timing.last_downstream_tx_byte_sent_ns.to_string()),
        ("connection", ctx.connection_id().to_string()),
        ("mtls", ctx.is_mtls().to_string()),
        ("traced", ctx.is_trace_sampled().to_string()),
        ("health_check", ctx.is_health_check().to_string()),
    ];
    pairs.extend(later(ctx));
    pairs
}

/// What SDKs since 1.38 show besides.
#[cfg(not(feature = "sdk-1-37"))]
fn later(ctx: &LogContext) -> Vec<(&'static str, String)> {
    use envoy_proxy_dynamic_modules_rust_sdk::abi::{
        envoy_dynamic_module_type_attribute_id as Attribute, envoy_dynamic_module_type_http_header_type as HeaderType,
    };
    let remote = ctx.downstream_remote_address();
    vec![
        ("type", ctx.log_type().as_str().to_owned()),
        ("worker", ctx.get_worker_index().to_string()),
        ("flags", ctx.response_flags().to_string()),
        ("attempts", ctx.attempt_count().to_string()),
        ("headers", ctx.get_headers_count(HeaderType::RequestHeader).to_string()),
        ("scheme", shown(ctx.get_attribute_string(Attribute::RequestScheme))),
        ("address", shown(remote.as_ref().map(|(address, _)| address.as_slice()))),
        ("port", remote.map_or(0, |(_, port)| port).to_string()),
    ]
}

#[cfg(feature = "sdk-1-37")]
fn later(_ctx: &LogContext) -> Vec<(&'static str, String)> {
    Vec::new()
}

//! The tracers `spans`, `panic` and `refuse`.

use crate::library::this_library;
use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyTracerSpan, TraceReason, TracerConfig, TracerConfigContext, TracerCounterHandle, TracerSpan,
};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const HOOKS: [&str; 8] =
    ["none", "start_span", "set_tag", "inject_context", "spawn_child", "finish", "destroy", "config_destroy"];

/// How long a collector may take for each step.
const COLLECTOR: Duration = Duration::from_secs(2);

pub fn new_config(ctx: TracerConfigContext, name: &str, config: &[u8]) -> Option<Box<dyn TracerConfig>> {
    let life = || Life::begin("tracer", "configuration", config);
    match name {
        "spans" => {
            let finished = ctx.define_counter("dmconform_spans").ok()?;
            Some(Box::new(Spans(Arc::new(Shared { life: life(), ctx, finished }))))
        }
        "panic" => Some(Box::new(Panics { plan: Plan::parse_unguarded(config, &HOOKS)?, life: life() })),
        _ => None, // `refuse`, and what no one knows
    }
}

/// The configuration of `spans`.
struct Spans(Arc<Shared>);

/// What spans have of their configuration, which the host keeps as long as there are any.
struct Shared {
    life: Life,
    ctx: TracerConfigContext,
    finished: TracerCounterHandle,
}

impl TracerConfig for Spans {
    fn start_span(
        &self,
        envoy: &dyn EnvoyTracerSpan,
        operation_name: &str,
        traced: bool,
        reason: TraceReason,
    ) -> Option<Box<dyn TracerSpan>> {
        self.0.life.used();
        let came = envoy.get_context_value("traceparent").and_then(Parent::read);
        let seen = vec![
            ("traced", traced.to_string()),
            ("reason", format!("{reason:?}")),
            ("protocol", shown(envoy.get_protocol())),
            ("host", shown(envoy.get_host())),
            ("path", shown(envoy.get_path())),
            ("method", shown(envoy.get_method())),
        ];
        let collector = envoy.get_context_value("x-dmconform-collector");
        Some(Box::new(Span {
            life: self.0.life.part("span"),
            trace: came.as_ref().map_or_else(|| hexadecimal(2), |came| came.trace.clone()),
            parent: came.map(|came| came.span),
            span: hexadecimal(1),
            sampled: traced,
            operation: operation_name.to_owned(),
            collector: collector.and_then(|port| String::from_utf8(port).ok()?.parse().ok()),
            seen,
            tags: BTreeMap::new(),
            baggage: BTreeMap::new(),
            events: 0,
            shared: Arc::clone(&self.0),
        }))
    }
}

/// What came in the header `traceparent`: `00-TRACE-SPAN-FLAGS`.
struct Parent {
    trace: String,
    span: String,
}

impl Parent {
    fn read(value: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(value).ok()?;
        let mut parts = text.split('-').skip(1);
        Some(Self { trace: parts.next()?.to_owned(), span: parts.next()?.to_owned() })
    }
}

/// So many random numbers of 64 bits, each as 16 digits.
fn hexadecimal(numbers: usize) -> String {
    let number = || format!("{:016x}", std::hash::RandomState::new().build_hasher().finish());
    (0..numbers).map(|_| number()).collect::<Vec<_>>().concat()
}

/// The span of a request, or of a call upstream.
struct Span {
    shared: Arc<Shared>,
    life: Life,
    trace: String,
    span: String,
    parent: Option<String>,
    sampled: bool,
    operation: String,
    /// The port on loopback of the server that spans are sent to.
    collector: Option<u16>,
    /// What could be seen of the request when the span began.
    seen: Vec<(&'static str, String)>,
    tags: BTreeMap<String, String>,
    baggage: BTreeMap<String, String>,
    events: u64,
}

impl TracerSpan for Span {
    fn set_operation(&mut self, operation: &str) {
        operation.clone_into(&mut self.operation);
    }

    fn set_tag(&mut self, key: &str, value: &str) {
        self.tags.insert(key.to_owned(), value.to_owned());
    }

    fn log(&mut self, _timestamp_ns: i64, _event: &str) {
        self.events += 1;
    }

    fn finish(&mut self) {
        self.life.used();
        let _ = self.shared.ctx.increment_counter(self.shared.finished, 1);
        if let Some(port) = self.collector {
            if let Err(error) = send(port, &self.report()) {
                let line = format!("dmconform: the span {} is not sent: {error}\n", self.span);
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
    }

    fn inject_context(&mut self, envoy: &dyn EnvoyTracerSpan) {
        let flags = if self.sampled { "01" } else { "00" };
        envoy.set_context_value("traceparent", format!("00-{}-{}-{flags}", self.trace, self.span).as_bytes());
        envoy.set_context_value("x-dmconform-tracer", format!("{LANG} {}", self.life.config()).as_bytes());
        envoy.remove_context_value("x-dmconform-collector");
    }

    fn spawn_child(&mut self, name: &str, _start_time_ns: i64) -> Option<Box<dyn TracerSpan>> {
        Some(Box::new(Self {
            shared: Arc::clone(&self.shared),
            life: self.life.part("span"),
            trace: self.trace.clone(),
            span: hexadecimal(1),
            parent: Some(self.span.clone()),
            sampled: self.sampled,
            operation: name.to_owned(),
            collector: self.collector,
            seen: Vec::new(),
            tags: BTreeMap::new(),
            baggage: self.baggage.clone(),
            events: 0,
        }))
    }

    fn set_sampled(&mut self, sampled: bool) {
        self.sampled = sampled;
    }

    fn get_baggage(&self, key: &str) -> Option<String> {
        self.baggage.get(key).cloned()
    }

    fn set_baggage(&mut self, key: &str, value: &str) {
        self.baggage.insert(key.to_owned(), value.to_owned());
    }

    fn get_trace_id(&self) -> Option<String> {
        Some(self.trace.clone())
    }

    fn get_span_id(&self) -> Option<String> {
        Some(self.span.clone())
    }
}

impl Span {
    /// What a collector is sent: a line `NAME=VALUE` for each thing.
    fn report(&self) -> String {
        let mut pairs = vec![
            ("language".to_owned(), LANG.to_owned()),
            ("text".to_owned(), self.life.config().to_owned()),
            ("module".to_owned(), this_library().unwrap_or_else(|| "none".to_owned())),
            ("trace".to_owned(), escaped(&self.trace)),
            ("span".to_owned(), self.span.clone()),
            ("parent".to_owned(), self.parent.as_deref().map_or_else(|| "-".to_owned(), escaped)),
            ("operation".to_owned(), escaped(&self.operation)),
            ("sampled".to_owned(), self.sampled.to_string()),
            ("events".to_owned(), self.events.to_string()),
        ];
        pairs.extend(self.seen.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        pairs.extend(self.tags.iter().map(|(name, value)| (format!("tag {}", escaped(name)), escaped(value))));
        pairs.extend(self.baggage.iter().map(|(name, value)| (format!("baggage {}", escaped(name)), escaped(value))));
        pairs.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<Vec<_>>().concat()
    }
}

/// Sends a report to a collector, and waits until it has taken it.
fn send(port: u16, report: &str) -> std::io::Result<()> {
    let mut collector = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), COLLECTOR)?;
    collector.set_read_timeout(Some(COLLECTOR))?;
    collector.set_write_timeout(Some(COLLECTOR))?;
    let head = "POST /spans HTTP/1.1\r\nhost: collector\r\nconnection: close\r\ncontent-type: text/plain";
    collector.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{report}", report.len()).as_bytes())?;
    let mut answer = Vec::new();
    collector.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(std::io::Error::other("the collector does not take it"))
    }
}

/// What there is to be seen; `-` where there is nothing.
fn shown(value: Option<Vec<u8>>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.escape_ascii().to_string())
}

fn escaped(text: &str) -> String {
    text.as_bytes().escape_ascii().to_string()
}

/// The configuration of `panic`.
struct Panics {
    plan: Plan,
    life: Life,
}

impl TracerConfig for Panics {
    fn start_span(
        &self,
        envoy: &dyn EnvoyTracerSpan,
        _operation_name: &str,
        _traced: bool,
        _reason: TraceReason,
    ) -> Option<Box<dyn TracerSpan>> {
        let asked = envoy.get_context_value("x-dmconform-panic").is_some();
        let span = PanickingSpan { plan: self.plan, life: self.life.part("span"), asked };
        span.meets("start_span");
        Some(Box::new(span))
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.plan.panic_in("config_destroy");
        }
    }
}

/// A span that panics in the hook of the plan, where the request asks for it.
struct PanickingSpan {
    plan: Plan,
    life: Life,
    asked: bool,
}

impl PanickingSpan {
    fn meets(&self, hook: &str) {
        // A panic on top of another would end the process, whoever guards.
        if self.asked && !std::thread::panicking() {
            self.plan.panic_in(hook);
        }
    }
}

impl TracerSpan for PanickingSpan {
    fn set_operation(&mut self, _operation: &str) {}

    fn set_tag(&mut self, _key: &str, _value: &str) {
        self.meets("set_tag");
    }

    fn log(&mut self, _timestamp_ns: i64, _event: &str) {}

    fn finish(&mut self) {
        self.meets("finish");
    }

    fn inject_context(&mut self, _envoy: &dyn EnvoyTracerSpan) {
        self.meets("inject_context");
    }

    fn spawn_child(&mut self, _name: &str, _start_time_ns: i64) -> Option<Box<dyn TracerSpan>> {
        self.meets("spawn_child");
        Some(Box::new(Self { plan: self.plan, life: self.life.part("span"), asked: self.asked }))
    }

    fn set_sampled(&mut self, _sampled: bool) {}
}

impl Drop for PanickingSpan {
    fn drop(&mut self) {
        self.meets("destroy");
    }
}

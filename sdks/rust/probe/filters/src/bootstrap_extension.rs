//! The bootstrap extensions `process`, `panic` and `refuse`; `statistics` is in another file.

use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_http_callout_init_result as CalloutInitResult,
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    BootstrapExtension, BootstrapExtensionConfig, CompletionCallback, EnvoyBootstrapExtension,
    EnvoyBootstrapExtensionConfig, EnvoyBootstrapExtensionConfigScheduler, EnvoyBootstrapExtensionTimer, EnvoyBuffer,
    EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, FILE_WATCHER_EVENT_MODIFIED, FILE_WATCHER_EVENT_MOVED_TO,
};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const POINT: &str = "bootstrap_extension";
const PAGE: &str = "/dmconform";
/// What a path has in it that asks for a panic.
const ASKING: &str = "dmconform-panic";
const CALLBACKS: [&str; 10] = [
    "none",
    "server_initialized",
    "worker_thread_initialized",
    "scheduled",
    "timer",
    "admin",
    "callout_done",
    "shutdown",
    "destroy",
    "configuration_end",
];
const CALLOUT_MS: u64 = 5000;
/// What a path has in it that asks to hear of changes of a file, before the file.
const WATCH: &str = "?watch=";
const DELAY: Duration = Duration::from_millis(1);

pub fn new_config(
    envoy: &mut dyn EnvoyBootstrapExtensionConfig,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn BootstrapExtensionConfig>> {
    let plan = match name {
        "statistics" => return crate::statistics::new_config(envoy, config),
        "process" => None,
        "panic" => Some(Plan::parse_unguarded(config, &CALLBACKS)?),
        _ => return None,
    };
    let shared = Shared {
        plan,
        timers: envoy.define_counter("dmconform_timers").ok()?,
        workers: envoy.define_gauge("dmconform_workers").ok()?,
        heard: envoy.define_counter_vec("dmconform_heard", &["of", "what"]).ok()?,
        scheduler: envoy.new_scheduler(),
        timer: envoy.new_timer(),
        seen: Mutex::default(),
        life: Life::begin(POINT, "configuration", config),
    };
    envoy.signal_init_complete();
    Some(Box::new(Config(Arc::new(shared))))
}

/// What a configuration and its extension share.
struct Shared {
    plan: Option<Plan>,
    timers: EnvoyCounterId,
    workers: EnvoyGaugeId,
    heard: EnvoyCounterVecId,
    scheduler: Box<dyn EnvoyBootstrapExtensionConfigScheduler>,
    timer: Box<dyn EnvoyBootstrapExtensionTimer>,
    /// What has happened, a line each.
    seen: Mutex<Vec<String>>,
    life: Life,
}

impl Shared {
    /// Notes that something has happened, and panics if this is what is planned.
    fn reached(&self, callback: &str, more: &str) {
        self.seen.lock().unwrap().push(format!("{callback}{more}"));
        if let Some(plan) = self.plan {
            plan.panic_in(callback);
        }
    }

    fn number_of(&self, callback: &str) -> u64 {
        self.seen.lock().unwrap().iter().filter(|line| line.starts_with(callback)).count() as u64
    }
}

struct Config(Arc<Shared>);

impl BootstrapExtensionConfig for Config {
    fn new_bootstrap_extension(&self, _envoy: &mut dyn EnvoyBootstrapExtension) -> Box<dyn BootstrapExtension> {
        self.0.reached("creation", "");
        Box::new(Extension { _life: self.0.life.part("extension"), shared: Arc::clone(&self.0) })
    }

    /// Comes when Envoy is set up.
    fn on_scheduled(&self, envoy: &mut dyn EnvoyBootstrapExtensionConfig, event_id: u64) {
        let asked = [
            envoy.register_admin_handler(PAGE, "what this module has seen", true, false),
            envoy.enable_cluster_lifecycle(),
            envoy.enable_listener_lifecycle(),
        ];
        self.0.timer.enable(DELAY);
        self.0.reached("scheduled", &format!(" {event_id} {asked:?} {}", self.0.timer.enabled()));
    }

    fn on_timer_fired(&self, envoy: &mut dyn EnvoyBootstrapExtensionConfig, timer: &dyn EnvoyBootstrapExtensionTimer) {
        let _ = envoy.increment_counter(self.0.timers, 1);
        let _ = envoy.set_gauge(self.0.workers, self.0.number_of("worker_thread_initialized"));
        self.0.reached("timer", if timer.id() == self.0.timer.id() { "" } else { " another one" });
    }

    /// Answers with what has been seen. If it is asked with POST, watches a file or sends a request.
    fn on_admin_request(
        &self,
        envoy: &mut dyn EnvoyBootstrapExtensionConfig,
        method: &str,
        path: &str,
        _body: &[u8],
    ) -> (u32, String) {
        self.0.life.used();
        let mut started = String::new();
        let watched = path.split_once(WATCH).filter(|_| method == "POST");
        if let Some((_, file)) = watched {
            let events = FILE_WATCHER_EVENT_MOVED_TO | FILE_WATCHER_EVENT_MODIFIED;
            started = format!("watch {}\n", envoy.add_file_watch(file, events));
        } else if method == "POST" {
            let headers = vec![
                (":method", b"GET".as_slice()),
                (":path", path.as_bytes()),
                (":authority", b"dmconform".as_slice()),
                ("x-dmconform-text", self.0.life.config().as_bytes()),
            ];
            let (result, _) = envoy.send_http_callout("upstream", headers, None, CALLOUT_MS);
            started = format!("callout {}\n", result == CalloutInitResult::Success);
        }
        if path.contains(ASKING) && method != "POST" {
            self.0.reached("admin", "");
        }
        let seen = self.0.seen.lock().unwrap().join("\n");
        (200, format!("{LANG} [{}] {method} {path}\n{started}{seen}\n", self.0.life.config()))
    }

    fn on_http_callout_done(
        &self,
        _envoy: &mut dyn EnvoyBootstrapExtensionConfig,
        _callout_id: u64,
        result: CalloutResult,
        headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
        body: Option<&[EnvoyBuffer]>,
    ) {
        let status = headers.unwrap_or_default().iter().find(|(name, _)| name.as_slice() == b":status");
        let status = status.map_or_else(String::new, |(_, value)| value.as_slice().escape_ascii().to_string());
        let body: Vec<u8> = body.unwrap_or_default().iter().flat_map(|piece| piece.as_slice().to_vec()).collect();
        let done = result == CalloutResult::Success;
        self.0.reached("callout_done", &format!(" {done} {status} {}", String::from_utf8_lossy(&body)));
    }

    fn on_file_changed(&self, _envoy: &mut dyn EnvoyBootstrapExtensionConfig, path: &str, events: u32) {
        self.0.reached("file_changed", &format!(" {path} {events}"));
    }

    fn on_cluster_add_or_update(&self, envoy: &mut dyn EnvoyBootstrapExtensionConfig, name: &str) {
        let _ = envoy.increment_counter_vec(self.0.heard, &["cluster", name], 1);
        self.0.reached("cluster_add_or_update", &format!(" {name}"));
    }

    fn on_cluster_removal(&self, envoy: &mut dyn EnvoyBootstrapExtensionConfig, name: &str) {
        let _ = envoy.increment_counter_vec(self.0.heard, &["cluster", name], 1);
        self.0.reached("cluster_removal", &format!(" {name}"));
    }

    fn on_listener_add_or_update(&self, envoy: &mut dyn EnvoyBootstrapExtensionConfig, name: &str) {
        let _ = envoy.increment_counter_vec(self.0.heard, &["listener", name], 1);
        self.0.reached("listener_add_or_update", &format!(" {name}"));
    }

    fn on_listener_removal(&self, envoy: &mut dyn EnvoyBootstrapExtensionConfig, name: &str) {
        let _ = envoy.increment_counter_vec(self.0.heard, &["listener", name], 1);
        self.0.reached("listener_removal", &format!(" {name}"));
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        end(&self.0, "configuration_end");
    }
}

struct Extension {
    _life: Life, // ends before the configuration's
    shared: Arc<Shared>,
}

impl BootstrapExtension for Extension {
    fn on_server_initialized(&mut self, envoy: &mut dyn EnvoyBootstrapExtension) {
        let concurrency = envoy.get_gauge_value("server.concurrency").unwrap_or(0);
        let mut same = false;
        envoy.iterate_gauges(&mut |name, value| {
            same = (name, value) == ("server.concurrency", concurrency);
            !same
        });
        let listeners = envoy.get_counter_value("listener_manager.lds.update_attempt").is_some();
        self.shared.scheduler.commit(7);
        self.shared.reached("server_initialized", &format!(" {concurrency} {same} {listeners}"));
    }

    fn on_worker_thread_initialized(&mut self, _envoy: &mut dyn EnvoyBootstrapExtension) {
        self.shared.reached("worker_thread_initialized", "");
    }

    fn on_drain_started(&mut self, _envoy: &mut dyn EnvoyBootstrapExtension) {
        self.shared.reached("drain_started", "");
    }

    /// Lets Envoy wait for another thread.
    fn on_shutdown(&mut self, _envoy: &mut dyn EnvoyBootstrapExtension, completion: CompletionCallback) {
        self.shared.reached("shutdown", "");
        let config = self.shared.life.config().to_owned();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let line = format!("dmconform process {LANG} [{config}] shutdown\n");
                let _ = std::io::stderr().write_all(line.as_bytes());
                completion.done();
            });
        });
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        end(&self.shared, "destroy");
    }
}

/// Panics if this end is what is planned.
fn end(shared: &Shared, callback: &str) {
    // A panic on top of another would end the process, whoever guards.
    if let Some(plan) = shared.plan.filter(|_| !std::thread::panicking()) {
        plan.panic_in(callback);
    }
}

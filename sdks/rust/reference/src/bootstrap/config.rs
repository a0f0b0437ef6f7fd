//! What a module can ask of Envoy with the configuration of a bootstrap extension.

use super::{EnvoyBootstrapExtensionConfigScheduler, EnvoyBootstrapExtensionTimer};
use crate::abi::{
    self, envoy_dynamic_module_type_http_callout_init_result as CalloutInitResult,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
};
use crate::buffer::module_buffer;
use crate::http::{checked, module_headers};
use crate::metrics::module_buffers;
use crate::{EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::time::Duration;

/// Something of the file's name has taken its place.
pub const FILE_WATCHER_EVENT_MOVED_TO: u32 = 0x1;
/// The file has been written to.
pub const FILE_WATCHER_EVENT_MODIFIED: u32 = 0x2;

/// Envoy's side of the configuration of an extension. All but `new_scheduler` is for the main thread alone.
pub trait EnvoyBootstrapExtensionConfig {
    /// Makes what brings events of any thread to the main one.
    fn new_scheduler(&self) -> Box<dyn EnvoyBootstrapExtensionConfigScheduler>;
    /// Sends a request to a cluster, and returns whether it could be started, and its number.
    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: Vec<(&'a str, &'a [u8])>,
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (CalloutInitResult, u64);
    /// Lets Envoy go on with its start, which waits for it. To be called once.
    fn signal_init_complete(&self);
    /// Defines a counter.
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
    /// Defines counters that are told apart by labels.
    fn define_counter_vec(&mut self, name: &str, labels: &[&str]) -> Result<EnvoyCounterVecId, MetricsResult>;
    /// Defines a gauge.
    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult>;
    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
    /// Adds to the counter that has these values of its labels.
    fn increment_counter_vec(&self, id: EnvoyCounterVecId, labels: &[&str], value: u64) -> Result<(), MetricsResult>;
    /// Sets a gauge.
    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;
    /// Makes a timer, which is not set.
    fn new_timer(&self) -> Box<dyn EnvoyBootstrapExtensionTimer>;
    /// Lets the module hear of changes of a file.
    fn add_file_watch(&self, path: &str, events: u32) -> bool;
    /// Adds a page to the admin interface.
    fn register_admin_handler(
        &self,
        path_prefix: &str,
        help_text: &str,
        removable: bool,
        mutates_server_state: bool,
    ) -> bool;
    /// Lets the module hear of clusters that come and go.
    fn enable_cluster_lifecycle(&self) -> bool;
    /// Lets the module hear of listeners that come and go.
    fn enable_listener_lifecycle(&self) -> bool;
}

/// Envoy's side of the configuration of an extension; exists only while a callback runs.
pub(super) struct EnvoyConfig(pub(super) abi::envoy_dynamic_module_type_bootstrap_extension_config_envoy_ptr);

// SAFETY of every call below: what Envoy passed to the callback that is running, so it is alive; buffers outlive the calls.
impl EnvoyBootstrapExtensionConfig for EnvoyConfig {
    fn new_scheduler(&self) -> Box<dyn EnvoyBootstrapExtensionConfigScheduler> {
        // SAFETY: see above.
        let raw = unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_config_scheduler_new(self.0) };
        Box::new(Scheduler(raw))
    }

    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: Vec<(&'a str, &'a [u8])>,
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (CalloutInitResult, u64) {
        let (mut headers, mut id) = (module_headers(&headers), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_http_callout(
                self.0,
                &mut id,
                module_buffer(cluster_name.as_bytes()),
                headers.as_mut_ptr(),
                headers.len(),
                module_buffer(body.unwrap_or_default()),
                timeout_milliseconds,
            )
        };
        (result, id)
    }

    fn signal_init_complete(&self) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(self.0) }
    }

    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_config_define_counter(
                self.0,
                name,
                null_mut(),
                0,
                &mut id,
            )
        };
        checked(result, EnvoyCounterId(id))
    }

    fn define_counter_vec(&mut self, name: &str, labels: &[&str]) -> Result<EnvoyCounterVecId, MetricsResult> {
        let (name, mut labels, mut id) = (module_buffer(name.as_bytes()), module_buffers(labels), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_config_define_counter(
                self.0,
                name,
                labels.as_mut_ptr(),
                labels.len(),
                &mut id,
            )
        };
        checked(result, EnvoyCounterVecId(id))
    }

    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_config_define_gauge(
                self.0,
                name,
                null_mut(),
                0,
                &mut id,
            )
        };
        checked(result, EnvoyGaugeId(id))
    }

    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_config_increment_counter(
                self.0,
                id.0,
                null_mut(),
                0,
                value,
            )
        };
        checked(result, ())
    }

    fn increment_counter_vec(&self, id: EnvoyCounterVecId, labels: &[&str], value: u64) -> Result<(), MetricsResult> {
        let mut labels = module_buffers(labels);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_config_increment_counter(
                self.0,
                id.0,
                labels.as_mut_ptr(),
                labels.len(),
                value,
            )
        };
        checked(result, ())
    }

    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_config_set_gauge(self.0, id.0, null_mut(), 0, value)
        };
        checked(result, ())
    }

    fn new_timer(&self) -> Box<dyn EnvoyBootstrapExtensionTimer> {
        // SAFETY: see above.
        let raw = unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_timer_new(self.0) };
        Box::new(Timer { timer: TimerRef(raw) })
    }

    fn add_file_watch(&self, path: &str, events: u32) -> bool {
        let path = module_buffer(path.as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_file_watcher_add_watch(self.0, path, events) }
    }

    fn register_admin_handler(
        &self,
        path_prefix: &str,
        help_text: &str,
        removable: bool,
        mutates_server_state: bool,
    ) -> bool {
        let (path, help) = (module_buffer(path_prefix.as_bytes()), module_buffer(help_text.as_bytes()));
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_register_admin_handler(
                self.0,
                path,
                help,
                removable,
                mutates_server_state,
            )
        }
    }

    fn enable_cluster_lifecycle(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_enable_cluster_lifecycle(self.0) }
    }

    fn enable_listener_lifecycle(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_enable_listener_lifecycle(self.0) }
    }
}

struct Scheduler(abi::envoy_dynamic_module_type_bootstrap_extension_config_scheduler_module_ptr);

// SAFETY: Envoy's scheduler may be used on any thread, and by several at once.
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

impl EnvoyBootstrapExtensionConfigScheduler for Scheduler {
    fn commit(&self, event_id: u64) {
        // SAFETY: it lives until the drop.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_config_scheduler_commit(self.0, event_id) }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: it is used no more.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_config_scheduler_delete(self.0) }
    }
}

/// A timer that is the module's: it goes with this.
struct Timer {
    timer: TimerRef,
}

impl EnvoyBootstrapExtensionTimer for Timer {
    fn id(&self) -> usize {
        self.timer.id()
    }

    fn enable(&self, delay: Duration) {
        self.timer.enable(delay);
    }

    fn disable(&self) {
        self.timer.disable();
    }

    fn enabled(&self) -> bool {
        self.timer.enabled()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: it is used no more.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_timer_delete(self.timer.0) }
    }
}

/// A timer that somebody else holds.
pub(super) struct TimerRef(pub(super) *mut c_void);

// SAFETY: modules use timers on the main thread alone; that is their promise.
unsafe impl Send for TimerRef {}
// SAFETY: as above.
unsafe impl Sync for TimerRef {}

// SAFETY of every call below: the timer lives as long as what holds it.
impl EnvoyBootstrapExtensionTimer for TimerRef {
    fn id(&self) -> usize {
        self.0 as usize
    }

    fn enable(&self, delay: Duration) {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_timer_enable(self.0, milliseconds) }
    }

    fn disable(&self) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_timer_disable(self.0) }
    }

    fn enabled(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_bootstrap_extension_timer_enabled(self.0) }
    }
}

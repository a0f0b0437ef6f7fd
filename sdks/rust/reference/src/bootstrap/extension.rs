//! What a module implements of a bootstrap extension, and what it holds of Envoy's.

use super::{EnvoyBootstrapExtension, EnvoyBootstrapExtensionConfig};
use crate::abi;
use crate::buffer::EnvoyBuffer;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::time::Duration;

/// The configuration of an extension. All but the first is called on the main thread.
pub trait BootstrapExtensionConfig: Send + Sync {
    /// Makes the extension.
    fn new_bootstrap_extension(&self, envoy_extension: &mut dyn EnvoyBootstrapExtension)
        -> Box<dyn BootstrapExtension>;

    /// Called for each event of a scheduler.
    fn on_scheduled(&self, _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig, _event_id: u64) {}

    /// A request is done: answered, or failed.
    fn on_http_callout_done(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _callout_id: u64,
        _result: abi::envoy_dynamic_module_type_http_callout_result,
        _response_headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
        _response_body: Option<&[EnvoyBuffer]>,
    ) {
    }

    /// A timer has run out.
    fn on_timer_fired(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _timer: &dyn EnvoyBootstrapExtensionTimer,
    ) {
    }

    /// A file that is watched has changed.
    fn on_file_changed(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _path: &str,
        _events: u32,
    ) {
    }

    /// The module's page of the admin interface is asked for: returns the status and the body.
    fn on_admin_request(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _method: &str,
        _path: &str,
        _body: &[u8],
    ) -> (u32, String) {
        (404, String::new())
    }

    /// A cluster has come, or is another one now.
    fn on_cluster_add_or_update(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _cluster_name: &str,
    ) {
    }

    /// A cluster goes.
    fn on_cluster_removal(&self, _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig, _cluster_name: &str) {
    }

    /// A listener has come, or is another one now.
    fn on_listener_add_or_update(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _listener_name: &str,
    ) {
    }

    /// A listener goes.
    fn on_listener_removal(
        &self,
        _envoy_extension_config: &mut dyn EnvoyBootstrapExtensionConfig,
        _listener_name: &str,
    ) {
    }
}

/// An extension of the process.
pub trait BootstrapExtension: Send + Sync {
    /// Called on the main thread when Envoy is set up.
    fn on_server_initialized(&mut self, _envoy_extension: &mut dyn EnvoyBootstrapExtension) {}

    /// Called on each worker thread as it begins.
    fn on_worker_thread_initialized(&mut self, _envoy_extension: &mut dyn EnvoyBootstrapExtension) {}

    /// Envoy begins to drain.
    fn on_drain_started(&mut self, _envoy_extension: &mut dyn EnvoyBootstrapExtension) {}

    /// Envoy is about to end, and waits for `completion`.
    fn on_shutdown(&mut self, _envoy_extension: &mut dyn EnvoyBootstrapExtension, completion: CompletionCallback) {
        completion.done();
    }
}

/// What Envoy waits for. One that is dropped counts as done.
pub struct CompletionCallback {
    callback: abi::envoy_dynamic_module_type_event_cb,
    context: *mut c_void,
}

// SAFETY: Envoy's function may be called on any thread.
unsafe impl Send for CompletionCallback {}
// SAFETY: as above; it is called once, as that takes the value.
unsafe impl Sync for CompletionCallback {}

impl CompletionCallback {
    pub(super) fn new(callback: abi::envoy_dynamic_module_type_event_cb, context: *mut c_void) -> Self {
        Self { callback, context }
    }

    /// Lets Envoy go on.
    pub fn done(self) {
        drop(self);
    }
}

impl Drop for CompletionCallback {
    fn drop(&mut self) {
        if let Some(callback) = self.callback.take() {
            // SAFETY: Envoy's function, called once with Envoy's pointer.
            unsafe { callback(self.context) }
        }
    }
}

/// Brings events to the main thread.
pub trait EnvoyBootstrapExtensionConfigScheduler: Send + Sync {
    /// Has `BootstrapExtensionConfig::on_scheduled` called with this event.
    fn commit(&self, event_id: u64);
}

/// A timer of the main thread.
pub trait EnvoyBootstrapExtensionTimer: Send + Sync {
    /// What tells it from others.
    fn id(&self) -> usize;
    /// Sets it.
    fn enable(&self, delay: Duration);
    /// Sets it no more.
    fn disable(&self);
    /// Whether it is set.
    fn enabled(&self) -> bool;
}

/// Called for each extension with its name and its configuration; `None` refuses it.
pub type NewBootstrapExtensionConfigFunction =
    fn(&mut dyn EnvoyBootstrapExtensionConfig, &str, &[u8]) -> Option<Box<dyn BootstrapExtensionConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION: OnceLock<NewBootstrapExtensionConfigFunction> = OnceLock::new();

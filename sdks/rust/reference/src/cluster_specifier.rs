//! Specifiers of clusters, which name the cluster that a request goes to.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::http::checked;
use crate::{configured, guard, EnvoyCounterId};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_cluster_specifier_config_envoy_ptr;
type ConfigPtr = abi::envoy_dynamic_module_type_cluster_specifier_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_cluster_specifier_context_envoy_ptr;

/// Envoy's side of one selection; exists only while a hook runs.
pub struct ClusterSpecifierContext {
    envoy: EnvoyPtr,
}

shows_request! {
    ClusterSpecifierContext:
        envoy_dynamic_module_callback_cluster_specifier_get_request_headers_size
        envoy_dynamic_module_callback_cluster_specifier_get_request_headers
        envoy_dynamic_module_callback_cluster_specifier_get_request_header_value
        envoy_dynamic_module_callback_cluster_specifier_get_attribute_string
        envoy_dynamic_module_callback_cluster_specifier_get_cluster_host_count
}

// SAFETY of every call below: `envoy` is what Envoy passed to the hook that is running, so it is alive, and so is what it shows,
// as long as that hook runs; names and texts outlive the call.
impl ClusterSpecifierContext {
    /// The name of the route, where it has one.
    pub fn route_name(&self) -> Option<EnvoyBuffer<'_>> {
        let mut raw = NO_BYTES;
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_specifier_get_route_name(self.envoy, &mut raw)
                .then(|| EnvoyBuffer::from_raw(raw))
        }
    }

    /// Names the cluster.
    pub fn set_cluster_name(&mut self, cluster_name: &str) {
        let name = module_buffer(cluster_name.as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_cluster_specifier_set_cluster_name(self.envoy, name) }
    }

    /// How long the answer may take; zero for as long as it likes.
    pub fn set_timeout(&mut self, timeout: Duration) {
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_cluster_specifier_set_timeout(self.envoy, milliseconds) }
    }

    /// The status where there is no such cluster; whether it can be one.
    #[must_use]
    pub fn set_cluster_not_found_response_code(&mut self, status_code: u32) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_specifier_set_cluster_not_found_response_code(
                self.envoy,
                status_code,
            )
        }
    }

    /// Puts a text into the route's metadata.
    pub fn set_route_metadata_string(&mut self, namespace: &str, key: &str, value: &str) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_specifier_set_route_metadata_string(
                self.envoy,
                module_buffer(namespace.as_bytes()),
                module_buffer(key.as_bytes()),
                module_buffer(value.as_bytes()),
            );
        }
    }

    /// Puts a number into the route's metadata.
    pub fn set_route_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_specifier_set_route_metadata_number(
                self.envoy,
                module_buffer(namespace.as_bytes()),
                module_buffer(key.as_bytes()),
                value,
            );
        }
    }

    /// Puts true or false into the route's metadata.
    pub fn set_route_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_cluster_specifier_set_route_metadata_bool(
                self.envoy,
                module_buffer(namespace.as_bytes()),
                module_buffer(key.as_bytes()),
                value,
            );
        }
    }
}

/// The configuration of a specifier. Used by all threads.
pub trait ClusterSpecifierConfig: Send + Sync {
    /// Selects for a request; called anew where its route's cluster is. With `false`, what was selected before counts.
    fn on_select(&self, ctx: &mut ClusterSpecifierContext) -> bool;
}

/// What the specifiers of a configuration count by.
pub trait EnvoyClusterSpecifierMetrics: Send + Sync {
    /// Defines a counter while the configuration is made.
    fn define_counter(&self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
}

/// Envoy's side of a configuration.
struct Metrics(EnvoyConfigPtr);

// SAFETY: Envoy lets all threads count.
unsafe impl Send for Metrics {}
// SAFETY: as above.
unsafe impl Sync for Metrics {}

impl EnvoyClusterSpecifierMetrics for Metrics {
    counts! {
        envoy_dynamic_module_callback_cluster_specifier_config_define_counter
        envoy_dynamic_module_callback_cluster_specifier_config_increment_counter
    }
}

/// Called for each specifier with its name and its configuration; `None` refuses it.
pub type NewClusterSpecifierConfigFunction = fn(
    name: &str,
    config: &[u8],
    metrics: Arc<dyn EnvoyClusterSpecifierMetrics>,
) -> Option<Box<dyn ClusterSpecifierConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_CLUSTER_SPECIFIER_CONFIG_FUNCTION: OnceLock<NewClusterSpecifierConfigFunction> = OnceLock::new();

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn ClusterSpecifierConfig>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call, and `envoy` as long as the configuration lives.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_specifier_config_new(
    envoy: EnvoyConfigPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    let make = |name: &str, config: &[u8]| -> Option<Config> {
        NEW_CLUSTER_SPECIFIER_CONFIG_FUNCTION.get()?(name, config, Arc::new(Metrics(envoy)))
    };
    // SAFETY: Envoy's promise, see above.
    unsafe { configured::new("new_cluster_specifier_config", name, config, make) }
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_specifier_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { configured::destroy::<Config>(config) }
}

/// After a panic what was selected before counts.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the selection.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_specifier_select(config: ConfigPtr, envoy: EnvoyPtr) -> bool {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("on_select", || config.on_select(&mut ClusterSpecifierContext { envoy })).unwrap_or(false)
}

//! Specifiers of routes, which change the route that was found for a request, or turn it down.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
    envoy_dynamic_module_type_route_specifier_decision as RawDecision,
    envoy_dynamic_module_type_route_specifier_header_append_action as RawAction,
    envoy_dynamic_module_type_route_specifier_on_route_status as RawStatus,
    envoy_dynamic_module_type_route_specifier_route_kind as RawKind,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::http::checked;
use crate::{configured, guard, EnvoyCounterId};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_route_specifier_config_envoy_ptr;
type ConfigPtr = abi::envoy_dynamic_module_type_route_specifier_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_route_specifier_context_envoy_ptr;

/// What is to become of the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteDecision {
    /// It is changed as recorded.
    Unspecified,
    /// It stays as it is.
    PassThrough,
    /// There is none.
    NoRoute,
    /// The module cannot decide: the failure policy does.
    Error,
    /// The route that the request had before is used.
    ReusePrevious,
}

impl RouteDecision {
    fn raw(self) -> RawDecision {
        match self {
            Self::Unspecified => RawDecision::Unspecified,
            Self::PassThrough => RawDecision::PassThrough,
            Self::NoRoute => RawDecision::NoRoute,
            Self::Error => RawDecision::Error,
            Self::ReusePrevious => RawDecision::ReusePrevious,
        }
    }
}

/// Who is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRouteStatus {
    /// The next specifier.
    Continue,
    /// None: the route is final.
    StopIteration,
    /// None: the route is turned down, and matching goes on with the next one.
    StopIterationAndSkipRoute,
}

impl OnRouteStatus {
    fn raw(self) -> RawStatus {
        match self {
            Self::Continue => RawStatus::Continue,
            Self::StopIteration => RawStatus::StopIteration,
            Self::StopIterationAndSkipRoute => RawStatus::StopIterationAndSkipRoute,
        }
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// There is none.
    None,
    /// It leads to a cluster.
    RouteEntry,
    /// It answers, or redirects.
    DirectResponse,
}

/// What a header that is added does to one of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderAppendAction {
    /// It is one value more.
    AppendIfExistsOrAdd,
    /// The other one stays.
    AddIfAbsent,
    /// It replaces the other one.
    OverwriteIfExistsOrAdd,
    /// It replaces the other one, and without that is not added.
    OverwriteIfExists,
}

impl HeaderAppendAction {
    fn raw(self) -> RawAction {
        match self {
            Self::AppendIfExistsOrAdd => RawAction::AppendIfExistsOrAdd,
            Self::AddIfAbsent => RawAction::AddIfAbsent,
            Self::OverwriteIfExistsOrAdd => RawAction::OverwriteIfExistsOrAdd,
            Self::OverwriteIfExists => RawAction::OverwriteIfExists,
        }
    }
}

/// Envoy's side of one decision; exists only while a hook runs.
pub struct RouteSpecifierContext {
    envoy: EnvoyPtr,
}

shows_request! {
    RouteSpecifierContext:
        envoy_dynamic_module_callback_route_specifier_get_request_headers_size
        envoy_dynamic_module_callback_route_specifier_get_request_headers
        envoy_dynamic_module_callback_route_specifier_get_request_header_value
        envoy_dynamic_module_callback_route_specifier_get_attribute_string
        envoy_dynamic_module_callback_route_specifier_get_cluster_host_count
}

// SAFETY of every call below: `envoy` is what Envoy passed to the hook that is running, so it is alive, and so is what it shows,
// as long as that hook runs; names and texts outlive the call.
impl RouteSpecifierContext {
    /// What the route that was found does.
    pub fn input_route_kind(&self) -> RouteKind {
        // SAFETY: see above.
        match unsafe { abi::envoy_dynamic_module_callback_route_specifier_get_input_route_kind(self.envoy) } {
            RawKind::RouteEntry => RouteKind::RouteEntry,
            RawKind::DirectResponse => RouteKind::DirectResponse,
            _ => RouteKind::None,
        }
    }

    /// How long an answer to the route that was found may take.
    pub fn input_route_timeout(&self) -> Option<Duration> {
        let mut milliseconds = 0;
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_route_specifier_get_input_route_timeout(self.envoy, &mut milliseconds)
                .then(|| Duration::from_millis(milliseconds))
        }
    }

    /// The status that the route that was found answers with.
    pub fn input_route_response_code(&self) -> Option<u32> {
        let mut code = 0;
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_route_specifier_get_input_route_response_code(self.envoy, &mut code)
                .then_some(code)
        }
    }

    /// A text of the metadata of the route that was found.
    pub fn input_route_metadata_string(&self, namespace: &str, key: &str) -> Option<EnvoyBuffer<'_>> {
        let (namespace, key) = (module_buffer(namespace.as_bytes()), module_buffer(key.as_bytes()));
        self.shown(|envoy, result| {
            // SAFETY: see above.
            unsafe {
                abi::envoy_dynamic_module_callback_route_specifier_get_input_route_metadata(
                    envoy, namespace, key, result,
                )
            }
        })
    }

    fn shown(&self, show: impl FnOnce(EnvoyPtr, *mut RawBuffer) -> bool) -> Option<EnvoyBuffer<'_>> {
        let mut raw = NO_BYTES;
        // SAFETY: see above.
        show(self.envoy, &mut raw).then(|| unsafe { EnvoyBuffer::from_raw(raw) })
    }

    /// Decides; without it the route is changed as recorded.
    pub fn set_decision(&mut self, decision: RouteDecision) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_route_specifier_set_decision(self.envoy, decision.raw()) }
    }

    /// Puts a number on the route, with which its end is told.
    pub fn set_route_user_data(&mut self, user_data: u64) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_route_specifier_set_route_user_data(self.envoy, user_data) }
    }

    /// How long the answer may take; zero for as long as it likes.
    pub fn set_timeout(&mut self, timeout: Duration) {
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_route_specifier_set_timeout(self.envoy, milliseconds) }
    }

    /// The status where there is no such cluster; whether it can be one.
    pub fn set_cluster_not_found_response_code(&mut self, status_code: u32) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_route_specifier_set_cluster_not_found_response_code(
                self.envoy,
                status_code,
            )
        }
    }

    /// Puts a text into the route's metadata.
    pub fn set_route_metadata_string(&mut self, namespace: &str, key: &str, value: &str) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_route_specifier_set_route_metadata_string(
                self.envoy,
                module_buffer(namespace.as_bytes()),
                module_buffer(key.as_bytes()),
                module_buffer(value.as_bytes()),
            );
        }
    }

    /// Sets a header of the request; whether there can be such a header.
    pub fn add_request_header(&mut self, key: &str, value: &str, action: HeaderAppendAction) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_route_specifier_add_request_header(
                self.envoy,
                module_buffer(key.as_bytes()),
                module_buffer(value.as_bytes()),
                action.raw(),
            )
        }
    }

    /// Sets a header of the response; whether there can be such a header.
    pub fn add_response_header(&mut self, key: &str, value: &str, action: HeaderAppendAction) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_route_specifier_add_response_header(
                self.envoy,
                module_buffer(key.as_bytes()),
                module_buffer(value.as_bytes()),
                action.raw(),
            )
        }
    }
}

/// What Envoy shows of the route that was found.
macro_rules! shows {
    ($($(#[$doc:meta])* $method:ident $callback:ident;)*) => {
        impl RouteSpecifierContext {
            $(
                $(#[$doc])*
                pub fn $method(&self) -> Option<EnvoyBuffer<'_>> {
                    // SAFETY: see above.
                    self.shown(|envoy, result| unsafe { abi::$callback(envoy, result) })
                }
            )*
        }
    };
}

shows! {
    /// The name of its virtual host.
    input_route_virtual_host_name envoy_dynamic_module_callback_route_specifier_get_input_route_virtual_host_name;
    /// The cluster that it leads to.
    input_route_cluster_name envoy_dynamic_module_callback_route_specifier_get_input_route_cluster_name;
}

/// What takes a text, and returns whether it can be.
macro_rules! takes {
    ($($(#[$doc:meta])* $method:ident $callback:ident;)*) => {
        impl RouteSpecifierContext {
            $(
                $(#[$doc])*
                pub fn $method(&mut self, text: &str) -> bool {
                    // SAFETY: see above.
                    unsafe { abi::$callback(self.envoy, module_buffer(text.as_bytes())) }
                }
            )*
        }
    };
}

takes! {
    /// Names the cluster.
    set_cluster_name envoy_dynamic_module_callback_route_specifier_set_cluster_name;
    /// Names the route.
    set_route_name envoy_dynamic_module_callback_route_specifier_set_route_name;
    /// Sets the path that the upstream server sees.
    set_path envoy_dynamic_module_callback_route_specifier_set_path;
    /// Sets the authority that the upstream server sees.
    set_host envoy_dynamic_module_callback_route_specifier_set_host;
    /// Removes a header of the request.
    remove_request_header envoy_dynamic_module_callback_route_specifier_remove_request_header;
    /// Removes a header of the response.
    remove_response_header envoy_dynamic_module_callback_route_specifier_remove_response_header;
}

/// The configuration of a specifier. Used by all threads.
pub trait RouteSpecifierConfig: Send + Sync {
    /// Decides on a route; called anew where the route is looked for anew.
    fn on_route(&self, ctx: &mut RouteSpecifierContext) -> OnRouteStatus;

    /// The end of a route that has this number, on any thread.
    fn on_route_destroy(&self, user_data: u64) {
        let _ = user_data;
    }
}

/// Envoy's side of a configuration.
pub trait EnvoyRouteSpecifierConfig: Send + Sync {
    /// Defines a counter while the configuration is made.
    fn define_counter(&self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
}

struct EnvoyConfig(EnvoyConfigPtr);

// SAFETY: Envoy lets all threads count.
unsafe impl Send for EnvoyConfig {}
// SAFETY: as above.
unsafe impl Sync for EnvoyConfig {}

impl EnvoyRouteSpecifierConfig for EnvoyConfig {
    counts! {
        envoy_dynamic_module_callback_route_specifier_config_define_counter
        envoy_dynamic_module_callback_route_specifier_config_increment_counter
    }
}

/// Called for each specifier with its name and its configuration; `None` refuses it.
pub type NewRouteSpecifierConfigFunction = fn(
    name: &str,
    config: &[u8],
    envoy_config: Arc<dyn EnvoyRouteSpecifierConfig>,
) -> Option<Box<dyn RouteSpecifierConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_ROUTE_SPECIFIER_CONFIG_FUNCTION: OnceLock<NewRouteSpecifierConfigFunction> = OnceLock::new();

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn RouteSpecifierConfig>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call, and `envoy` as long as the configuration lives.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_route_specifier_config_new(
    envoy: EnvoyConfigPtr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    let make = |name: &str, config: &[u8]| -> Option<Config> {
        NEW_ROUTE_SPECIFIER_CONFIG_FUNCTION.get()?(name, config, Arc::new(EnvoyConfig(envoy)))
    };
    // SAFETY: Envoy's promise, see above.
    unsafe { configured::new("new_route_specifier_config", name, config, make) }
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_route_specifier_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe { configured::destroy::<Config>(config) }
}

/// After a panic the failure policy decides.
///
/// # Safety
/// Called by Envoy with what `…_config_new` returned, and its side of the decision.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_route_specifier_on_route(
    config: ConfigPtr,
    envoy: EnvoyPtr,
) -> RawStatus {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    let mut context = RouteSpecifierContext { envoy };
    let status = guard::run("on_route", || config.on_route(&mut context)).unwrap_or_else(|| {
        context.set_decision(RouteDecision::Error);
        OnRouteStatus::Continue
    });
    status.raw()
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, once for each route with a number.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_route_specifier_route_destroy(config: ConfigPtr, user_data: u64) {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    let _ = guard::run("on_route_destroy", || config.on_route_destroy(user_data));
}

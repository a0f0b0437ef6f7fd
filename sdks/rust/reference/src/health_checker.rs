//! Health checkers: what judges whether the hosts of a cluster are healthy.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_host_health as Health,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::{guard, held};
use std::sync::OnceLock;

type ConfigPtr = abi::envoy_dynamic_module_type_health_checker_config_module_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_health_checker_session_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_health_checker_session_module_ptr;
type SchedulerPtr = abi::envoy_dynamic_module_type_health_checker_scheduler_module_ptr;

/// How healthy a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostHealth {
    /// Not at all.
    Unhealthy,
    /// It works, but others are better.
    Degraded,
    /// It works.
    Healthy,
}

impl HostHealth {
    fn to_abi(self) -> Health {
        match self {
            Self::Unhealthy => Health::Unhealthy,
            Self::Degraded => Health::Degraded,
            Self::Healthy => Health::Healthy,
        }
    }

    fn from_abi(health: Health) -> Self {
        match health {
            Health::Healthy => Self::Healthy,
            Health::Degraded => Self::Degraded,
            _ => Self::Unhealthy,
        }
    }
}

/// The configuration of a health checker.
pub trait HealthCheckerConfig: Send + Sync {
    /// Makes the session of one host; called on the main thread.
    fn new_session(&self, host: &HealthCheckHost) -> Box<dyn HealthCheckerSession>;
}

/// The checks of one host.
pub trait HealthCheckerSession: Send {
    /// Called on the main thread when a check is due; the result goes to the reporter, from any thread.
    fn on_interval(&mut self, host: &HealthCheckHost, reporter: Reporter);
    /// Called on the main thread when no result has come in time.
    fn on_timeout(&mut self) {}
}

/// Called for each health checker with its name and its configuration; `None` refuses it.
pub type NewHealthCheckerConfigFunction = fn(name: &str, config: &[u8]) -> Option<Box<dyn HealthCheckerConfig>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_HEALTH_CHECKER_CONFIG_FUNCTION: OnceLock<NewHealthCheckerConfigFunction> = OnceLock::new();

/// Takes the results of checks, from any thread; after its session's end it drops them.
pub struct Reporter(SchedulerPtr);

// SAFETY: Envoy takes results from any thread.
unsafe impl Send for Reporter {}
// SAFETY: as above.
unsafe impl Sync for Reporter {}

impl Reporter {
    /// Tells Envoy how healthy the host is.
    pub fn report(&self, health: HostHealth) {
        // SAFETY: Envoy made it, and it is not given back yet.
        unsafe { abi::envoy_dynamic_module_callback_health_checker_scheduler_report(self.0, health.to_abi()) }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: as above; it is used no more.
            unsafe { abi::envoy_dynamic_module_callback_health_checker_scheduler_delete(self.0) }
        }
    }
}

/// A host that is checked; exists only while a callback runs.
pub struct HealthCheckHost(EnvoyPtr);

/// Functions that ask for a value of the metadata of a host's endpoint.
macro_rules! asks_metadata {
    ($($(#[$doc:meta])* $name:ident -> $result:ty => $callback:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, filter_name: &str, key: &str) -> Option<$result> {
                let (namespace, key) = (module_buffer(filter_name.as_bytes()), module_buffer(key.as_bytes()));
                let mut value = <$result>::default();
                // SAFETY: what Envoy passed to the callback that is running, so it is alive; the names outlive the call.
                unsafe { abi::$callback(self.0, namespace, key, &mut value) }.then_some(value)
            }
        )*
    };
}

impl HealthCheckHost {
    /// Its address with its port.
    pub fn address(&self) -> Option<EnvoyBuffer<'_>> {
        let mut found = NO_BYTES;
        // SAFETY: what Envoy passed to the callback that is running, so it is alive; its bytes live as long as that.
        unsafe {
            abi::envoy_dynamic_module_callback_health_checker_get_host_address(self.0, &mut found)
                .then(|| EnvoyBuffer::from_raw(found))
        }
    }

    /// A text of the metadata of its endpoint.
    pub fn metadata_string(&self, filter_name: &str, key: &str) -> Option<EnvoyBuffer<'_>> {
        let (namespace, key) = (module_buffer(filter_name.as_bytes()), module_buffer(key.as_bytes()));
        let mut found = NO_BYTES;
        let callback = abi::envoy_dynamic_module_callback_health_checker_get_host_metadata_string;
        // SAFETY: as above; the names outlive the call.
        unsafe { callback(self.0, namespace, key, &mut found).then(|| EnvoyBuffer::from_raw(found)) }
    }

    asks_metadata! {
        /// A number of the metadata of its endpoint.
        metadata_number -> f64 => envoy_dynamic_module_callback_health_checker_get_host_metadata_number;
        /// A truth value of the metadata of its endpoint.
        metadata_bool -> bool => envoy_dynamic_module_callback_health_checker_get_host_metadata_bool;
    }

    /// How healthy Envoy takes it to be.
    pub fn health(&self) -> HostHealth {
        // SAFETY: as above.
        HostHealth::from_abi(unsafe { abi::envoy_dynamic_module_callback_health_checker_get_host_health(self.0) })
    }
}

// What Envoy holds. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn HealthCheckerConfig>;
type Session = Box<dyn HealthCheckerSession>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_health_checker_config_new(
    _envoy: abi::envoy_dynamic_module_type_health_checker_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> ConfigPtr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_health_checker_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_HEALTH_CHECKER_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_health_checker_config_destroy(config: ConfigPtr) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// Returns null if making the session panics: Envoy then never checks this host.
///
/// # Safety
/// Called by Envoy, on the main thread, with what `…_config_new` returned, and its side of the session.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_health_checker_session_new(
    config: ConfigPtr,
    envoy: EnvoyPtr,
) -> ModulePtr {
    // SAFETY: Envoy's promise, see above.
    let config = unsafe { &*config.cast::<Config>() };
    guard::run("new_session", || config.new_session(&HealthCheckHost(envoy)))
        .map_or(std::ptr::null(), held::hold::<Session>)
}

/// # Safety
/// Called by Envoy, once, with what `…_session_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_health_checker_session_destroy(session: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_session_new` made it.
    unsafe { held::destroy::<Session>(session) }
}

/// If it panics, Envoy waits for the result until the time of the check is over, and takes it for a failure.
///
/// # Safety
/// Called by Envoy, on the main thread, with what `…_session_new` returned, and its side of the session.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_health_checker_session_on_interval(
    session: ModulePtr,
    envoy: EnvoyPtr,
) {
    // SAFETY: Envoy's promise, see above.
    let reporter = Reporter(unsafe { abi::envoy_dynamic_module_callback_health_checker_scheduler_new(envoy) });
    // SAFETY: as above.
    unsafe {
        held::call::<Session, _>(session, (), |session| {
            let _ = guard::run("on_interval", || session.on_interval(&HealthCheckHost(envoy), reporter));
        });
    }
}

/// # Safety
/// Called by Envoy, on the main thread, with what `…_session_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_health_checker_session_on_timeout(session: ModulePtr) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        held::call::<Session, _>(session, (), |session| {
            let _ = guard::run("on_timeout", || session.on_timeout());
        });
    }
}

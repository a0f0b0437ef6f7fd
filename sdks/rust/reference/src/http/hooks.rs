//! The functions that Envoy looks up and calls for HTTP filters. Each calls the module's code guarded: no panic leaves it.

use super::catch_unwind::answer_500;
use super::new::{NEW_HTTP_FILTER_CONFIG_FUNCTION, NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION};
use super::{EnvoyHttpFilter, EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl, HttpFilter, HttpFilterConfig};
use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_envoy_http_header as RawHeader,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
};
use crate::buffer::{header_pairs, pieces, EnvoyBuffer};
use crate::catch_unwind::CatchUnwind;
use crate::{guard, held};
use std::any::Any;
use std::sync::Arc;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn HttpFilterConfig<EnvoyHttpFilterImpl>>;

/// What Envoy holds for a configuration of a route.
type RouteConfig = Arc<dyn Any>;

/// What Envoy holds for a filter.
type Filter = CatchUnwind<Box<dyn HttpFilter<EnvoyHttpFilterImpl>>>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    envoy: abi::envoy_dynamic_module_type_http_filter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> abi::envoy_dynamic_module_type_http_filter_config_module_ptr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    // SAFETY: as above.
    let mut envoy = unsafe { EnvoyHttpFilterConfigImpl::new(envoy) };
    let made: Option<Config> = guard::run("new_http_filter_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_HTTP_FILTER_CONFIG_FUNCTION.get()?;
        new_config(&mut envoy, &name, config.as_slice())
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(
    config: abi::envoy_dynamic_module_type_http_filter_config_module_ptr,
) {
    // SAFETY: Envoy's promise, see above; `…_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    name: RawBuffer,
    config: RawBuffer,
) -> abi::envoy_dynamic_module_type_http_filter_per_route_config_module_ptr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<RouteConfig> = guard::run("new_http_filter_per_route_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION.get()?;
        new_config(&name, config.as_slice()).map(Arc::from)
    })
    .flatten();
    made.map_or(std::ptr::null(), |config| Box::into_raw(Box::new(config)).cast_const().cast())
}

/// # Safety
/// Called by Envoy, once, with what `…_per_route_config_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(
    config: abi::envoy_dynamic_module_type_http_filter_per_route_config_module_ptr,
) {
    // SAFETY: Envoy's promise, see above; `…_per_route_config_new` made it.
    let config = unsafe { Box::from_raw(config.cast::<RouteConfig>().cast_mut()) };
    let _ = guard::run("drop of the configuration of a route", || drop(config));
}

/// # Safety
/// Called by Envoy with what `…_config_new` returned, and the stream's filter.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    config: abi::envoy_dynamic_module_type_http_filter_config_module_ptr,
    envoy: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
) -> abi::envoy_dynamic_module_type_http_filter_module_ptr {
    // SAFETY: Envoy's promise, see above.
    let (config, mut envoy) = unsafe { (&*config.cast::<Config>(), EnvoyHttpFilterImpl::new(envoy)) };
    // Not null after a panic: Envoy would call on all the same, and the request would pass.
    let filter = guard::run("new_http_filter", || config.new_http_filter(&mut envoy)).unwrap_or(Box::new(Missing));
    held::hold::<Filter>(CatchUnwind::new(filter))
}

/// Stands in for a filter whose making panicked: its request is answered with a 500.
struct Missing;

macro_rules! missing {
    ($($receiver:tt)+) => {
        impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Missing {
            fn on_request_headers($($receiver)+, envoy_filter: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
                answer_500(envoy_filter);
                RequestHeadersStatus::StopIteration
            }
        }
    };
}

#[cfg(not(feature = "shared-self"))]
missing!(&mut self);
#[cfg(feature = "shared-self")]
missing!(&self);

/// # Safety
/// Called by Envoy, once, with what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(filter: ModulePtr) {
    // SAFETY: Envoy's promise, see above; `…_filter_new` made it.
    unsafe { held::destroy::<Filter>(filter) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(
    envoy: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
    filter: abi::envoy_dynamic_module_type_http_filter_module_ptr,
) {
    // Where the filter itself ends its stream, this comes while it does so, and must not be lost. Envoy keeps its side of the
    // filter until the callback has returned to its event loop.
    // SAFETY: Envoy's promise, see above.
    unsafe {
        held::notify::<Filter>(filter, move |filter| filter.on_stream_complete(&mut EnvoyHttpFilterImpl::new(envoy)));
    }
}

/// Defines the hooks whose answer is a status: `HOOK METHOD(PARAMETERS) -> STATUS`.
macro_rules! status_hooks {
    ($($hook:ident $method:ident($($end:ident)?) -> $status:ident;)*) => {
        $(
            /// # Safety
            /// Called by Envoy with its filter, and what `…_filter_new` returned.
            #[no_mangle]
            pub unsafe extern "C" fn $hook(
                envoy: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
                filter: abi::envoy_dynamic_module_type_http_filter_module_ptr,
                $($end: bool,)?
            ) -> abi::$status {
                // SAFETY: Envoy's promise, see above.
                unsafe { call(envoy, filter, abi::$status::Continue, |filter, envoy| filter.$method(envoy, $($end)?)) }
            }
        )*
    };
}

status_hooks! {
    envoy_dynamic_module_on_http_filter_request_headers on_request_headers(end_of_stream)
        -> envoy_dynamic_module_type_on_http_filter_request_headers_status;
    envoy_dynamic_module_on_http_filter_request_body on_request_body(end_of_stream)
        -> envoy_dynamic_module_type_on_http_filter_request_body_status;
    envoy_dynamic_module_on_http_filter_request_trailers on_request_trailers()
        -> envoy_dynamic_module_type_on_http_filter_request_trailers_status;
    envoy_dynamic_module_on_http_filter_response_headers on_response_headers(end_of_stream)
        -> envoy_dynamic_module_type_on_http_filter_response_headers_status;
    envoy_dynamic_module_on_http_filter_response_body on_response_body(end_of_stream)
        -> envoy_dynamic_module_type_on_http_filter_response_body_status;
    envoy_dynamic_module_on_http_filter_response_trailers on_response_trailers()
        -> envoy_dynamic_module_type_on_http_filter_response_trailers_status;
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    event_id: u64,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, (), |filter, envoy| filter.on_scheduled(envoy, event_id)) }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned; headers and body are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_http_callout_done(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    callout_id: u64,
    result: abi::envoy_dynamic_module_type_http_callout_result,
    headers: Headers,
    headers_size: usize,
    body: *mut RawBuffer,
    body_size: usize,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe {
        let (headers, body) = (header_pairs(headers, headers_size), pieces(body, body_size));
        call(envoy, filter, (), |filter, envoy| {
            filter.on_http_callout_done(envoy, callout_id, result, headers.as_deref(), body.as_deref());
        });
    }
}

type EnvoyPtr = abi::envoy_dynamic_module_type_http_filter_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_http_filter_module_ptr;
type Headers = *mut RawHeader;

ignored_hooks! {
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_http_filter_http_stream_headers(EnvoyPtr, ModulePtr, u64, Headers, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(EnvoyPtr, ModulePtr, u64, *const RawBuffer, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(EnvoyPtr, ModulePtr, u64, Headers, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(EnvoyPtr, ModulePtr, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(
        EnvoyPtr, ModulePtr, u64, abi::envoy_dynamic_module_type_http_stream_reset_reason
    );
}

/// Calls a filter; `otherwise` is the answer while the filter is busy.
///
/// # Safety
/// `envoy` is Envoy's filter, and `filter` what `…_filter_new` returned.
unsafe fn call<R>(
    envoy: EnvoyPtr,
    filter: ModulePtr,
    otherwise: R,
    action: impl FnOnce(&mut Filter, &mut EnvoyHttpFilterImpl) -> R,
) -> R {
    // SAFETY: the caller's promise.
    unsafe {
        let mut envoy = EnvoyHttpFilterImpl::new(envoy);
        held::call(filter, otherwise, |filter| action(filter, &mut envoy))
    }
}

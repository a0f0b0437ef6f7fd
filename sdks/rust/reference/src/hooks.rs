//! The functions that Envoy looks up and calls. Each calls the module's code guarded: no panic leaves it.

use crate::abi::{self, envoy_dynamic_module_type_envoy_buffer as RawBuffer};
use crate::buffer::EnvoyBuffer;
use crate::catch_unwind::CatchUnwind;
use crate::envoy::{EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl};
use crate::guard;
use crate::http::{HttpFilter, HttpFilterConfig};
use crate::init::NEW_HTTP_FILTER_CONFIG_FUNCTION;
use std::cell::RefCell;
use std::rc::Rc;

/// What Envoy holds for a configuration. Boxed twice, for a pointer to a `dyn` is not one word.
type Config = Box<dyn HttpFilterConfig<EnvoyHttpFilterImpl>>;

/// What Envoy holds for a filter. While a filter calls Envoy, Envoy can call back into it, so it is in a cell; and Envoy can
/// destroy it, so each callback holds it as well.
type Filter = RefCell<CatchUnwind<Box<dyn HttpFilter<EnvoyHttpFilterImpl>>>>;

/// # Safety
/// Called by Envoy: `name` and `config` are valid during the call.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    _envoy: abi::envoy_dynamic_module_type_http_filter_config_envoy_ptr,
    name: RawBuffer,
    config: RawBuffer,
) -> abi::envoy_dynamic_module_type_http_filter_config_module_ptr {
    // SAFETY: Envoy's promise, see above.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made: Option<Config> = guard::run("new_http_filter_config", || {
        let name = String::from_utf8_lossy(name.as_slice());
        let new_config = NEW_HTTP_FILTER_CONFIG_FUNCTION.get()?;
        new_config(&mut EnvoyHttpFilterConfigImpl::new(), &name, config.as_slice())
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
/// Called by Envoy with what `…_config_new` returned, and the stream's filter.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    config: abi::envoy_dynamic_module_type_http_filter_config_module_ptr,
    envoy: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
) -> abi::envoy_dynamic_module_type_http_filter_module_ptr {
    // SAFETY: Envoy's promise, see above.
    let (config, mut envoy) = unsafe { (&*config.cast::<Config>(), EnvoyHttpFilterImpl::new(envoy)) };
    guard::run("new_http_filter", || config.new_http_filter(&mut envoy)).map_or(std::ptr::null(), |filter| {
        let filter: Filter = RefCell::new(CatchUnwind::new(filter));
        Rc::into_raw(Rc::new(filter)).cast()
    })
}

/// # Safety
/// Called by Envoy, once, with what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(
    filter: abi::envoy_dynamic_module_type_http_filter_module_ptr,
) {
    if !filter.is_null() {
        // SAFETY: Envoy's promise, see above; `…_filter_new` made it.
        release(unsafe { Rc::from_raw(filter.cast::<Filter>()) });
    }
}

/// # Safety
/// Called by Envoy with its filter, and what `…_filter_new` returned.
#[no_mangle]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(
    envoy: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
    filter: abi::envoy_dynamic_module_type_http_filter_module_ptr,
) {
    // SAFETY: Envoy's promise, see above.
    unsafe { call(envoy, filter, (), |filter, envoy| filter.on_stream_complete(envoy)) }
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

/// Defines hooks that Envoy wants to find, of events that this SDK never causes or does not hand on.
macro_rules! ignored_hooks {
    ($($hook:ident($($type:ty),*);)*) => {
        $(
            /// Does nothing.
            #[no_mangle]
            pub extern "C" fn $hook($(_: $type),*) {}
        )*
    };
}

type EnvoyPtr = abi::envoy_dynamic_module_type_http_filter_envoy_ptr;
type ModulePtr = abi::envoy_dynamic_module_type_http_filter_module_ptr;
type Headers = *mut abi::envoy_dynamic_module_type_envoy_http_header;

ignored_hooks! {
    envoy_dynamic_module_on_http_filter_scheduled(EnvoyPtr, ModulePtr, u64);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(EnvoyPtr, ModulePtr);
    envoy_dynamic_module_on_http_filter_http_callout_done(
        EnvoyPtr, ModulePtr, u64, abi::envoy_dynamic_module_type_http_callout_result, Headers, usize, *mut RawBuffer, usize
    );
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
    action: impl FnOnce(&mut CatchUnwind<Box<dyn HttpFilter<EnvoyHttpFilterImpl>>>, &mut EnvoyHttpFilterImpl) -> R,
) -> R {
    if filter.is_null() {
        // The making of this filter panicked.
        return otherwise;
    }
    let filter = filter.cast::<Filter>();
    // SAFETY: the caller's promise; the count grows before a second owner is made.
    let (mut envoy, filter) = unsafe {
        Rc::increment_strong_count(filter);
        (EnvoyHttpFilterImpl::new(envoy), Rc::from_raw(filter))
    };
    let answer = match filter.try_borrow_mut() {
        Ok(mut filter) => action(&mut filter, &mut envoy),
        Err(_) => otherwise,
    };
    release(filter);
    answer
}

/// Gives up a hold on a filter; the last one drops it.
fn release(filter: Rc<Filter>) {
    let _ = guard::run("drop of the filter", || drop(filter));
}

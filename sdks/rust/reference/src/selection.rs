//! What specifiers of clusters and of routes have in common: what they see of the request, and their counters.

/// How many hosts a cluster has at a priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterHostCount {
    pub total: usize,
    pub healthy: usize,
    pub degraded: usize,
}

/// Defines what a context, which has Envoy's side of a selection in `envoy`, shows of the request, by these callbacks.
macro_rules! shows_request {
    ($context:ident: $size:ident $headers:ident $value:ident $attribute:ident $hosts:ident) => {
        // SAFETY of every call below: `envoy` is what Envoy passed to the hook that is running, so it is alive, and so is what it
        // shows, as long as that hook runs.
        impl $context {
            /// How many headers the request has.
            pub fn get_request_headers_count(&self) -> usize {
                // SAFETY: see above.
                unsafe { crate::abi::$size(self.envoy) }
            }

            /// All headers of the request.
            pub fn get_all_request_headers(&self) -> Vec<(crate::EnvoyBuffer<'_>, crate::EnvoyBuffer<'_>)> {
                let count = self.get_request_headers_count();
                let mut raw = Vec::<crate::abi::envoy_dynamic_module_type_envoy_http_header>::with_capacity(count);
                // SAFETY: see above; there is a place for each header, and Envoy fills all.
                unsafe {
                    if crate::abi::$headers(self.envoy, raw.as_mut_ptr()) {
                        raw.set_len(count);
                    }
                }
                let buffer = |ptr, length| {
                    // SAFETY: see above.
                    unsafe {
                        crate::EnvoyBuffer::from_raw(crate::abi::envoy_dynamic_module_type_envoy_buffer { ptr, length })
                    }
                };
                raw.iter()
                    .map(|one| (buffer(one.key_ptr, one.key_length), buffer(one.value_ptr, one.value_length)))
                    .collect()
            }

            /// A header of the request; its first value.
            pub fn get_request_header(&self, key: &str) -> Option<crate::EnvoyBuffer<'_>> {
                self.get_request_header_value(key, 0).map(|(value, _)| value)
            }

            /// One of the values of a header of the request, from 0, and how many there are.
            pub fn get_request_header_value(&self, key: &str, index: usize) -> Option<(crate::EnvoyBuffer<'_>, usize)> {
                let (mut raw, mut total) = (crate::buffer::NO_BYTES, 0);
                let key = crate::buffer::module_buffer(key.as_bytes());
                // SAFETY: see above; the key outlives the call.
                unsafe {
                    crate::abi::$value(self.envoy, key, &mut raw, index, &mut total)
                        .then(|| (crate::EnvoyBuffer::from_raw(raw), total))
                }
            }

            /// An attribute that is text.
            pub fn get_attribute_string(
                &self,
                attribute_id: crate::abi::envoy_dynamic_module_type_attribute_id,
            ) -> Option<crate::EnvoyBuffer<'_>> {
                let mut raw = crate::buffer::NO_BYTES;
                // SAFETY: see above.
                unsafe {
                    crate::abi::$attribute(self.envoy, attribute_id, &mut raw)
                        .then(|| crate::EnvoyBuffer::from_raw(raw))
                }
            }

            /// How many hosts a cluster has; `None` where this thread cannot send to it.
            pub fn get_cluster_host_count(&self, cluster_name: &str, priority: u32) -> Option<crate::ClusterHostCount> {
                let mut count = crate::ClusterHostCount { total: 0, healthy: 0, degraded: 0 };
                let name = crate::buffer::module_buffer(cluster_name.as_bytes());
                // SAFETY: see above; the name outlives the call.
                unsafe {
                    crate::abi::$hosts(
                        self.envoy,
                        name,
                        priority,
                        &mut count.total,
                        &mut count.healthy,
                        &mut count.degraded,
                    )
                    .then_some(count)
                }
            }
        }
    };
}

/// Defines the methods of a trait for Envoy's side of a configuration, which is field 0, that count by these callbacks.
macro_rules! counts {
    ($define:ident $increment:ident) => {
        fn define_counter(&self, name: &str) -> Result<crate::EnvoyCounterId, MetricsResult> {
            let mut id = 0;
            let name = crate::buffer::module_buffer(name.as_bytes());
            // SAFETY: Envoy's configuration outlives the module's; there are no labels; the name outlives the call.
            let result = unsafe { crate::abi::$define(self.0, name, std::ptr::null_mut(), 0, &mut id) };
            checked(result, crate::EnvoyCounterId(id))
        }

        fn increment_counter(&self, id: crate::EnvoyCounterId, value: u64) -> Result<(), MetricsResult> {
            // SAFETY: as above.
            checked(unsafe { crate::abi::$increment(self.0, id.0, std::ptr::null_mut(), 0, value) }, ())
        }
    };
}

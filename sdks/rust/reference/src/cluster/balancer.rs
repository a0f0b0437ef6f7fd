//! What a module can ask of Envoy while it chooses among the hosts of a cluster.

use crate::abi::{
    self, envoy_dynamic_module_type_cluster_host_envoy_ptr as HostPtr,
    envoy_dynamic_module_type_envoy_buffer as RawBuffer,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::text::{self, Text};

type EnvoyPtr = abi::envoy_dynamic_module_type_cluster_lb_envoy_ptr;
type ContextPtr = abi::envoy_dynamic_module_type_cluster_lb_context_envoy_ptr;

/// Envoy's side of what chooses a host.
pub trait EnvoyClusterLoadBalancer: Send {
    /// How many hosts there are.
    fn get_hosts_count(&self, priority: u32) -> usize;
    /// How many of them are healthy.
    fn get_healthy_host_count(&self, priority: u32) -> usize;
    /// The host with an address.
    fn find_host_by_address(&self, address: &str) -> Option<HostPtr>;
    /// The address of a host that came or went; only while the module is called because of that.
    fn get_member_update_host_address(&self, index: usize, is_added: bool) -> Option<String>;
}

/// A request that a host is chosen for.
pub trait ClusterLbContext {
    /// What the route's hash policy makes of the request.
    fn compute_hash_key(&self) -> Option<u64>;
    /// How many headers the request has.
    fn get_downstream_headers_size(&self) -> usize;
    /// A value of a header of the request, and how many values it has.
    fn get_downstream_header(&self, key: &str, index: usize) -> Option<(Text<'_>, usize)>;
    /// How often another host is to be chosen at most.
    fn get_host_selection_retry_count(&self) -> u32;
    /// The address of the host that a filter wants, and whether it takes no other.
    fn get_override_host(&self) -> Option<(Text<'_>, bool)>;
    /// The name of the server that the client asked for.
    fn get_downstream_connection_sni(&self) -> Option<Text<'_>>;
}

/// Tells Envoy of a choice that took time.
pub trait EnvoyAsyncHostSelectionComplete: Send {
    /// Tells of the host, or of none and why.
    #[cfg(feature = "sdk-1-38")]
    fn async_host_selection_complete(&self, host: Option<HostPtr>, details: &str);
    /// Tells of the host, or of none and why.
    #[cfg(not(feature = "sdk-1-38"))]
    fn complete(self: Box<Self>, host: Option<HostPtr>, details: &str);
}

/// Envoy's side of what chooses; exists only while a callback runs.
pub(super) struct EnvoyClusterLoadBalancerImpl(pub(super) EnvoyPtr);

// SAFETY: it does not leave the callback in which it is made, as it is lent there.
unsafe impl Send for EnvoyClusterLoadBalancerImpl {}

impl EnvoyClusterLoadBalancer for EnvoyClusterLoadBalancerImpl {
    fn get_hosts_count(&self, priority: u32) -> usize {
        // SAFETY: what Envoy passed to the callback that is running, so it is alive.
        unsafe { abi::envoy_dynamic_module_callback_cluster_lb_get_hosts_count(self.0, priority) }
    }

    fn get_healthy_host_count(&self, priority: u32) -> usize {
        // SAFETY: as above.
        unsafe { abi::envoy_dynamic_module_callback_cluster_lb_get_healthy_host_count(self.0, priority) }
    }

    fn find_host_by_address(&self, address: &str) -> Option<HostPtr> {
        let address = module_buffer(address.as_bytes());
        // SAFETY: as above; the address outlives the call.
        let host = unsafe { abi::envoy_dynamic_module_callback_cluster_lb_find_host_by_address(self.0, address) };
        (!host.is_null()).then_some(host)
    }

    fn get_member_update_host_address(&self, index: usize, is_added: bool) -> Option<String> {
        let mut found = NO_BYTES;
        let callback = abi::envoy_dynamic_module_callback_cluster_lb_get_member_update_host_address;
        // SAFETY: as above; Envoy's bytes live as long as the callback.
        unsafe { callback(self.0, index, is_added, &mut found).then(|| text::owned(EnvoyBuffer::from_raw(found))) }
    }
}

/// A request; exists only while a callback runs.
pub(super) struct Context(pub(super) ContextPtr);

impl Context {
    /// Asks for bytes.
    fn bytes(&self, ask: impl FnOnce(&mut RawBuffer) -> bool) -> Option<EnvoyBuffer<'_>> {
        let mut found = NO_BYTES;
        // SAFETY: Envoy's bytes live as long as the callback in which they are asked for.
        ask(&mut found).then(|| unsafe { EnvoyBuffer::from_raw(found) })
    }
}

// SAFETY of every call below: the request is what Envoy passed to the callback that is running, so it is alive; buffers that are
// passed outlive the call.
#[allow(clippy::undocumented_unsafe_blocks)]
impl ClusterLbContext for Context {
    fn compute_hash_key(&self) -> Option<u64> {
        let mut hash = 0;
        let callback = abi::envoy_dynamic_module_callback_cluster_lb_context_compute_hash_key;
        unsafe { callback(self.0, &mut hash) }.then_some(hash)
    }

    fn get_downstream_headers_size(&self) -> usize {
        unsafe { abi::envoy_dynamic_module_callback_cluster_lb_context_get_downstream_headers_size(self.0) }
    }

    fn get_downstream_header(&self, key: &str, index: usize) -> Option<(Text<'_>, usize)> {
        let mut values = 0;
        let key = module_buffer(key.as_bytes());
        let callback = abi::envoy_dynamic_module_callback_cluster_lb_context_get_downstream_header;
        let found = self.bytes(|to| unsafe { callback(self.0, key, to, index, &mut values) });
        found.map(|value| (text::of(value), values))
    }

    fn get_host_selection_retry_count(&self) -> u32 {
        unsafe { abi::envoy_dynamic_module_callback_cluster_lb_context_get_host_selection_retry_count(self.0) }
    }

    fn get_override_host(&self) -> Option<(Text<'_>, bool)> {
        let mut strict = false;
        let callback = abi::envoy_dynamic_module_callback_cluster_lb_context_get_override_host;
        self.bytes(|to| unsafe { callback(self.0, to, &mut strict) }).map(|address| (text::of(address), strict))
    }

    fn get_downstream_connection_sni(&self) -> Option<Text<'_>> {
        let callback = abi::envoy_dynamic_module_callback_cluster_lb_context_get_downstream_connection_sni;
        self.bytes(|to| unsafe { callback(self.0, to) }).map(text::of)
    }
}

/// A choice that can take time.
pub(super) struct Completion {
    pub(super) envoy: EnvoyPtr,
    pub(super) context: ContextPtr,
}

// SAFETY: Envoy takes a choice from any thread.
unsafe impl Send for Completion {}

impl Completion {
    fn tell(&self, host: Option<HostPtr>, details: &str) {
        let details = module_buffer(details.as_bytes());
        let callback = abi::envoy_dynamic_module_callback_cluster_lb_async_host_selection_complete;
        // SAFETY: Envoy's pointers, which it looks at only if both are alive; the text outlives the call.
        unsafe { callback(self.envoy, self.context, host.unwrap_or(std::ptr::null_mut()), details) }
    }
}

impl EnvoyAsyncHostSelectionComplete for Completion {
    #[cfg(feature = "sdk-1-38")]
    fn async_host_selection_complete(&self, host: Option<HostPtr>, details: &str) {
        self.tell(host, details);
    }

    #[cfg(not(feature = "sdk-1-38"))]
    fn complete(self: Box<Self>, host: Option<HostPtr>, details: &str) {
        self.tell(host, details);
    }
}

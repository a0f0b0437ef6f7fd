// A listener filter that lets the chain of filters go on from an event, and then asks for the address of the client.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
static envoy_dynamic_module_type_listener_filter_scheduler_module_ptr scheduler;

envoy_dynamic_module_type_listener_filter_module_ptr envoy_dynamic_module_on_listener_filter_new(
    envoy_dynamic_module_type_listener_filter_config_module_ptr config,
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter) {
  return filter;
}

envoy_dynamic_module_type_on_listener_filter_status envoy_dynamic_module_on_listener_filter_on_accept(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  scheduler = envoy_dynamic_module_callback_listener_filter_scheduler_new(filter);
  envoy_dynamic_module_callback_listener_filter_scheduler_commit(scheduler, 1);
  return envoy_dynamic_module_type_on_listener_filter_status_StopIteration;
}

void envoy_dynamic_module_on_listener_filter_scheduled(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module,
    uint64_t event) {
  envoy_dynamic_module_type_envoy_buffer address = {0, 0};
  uint32_t port = 0;
  envoy_dynamic_module_callback_listener_filter_continue_filter_chain(filter, true);
  envoy_dynamic_module_callback_listener_filter_get_remote_address(filter, &address, &port);
  envoy_dynamic_module_callback_listener_filter_scheduler_delete(scheduler);
}
#endif

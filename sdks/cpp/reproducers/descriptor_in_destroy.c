// A transport socket that asks for its file descriptor from inside the hook that destroys the socket.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 139
envoy_dynamic_module_type_transport_socket_module_ptr envoy_dynamic_module_on_transport_socket_new(
    envoy_dynamic_module_type_transport_socket_factory_config_module_ptr config,
    envoy_dynamic_module_type_transport_socket_envoy_ptr socket) {
  return socket;
}

void envoy_dynamic_module_on_transport_socket_destroy(envoy_dynamic_module_type_transport_socket_module_ptr socket) {
  envoy_dynamic_module_callback_transport_socket_get_fd((envoy_dynamic_module_type_transport_socket_envoy_ptr)socket);
}
#endif

// The hooks of network filters. Callouts and events come only to a module that asked for them, and watermarks are
// optional: hosts do without these hooks.
#include "find.h"
#include "host_network.h"
#include "instance.h"
#include "lend.h"

#if DMCONFORM_SDK_MINOR >= 139

using namespace Envoy::DynamicModules; // NOLINT(google-build-using-namespace): a file of C functions

namespace {

struct NetworkConfig {
  explicit NetworkConfig(void* host) : handle(host) {}

  HostNetworkConfigHandle handle;
  std::unique_ptr<NetworkFilterFactory> factory;
};

using Connection = Instance<HostNetworkHandle, NetworkFilter>;

Connection& connection(const void* pointer) {
  return *const_cast<Connection*>(static_cast<const Connection*>(pointer));
}

void closeConnection(Connection& self) {
  self.handle.closeWithDetails(NetworkConnectionCloseType::NoFlush, kExceptionDetail);
}

// A hook on the way of the connection's data: where it throws, the connection is closed.
template <class Call>
envoy_dynamic_module_type_on_network_filter_data_status onConnection(const void* pointer, std::string_view hook,
                                                                     Call call) {
  constexpr auto stop = envoy_dynamic_module_type_on_network_filter_data_status_StopIteration;
  return guardedCall(connection(pointer), hook, stop, stop, closeConnection, call);
}

} // namespace

extern "C" {

const void* envoy_dynamic_module_on_network_filter_config_new(void* host, envoy_dynamic_module_type_envoy_buffer name,
                                                              envoy_dynamic_module_type_envoy_buffer config) {
  return guarded(
      "network_filter_config_new",
      [&]() -> const void* {
        auto* factory = find<NetworkFilterConfigFactory>(text(name));
        if (factory == nullptr) {
          return nullptr;
        }
        auto made = std::make_unique<NetworkConfig>(host);
        made->factory = factory->create(made->handle, text(config));
        return made->factory == nullptr ? nullptr : made.release();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_network_filter_config_destroy(const void* config) {
  delete static_cast<const NetworkConfig*>(config);
}

// Null where there is no filter: then the host closes the connection.
const void* envoy_dynamic_module_on_network_filter_new(const void* config, void* host) {
  return guarded(
      "network_filter_new",
      [&]() -> const void* {
        auto made = std::make_shared<Connection>(host);
        made->filter = static_cast<const NetworkConfig*>(config)->factory->create(made->handle);
        made->owner = made->filter == nullptr ? nullptr : made;
        return made->owner.get();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_network_filter_destroy(const void* filter) {
  release(connection(filter), "network_filter_destroy", [](NetworkFilter& self) { self.onDestroy(); });
}

envoy_dynamic_module_type_on_network_filter_data_status
envoy_dynamic_module_on_network_filter_new_connection(void*, const void* filter) {
  return onConnection(filter, "network_filter_new_connection",
                      [](Connection& self) { return self.filter->onNewConnection(); });
}

envoy_dynamic_module_type_on_network_filter_data_status
envoy_dynamic_module_on_network_filter_read(void*, const void* filter, size_t, bool end_stream) {
  return onConnection(filter, "network_filter_read",
                      [&](Connection& self) { return self.filter->onRead(self.handle.readBuffer(), end_stream); });
}

envoy_dynamic_module_type_on_network_filter_data_status
envoy_dynamic_module_on_network_filter_write(void*, const void* filter, size_t, bool end_stream) {
  return onConnection(filter, "network_filter_write",
                      [&](Connection& self) { return self.filter->onWrite(self.handle.writeBuffer(), end_stream); });
}

void envoy_dynamic_module_on_network_filter_event(void*, const void* filter,
                                                  envoy_dynamic_module_type_network_connection_event event) {
  const auto what = static_cast<NetworkConnectionEvent>(event);
  const bool closing = what == NetworkConnectionEvent::RemoteClose || what == NetworkConnectionEvent::LocalClose;
  guardedEvent(connection(filter), "network_filter_event", closing ? leaveAlone<Connection> : closeConnection,
               [&](Connection& self) { self.filter->onEvent(what); });
}

} // extern "C"

#endif

// The hooks of listener filters. Callouts and events come only to a module that asked for them, and hosts do without
// most of their hooks.
#include "find.h"
#include "host_listener.h"
#include "instance.h"
#include "lend.h"

#if DMCONFORM_SDK_MINOR >= 139

using namespace Envoy::DynamicModules; // NOLINT(google-build-using-namespace): a file of C functions

namespace {

struct ListenerConfig {
  explicit ListenerConfig(void* host) : handle(host) {}

  HostListenerConfigHandle handle;
  std::unique_ptr<ListenerFilterFactory> factory;
};

using Accepted = Instance<HostListenerHandle, ListenerFilter>;

Accepted& accepted(const void* pointer) { return *const_cast<Accepted*>(static_cast<const Accepted*>(pointer)); }

void closeSocket(Accepted& self) { self.handle.closeSocket(kExceptionDetail); }

// A hook on the way to the filter chain: where it throws, the socket is closed.
template <class Call>
envoy_dynamic_module_type_on_listener_filter_status onAccepted(const void* pointer, std::string_view hook, Call call) {
  constexpr auto stop = envoy_dynamic_module_type_on_listener_filter_status_StopIteration;
  return guardedCall(accepted(pointer), hook, stop, stop, closeSocket, call);
}

} // namespace

extern "C" {

const void* envoy_dynamic_module_on_listener_filter_config_new(void* host, envoy_dynamic_module_type_envoy_buffer name,
                                                               envoy_dynamic_module_type_envoy_buffer config) {
  return guarded(
      "listener_filter_config_new",
      [&]() -> const void* {
        auto* factory = find<ListenerFilterConfigFactory>(text(name));
        if (factory == nullptr) {
          return nullptr;
        }
        auto made = std::make_unique<ListenerConfig>(host);
        made->factory = factory->create(made->handle, text(config));
        return made->factory == nullptr ? nullptr : made.release();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_listener_filter_config_destroy(const void* config) {
  delete static_cast<const ListenerConfig*>(config);
}

// Null where there is no filter: then the host closes the socket.
const void* envoy_dynamic_module_on_listener_filter_new(const void* config, void* host) {
  return guarded(
      "listener_filter_new",
      [&]() -> const void* {
        auto made = std::make_shared<Accepted>(host);
        made->filter = static_cast<const ListenerConfig*>(config)->factory->create(made->handle);
        made->owner = made->filter == nullptr ? nullptr : made;
        return made->owner.get();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_listener_filter_destroy(const void* filter) {
  release(accepted(filter), "listener_filter_destroy", [](ListenerFilter& self) { self.onDestroy(); });
}

envoy_dynamic_module_type_on_listener_filter_status
envoy_dynamic_module_on_listener_filter_on_accept(void*, const void* filter) {
  return onAccepted(filter, "listener_filter_on_accept", [](Accepted& self) { return self.filter->onAccept(); });
}

envoy_dynamic_module_type_on_listener_filter_status
envoy_dynamic_module_on_listener_filter_on_data(void*, const void* filter, size_t data_length) {
  return onAccepted(filter, "listener_filter_on_data",
                    [&](Accepted& self) { return self.filter->onData(data_length); });
}

void envoy_dynamic_module_on_listener_filter_on_close(void*, const void* filter) {
  guardedEvent(accepted(filter), "listener_filter_on_close", leaveAlone<Accepted>,
               [](Accepted& self) { self.filter->onClose(); });
}

size_t envoy_dynamic_module_on_listener_filter_get_max_read_bytes(void*, const void* filter) {
  return guardedCall(accepted(filter), "listener_filter_get_max_read_bytes", size_t{0}, size_t{0}, closeSocket,
                     [](Accepted& self) { return self.filter->maxReadBytes(); });
}

// Hosts demand this one.
void envoy_dynamic_module_on_listener_filter_scheduled(void*, const void*, uint64_t) {}

} // extern "C"

#endif

// The hooks of the module, of HTTP filter configurations and of the life of a filter.
#include "find.h"
#include "host_config.h"
#include "lend.h"
#include "stream.h"

using namespace Envoy::DynamicModules; // NOLINT(google-build-using-namespace): a file of C functions

namespace {

struct HttpConfig {
  explicit HttpConfig(void* host) : handle(host) {}
  HostConfigHandle handle;
  std::unique_ptr<HttpFilterFactory> factory;
};

} // namespace

extern "C" {

const char* envoy_dynamic_module_on_program_init(void) { return DMCONFORM_ABI_VERSION; }

const void* envoy_dynamic_module_on_http_filter_config_new(void* host, envoy_dynamic_module_type_envoy_buffer name,
                                                           envoy_dynamic_module_type_envoy_buffer config) {
  return guarded(
      "http_filter_config_new",
      [&]() -> const void* {
        auto* factory = find<HttpFilterConfigFactory>(text(name));
        if (factory == nullptr) {
          return nullptr;
        }
        auto made = std::make_unique<HttpConfig>(host);
        made->factory = factory->create(made->handle, text(config));
        return made->factory == nullptr ? nullptr : made.release();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_http_filter_config_destroy(const void* config) {
  delete static_cast<const HttpConfig*>(config);
}

const void* envoy_dynamic_module_on_http_filter_per_route_config_new(envoy_dynamic_module_type_envoy_buffer name,
                                                                     envoy_dynamic_module_type_envoy_buffer config) {
  return guarded(
      "http_filter_per_route_config_new",
      [&]() -> const void* {
        auto* factory = find<HttpFilterConfigFactory>(text(name));
        return factory == nullptr ? nullptr : factory->createPerRoute(text(config)).release();
      },
      [] { return nullptr; });
}

void envoy_dynamic_module_on_http_filter_per_route_config_destroy(const void* config) {
  delete static_cast<const RouteSpecificConfig*>(config);
}

// Never null, which hosts do not expect: without a filter, the request is answered with a 500.
const void* envoy_dynamic_module_on_http_filter_new(const void* config, void* host) {
  auto made = std::make_shared<Stream>(host);
  made->owner = made;
  guarded(
      "http_filter_new",
      [&] { made->filter = static_cast<const HttpConfig*>(config)->factory->create(made->handle); }, [] {});
  made->broken = made->filter == nullptr;
  return made.get();
}

void envoy_dynamic_module_on_http_filter_destroy(const void* filter) {
  release(stream(filter), "http_filter_destroy", []([[maybe_unused]] HttpFilter& self) {
#if DMCONFORM_SDK_MINOR >= 138
    self.onDestroy();
#endif
  });
}

} // extern "C"

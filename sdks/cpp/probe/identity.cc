// `identity`: tells which library runs, and for how long it has been loaded.
#include "pass_through.h"

#include <atomic>
#include <cstdint>
#include <string>

#include <dlfcn.h>

namespace dmconform {
namespace {

// How many response headers were handled since the library was loaded.
std::atomic<uint64_t> handled = 0;

// The file name of the library that has `address`.
std::string libraryOf(const void* address) {
  Dl_info info{};
  if (address == nullptr || dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
    return "none";
  }
  const std::string_view path = info.dli_fname;
  return std::string(path.substr(path.rfind('/') + 1)); // npos + 1 is 0
}

// Which library the global scope alone has the marker of: RTLD_DEFAULT would find this library's own one too.
std::string globalMarker() {
  void* global = dlopen(nullptr, RTLD_LAZY);
  const std::string library(libraryOf(dlsym(global, "dmconform_marker")));
  dlclose(global);
  return library;
}

class Identity final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view) { return Config(); }

  Identity(dm::HttpFilterHandle&, const Config&) {}

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-module", libraryOf(&handled));
    headers.set("x-dmconform-count", std::to_string(++handled));
    headers.set("x-dmconform-global", globalMarker());
    return dm::HeadersStatus::Continue;
  }
};

using IdentityFactory = ConfigFactoryOf<Identity>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(IdentityFactory, "identity");

} // namespace
} // namespace dmconform

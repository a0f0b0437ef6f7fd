// `identity`: tells which library runs, and for how long it has been loaded.
#include "handled.h"
#include "library.h"
#include "pass_through.h"

#include <string>

#include <dlfcn.h>

namespace dmconform {
namespace {

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

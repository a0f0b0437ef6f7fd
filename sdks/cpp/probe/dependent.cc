// `dependent`: opens another library, which needs a symbol of this one.
#include "pass_through.h"

#include <string>

#include <dlfcn.h>

namespace dmconform {
namespace {

using Library = std::shared_ptr<void>; // closed with its last owner
using Function = const char* (*)();

class Dependent final : public PassThrough {
public:
  struct Config {
    Library library;
    Function function;
  };

  static std::optional<Config> parse(dm::HttpFilterConfigHandle& handle, std::string_view path) {
    void* opened = dlopen(std::string(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) {
      return refused(handle);
    }
    Library library(opened, dlclose);
    void* function = dlsym(opened, "dmconform_dependent");
    return function == nullptr ? refused(handle) : Config{std::move(library), reinterpret_cast<Function>(function)};
  }

  Dependent(dm::HttpFilterHandle&, const Config& config) : config_(config) {}

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-dependent", config_.function());
    return dm::HeadersStatus::Continue;
  }

private:
  // Refuses, and logs what the dynamic linker says.
  static std::optional<Config> refused(dm::HttpFilterConfigHandle& handle) {
    const char* error = dlerror();
    DYM_LOG(handle, dm::LogLevel::Error, "{}", error == nullptr ? "dlopen failed" : error);
    return std::nullopt;
  }

  const Config& config_; // the factory's, which outlives its filters
};

using DependentFactory = ConfigFactoryOf<Dependent>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(DependentFactory, "dependent");

} // namespace
} // namespace dmconform

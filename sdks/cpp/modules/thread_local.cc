// `thread_local`: counts in a thread-local variable. In the module `thread_local` only.
#include "pass_through.h"

#include <cstdint>
#include <string>

namespace dmconform {
namespace {

// How many response headers this thread has handled since the library was loaded.
thread_local uint64_t handled = 0;

class ThreadLocal final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view) { return Config(); }

  ThreadLocal(dm::HttpFilterHandle&, const Config&) {}

  dm::HeadersStatus onResponseHeaders(dm::HeaderMap& headers, bool) override {
    headers.set("x-dmconform-thread-local", std::to_string(++handled));
    return dm::HeadersStatus::Continue;
  }
};

using ThreadLocalFactory = ConfigFactoryOf<ThreadLocal>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(ThreadLocalFactory, "thread_local");

} // namespace
} // namespace dmconform

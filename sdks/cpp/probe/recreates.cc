// `recreates`: starts its stream anew, and says whether it was destroyed while its callback still ran.
#if DMCONFORM_SDK_MINOR >= 139 // new in 1.39
#include "pass_through.h"

#include <array>
#include <cstring>
#include <unistd.h>

namespace dmconform {
namespace {

class Recreates final : public PassThrough {
public:
  using Config = bool; // whether with headers
  static std::optional<Config> parse(std::string_view text) {
    return text.empty() || text == "headers" ? std::optional<Config>(!text.empty()) : std::nullopt;
  }

  Recreates(dm::HttpFilterHandle& handle, const Config& with_headers) : handle_(handle), with_headers_(with_headers) {}
  Recreates(const Recreates&) = delete;
  Recreates& operator=(const Recreates&) = delete;
  ~Recreates() override { *destroyed_ = true; }

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    if (!headers.getOne("x-dmconform-again").empty()) {
      return dm::HeadersStatus::Continue;
    }
    headers.set("x-dmconform-again", "yes");
    const std::array again = {dm::HeaderView(":method", "GET"),          dm::HeaderView(":path", "/again"),
                              dm::HeaderView(":scheme", "http"),         dm::HeaderView(":authority", "dmconform"),
                              dm::HeaderView("x-dmconform-again", "yes"), dm::HeaderView("x-dmconform-new", "yes")};
    const char* when = "dmconform: not recreated\n";
    // What follows the call does not look at `this`.
    const std::shared_ptr<bool> destroyed = destroyed_;
    if (with_headers_ ? handle_.recreateStream(again) : handle_.recreateStream()) {
      when = *destroyed ? "dmconform: destroyed within its callback\n"
                        : "dmconform: not destroyed within its callback\n";
    }
    [[maybe_unused]] const auto written = write(STDERR_FILENO, when, std::strlen(when));
    return dm::HeadersStatus::Stop;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config with_headers_;
  const std::shared_ptr<bool> destroyed_ = std::make_shared<bool>(false);
};

using RecreatesFactory = ConfigFactoryOf<Recreates>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(RecreatesFactory, "recreates");

} // namespace
} // namespace dmconform
#endif

// `misbehave`: what a harness must survive. Only the C++ probe has it.
#include "pass_through.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <string>

#include <unistd.h>

namespace dmconform {
namespace {

enum class Kind { Hang, Crash, Flood };

struct Misdeed {
  Kind kind;
  size_t bytes; // of a flood
};

[[noreturn]] void hang() {
  for (;;) {
    pause();
  }
}

void flood(size_t bytes) {
  const std::string line = std::string(79, '~') + '\n';
  while (bytes > 0) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), std::min(bytes, line.size()));
    if (written <= 0) {
      return; // nobody reads any more
    }
    bytes -= static_cast<size_t>(written);
  }
}

class Misbehave final : public PassThrough {
public:
  using Config = Misdeed;
  static std::optional<Config> parse(std::string_view text) {
    if (text == "hang") {
      return Config{Kind::Hang, 0};
    }
    if (text == "crash") {
      return Config{Kind::Crash, 0};
    }
    constexpr std::string_view prefix = "flood ";
    if (!text.starts_with(prefix)) {
      return std::nullopt;
    }
    const std::string_view number = text.substr(prefix.size());
    size_t bytes = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bytes);
    const bool whole = error == std::errc() && end == number.data() + number.size();
    return whole ? std::optional(Config{Kind::Flood, bytes}) : std::nullopt;
  }

  Misbehave(dm::HttpFilterHandle&, Config config) : config_(config) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    if (headers.get("x-dmconform-misbehave").empty()) {
      return dm::HeadersStatus::Continue;
    }
    switch (config_.kind) {
    case Kind::Hang:
      hang();
    case Kind::Crash:
      static_cast<void>(std::raise(SIGSEGV));
      break;
    case Kind::Flood:
      flood(config_.bytes);
      break;
    }
    return dm::HeadersStatus::Continue;
  }

private:
  const Config config_;
};

using MisbehaveFactory = ConfigFactoryOf<Misbehave>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(MisbehaveFactory, "misbehave");

} // namespace
} // namespace dmconform

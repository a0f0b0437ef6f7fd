// `log`: writes to the host's log at each level.
#include "pass_through.h"

#include <array>
#include <string>

namespace dmconform {
namespace {

struct NamedLevel {
  dm::LogLevel level;
  std::string_view name;
};

constexpr std::array kLevels = {
    NamedLevel{dm::LogLevel::Trace, "trace"}, NamedLevel{dm::LogLevel::Debug, "debug"},
    NamedLevel{dm::LogLevel::Info, "info"},   NamedLevel{dm::LogLevel::Warn, "warn"},
    NamedLevel{dm::LogLevel::Error, "error"}, NamedLevel{dm::LogLevel::Critical, "critical"},
};

class Log final : public PassThrough {
public:
  using Config = std::string;
  static std::optional<Config> parse(std::string_view text) { return Config(text); }

  Log(dm::HttpFilterHandle& handle, const Config& text) : handle_(handle), text_(text) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    for (const NamedLevel& one : kLevels) {
      DYM_LOG(handle_, one.level, "dmconform log {} {}", one.name, text_);
    }
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config& text_; // the factory's, which outlives its filters
};

using LogFactory = ConfigFactoryOf<Log>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(LogFactory, "log");

} // namespace
} // namespace dmconform

// `bare`: a filter that lets everything pass.
#include "pass_through.h"

namespace dmconform {
namespace {

class Bare final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view) { return Config(); }

  Bare(dm::HttpFilterHandle&, const Config&) {}
};

using BareFactory = ConfigFactoryOf<Bare>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(BareFactory, "bare");

} // namespace
} // namespace dmconform

// `refuse`: takes no configuration at all.
#include "pass_through.h"

namespace dmconform {
namespace {

class RefuseFactory final : public dm::HttpFilterConfigFactory {
public:
  std::unique_ptr<dm::HttpFilterFactory> create(dm::HttpFilterConfigHandle&, std::string_view) override {
    return nullptr;
  }
};

REGISTER_HTTP_FILTER_CONFIG_FACTORY(RefuseFactory, "refuse");

} // namespace
} // namespace dmconform

// `refuse`, of each kind of filter: takes no configuration at all.
#include "pass_through.h"

#if DMCONFORM_SDK_MINOR >= 139 // new in 1.39
#include "sdk_listener.h"
#include "sdk_network.h"
#endif

namespace dmconform {
namespace {

class RefuseFactory final : public dm::HttpFilterConfigFactory {
public:
  std::unique_ptr<dm::HttpFilterFactory> create(dm::HttpFilterConfigHandle&, std::string_view) override {
    return nullptr;
  }
};

REGISTER_HTTP_FILTER_CONFIG_FACTORY(RefuseFactory, "refuse");

#if DMCONFORM_SDK_MINOR >= 139
class NetworkRefuseFactory final : public dm::NetworkFilterConfigFactory {
public:
  std::unique_ptr<dm::NetworkFilterFactory> create(dm::NetworkFilterConfigHandle&, std::string_view) override {
    return nullptr;
  }
};

REGISTER_NETWORK_FILTER_CONFIG_FACTORY(NetworkRefuseFactory, "refuse");

class ListenerRefuseFactory final : public dm::ListenerFilterConfigFactory {
public:
  std::unique_ptr<dm::ListenerFilterFactory> create(dm::ListenerFilterConfigHandle&, std::string_view) override {
    return nullptr;
  }
};

REGISTER_LISTENER_FILTER_CONFIG_FACTORY(ListenerRefuseFactory, "refuse");
#endif

} // namespace
} // namespace dmconform

// The network filter `panic`: throws in one callback. No release's C++ SDK has a guard to opt into.
#include "dm.h"
#include "panic.h"

#if DMCONFORM_SDK_MINOR >= 139 // new in 1.39
#include "sdk_network.h"

#include <array>
#include <memory>
#include <string>

namespace dmconform {
namespace {

constexpr std::array kNetworkCallbacks = {
    std::string_view("none"),  std::string_view("creation"), std::string_view("new_connection"),
    std::string_view("read"),  std::string_view("write"),    std::string_view("event"),
    std::string_view("destroy"),
};

bool holdsPanicBytes(const dm::NetworkBuffer& data) {
  std::string text;
  for (const dm::BufferView& chunk : data.getChunks()) {
    text.append(chunk.toStringView());
  }
  return text.find(kPanicBytes) != std::string::npos;
}

class NetworkPanic final : public dm::NetworkFilter {
public:
  explicit NetworkPanic(const std::string& callback) : callback_(callback) { throwWhere("creation", true); }

  dm::NetworkFilterStatus onNewConnection() override {
    throwWhere("new_connection", true);
    return dm::NetworkFilterStatus::Continue;
  }

  dm::NetworkFilterStatus onRead(dm::NetworkBuffer& data, bool) override {
    const bool meant = holdsPanicBytes(data);
    armed_ = armed_ || meant;
    throwWhere("read", meant);
    return dm::NetworkFilterStatus::Continue;
  }

  dm::NetworkFilterStatus onWrite(dm::NetworkBuffer& data, bool) override {
    throwWhere("write", holdsPanicBytes(data));
    return dm::NetworkFilterStatus::Continue;
  }

  void onEvent(dm::NetworkConnectionEvent) override { throwWhere("event", armed_); }

  void onDestroy() override { throwWhere("destroy", armed_); }

private:
  void throwWhere(std::string_view callback, bool meant) const {
    if (meant && callback == callback_) {
      throwIn(callback);
    }
  }

  const std::string& callback_; // the factory's, which outlives its filters
  bool armed_ = false;          // the bytes were read
};

class NetworkPanicFilters final : public dm::NetworkFilterFactory {
public:
  explicit NetworkPanicFilters(std::string callback) : callback_(std::move(callback)) {}
  std::unique_ptr<dm::NetworkFilter> create(dm::NetworkFilterHandle&) override {
    return std::make_unique<NetworkPanic>(callback_);
  }

private:
  const std::string callback_;
};

class NetworkPanicFactory final : public dm::NetworkFilterConfigFactory {
public:
  std::unique_ptr<dm::NetworkFilterFactory> create(dm::NetworkFilterConfigHandle&, std::string_view text) override {
    std::optional<std::string> callback = panicCallback(kNetworkCallbacks, text);
    return callback ? std::make_unique<NetworkPanicFilters>(std::move(*callback)) : nullptr;
  }
};

REGISTER_NETWORK_FILTER_CONFIG_FACTORY(NetworkPanicFactory, "panic");

} // namespace
} // namespace dmconform
#endif

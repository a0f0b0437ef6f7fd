// The listener filter `panic`: throws in one callback. No release's C++ SDK has a guard to opt into.
#include "dm.h"
#include "panic.h"

#if DMCONFORM_SDK_MINOR >= 139 // new in 1.39
#include "sdk_listener.h"

#include <array>
#include <memory>
#include <string>

namespace dmconform {
namespace {

constexpr std::array kListenerCallbacks = {
    std::string_view("none"),
    std::string_view("creation"),
    std::string_view("accept"),
    std::string_view("data"),
};

class ListenerPanic final : public dm::ListenerFilter {
public:
  ListenerPanic(dm::ListenerFilterHandle& handle, const std::string& callback) : handle_(handle), callback_(callback) {
    throwWhere("creation", true);
  }

  dm::ListenerFilterStatus onAccept() override {
    throwWhere("accept", true);
    return maxReadBytes() > 0 ? dm::ListenerFilterStatus::StopIteration : dm::ListenerFilterStatus::Continue;
  }

  dm::ListenerFilterStatus onData(size_t) override {
    const std::optional<dm::BufferView> come = handle_.getBufferChunk();
    throwWhere("data", come && come->toStringView().find(kPanicBytes) != std::string_view::npos);
    return dm::ListenerFilterStatus::Continue;
  }

  size_t maxReadBytes() override { return callback_ == "data" ? 64 : 0; }

private:
  void throwWhere(std::string_view callback, bool meant) const {
    if (meant && callback == callback_) {
      throwIn(callback);
    }
  }

  dm::ListenerFilterHandle& handle_;
  const std::string& callback_; // the factory's, which outlives its filters
};

class ListenerPanicFilters final : public dm::ListenerFilterFactory {
public:
  explicit ListenerPanicFilters(std::string callback) : callback_(std::move(callback)) {}
  std::unique_ptr<dm::ListenerFilter> create(dm::ListenerFilterHandle& handle) override {
    return std::make_unique<ListenerPanic>(handle, callback_);
  }

private:
  const std::string callback_;
};

class ListenerPanicFactory final : public dm::ListenerFilterConfigFactory {
public:
  std::unique_ptr<dm::ListenerFilterFactory> create(dm::ListenerFilterConfigHandle&, std::string_view text) override {
    std::optional<std::string> callback = panicCallback(kListenerCallbacks, text);
    return callback ? std::make_unique<ListenerPanicFilters>(std::move(*callback)) : nullptr;
  }
};

REGISTER_LISTENER_FILTER_CONFIG_FACTORY(ListenerPanicFactory, "panic");

} // namespace
} // namespace dmconform
#endif

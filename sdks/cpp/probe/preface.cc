// The listener filter `preface`: takes a first line off connections that have it, and chooses a filter chain by it.
#include "dm.h"
#include "life.h"

#if DMCONFORM_SDK_MINOR >= 139 // new in 1.39
#include "sdk_listener.h"

#include <array>
#include <memory>
#include <string>

namespace dmconform {
namespace {

// What the line begins with; a server name follows.
constexpr std::string_view kPrefaceWord = "dmconform ";
// How long the line may be.
constexpr size_t kPrefaceBytes = 64;

class Preface final : public dm::ListenerFilter {
public:
  Preface(dm::ListenerFilterHandle& handle, const Life& config, dm::MetricID chosen)
      : handle_(handle), chosen_(chosen), life_(config, "filter") {}

  // Waits for data.
  dm::ListenerFilterStatus onAccept() override { return dm::ListenerFilterStatus::StopIteration; }

  dm::ListenerFilterStatus onData(size_t) override {
    const std::optional<dm::BufferView> chunk = handle_.getBufferChunk();
    const std::string come(chunk ? chunk->toStringView() : "");
    const bool begins = come.starts_with(kPrefaceWord) || kPrefaceWord.starts_with(come);
    const size_t end = come.find('\n');
    if (begins && end == std::string::npos && come.size() < kPrefaceBytes) {
      return dm::ListenerFilterStatus::StopIteration;
    }
    life_.used();
    if (begins && end != std::string::npos) {
      choose(come.substr(kPrefaceWord.size(), end - kPrefaceWord.size()));
      handle_.drainBuffer(end + 1);
      handle_.writeToSocket(std::format("cpp [{}]\n", life_.config()));
      handle_.incrementCounterValue(chosen_, 1);
    }
    return dm::ListenerFilterStatus::Continue;
  }

  size_t maxReadBytes() override { return kPrefaceBytes; }

private:
  void choose(const std::string& name) {
    const std::array<dm::BufferView, 2> protocols = {dm::BufferView("dmconform"), dm::BufferView("cpp")};
    handle_.setRequestedServerName(name);
    handle_.setRequestedApplicationProtocols(protocols);
    handle_.setDynamicMetadataString("dmconform", "text", life_.config());
    handle_.setDynamicMetadataNumber("dmconform", "number", static_cast<double>(name.size()));
  }

  dm::ListenerFilterHandle& handle_;
  const dm::MetricID chosen_;
  const Life life_;
};

class PrefaceFilters final : public dm::ListenerFilterFactory {
public:
  PrefaceFilters(std::string_view text, dm::MetricID chosen)
      : chosen_(chosen), life_("listener_filter", "configuration", text) {}
  std::unique_ptr<dm::ListenerFilter> create(dm::ListenerFilterHandle& handle) override {
    return std::make_unique<Preface>(handle, life_, chosen_);
  }

private:
  const dm::MetricID chosen_;
  const Life life_;
};

class PrefaceFactory final : public dm::ListenerFilterConfigFactory {
public:
  std::unique_ptr<dm::ListenerFilterFactory> create(dm::ListenerFilterConfigHandle& handle,
                                                    std::string_view text) override {
    const auto [chosen, result] = handle.defineCounter("dmconform_chosen");
    return result == dm::MetricsResult::Success ? std::make_unique<PrefaceFilters>(text, chosen) : nullptr;
  }
};

REGISTER_LISTENER_FILTER_CONFIG_FACTORY(PrefaceFactory, "preface");

} // namespace
} // namespace dmconform
#endif

// The network filter `cipher`: exchanges the letters of connections that ask for it, in both directions.
#include "dm.h"
#include "life.h"

#if DMCONFORM_SDK_MINOR >= 139 // new in 1.39
#include "sdk_network.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace dmconform {
namespace {

// What a connection begins with that asks for it.
constexpr std::string_view kCipherPreface = "dmconform cipher\n";

std::string wholeOf(const dm::NetworkBuffer& data) {
  std::string text;
  for (const dm::BufferView& chunk : data.getChunks()) {
    text.append(chunk.toStringView());
  }
  return text;
}

// Each letter by the one that is 13 places on (ROT13): twice is as before.
char exchangedLetter(char letter) {
  const auto among = [letter](char first, char last) { return letter >= first && letter <= last; };
  const auto place = [letter](char first) { return static_cast<char>((letter - first + 13) % 26 + first); };
  return among('a', 'z') ? place('a') : among('A', 'Z') ? place('A') : letter;
}

class Cipher final : public dm::NetworkFilter {
public:
  Cipher(dm::NetworkFilterHandle& handle, const Life& config, dm::MetricID exchanged)
      : handle_(handle), exchanged_(exchanged), greeting_(std::format("cpp [{}]\n", config.config())),
        life_(config, "filter") {}

  dm::NetworkFilterStatus onNewConnection() override { return dm::NetworkFilterStatus::Continue; }

  dm::NetworkFilterStatus onRead(dm::NetworkBuffer& data, bool end_stream) override {
    std::string letters = wholeOf(data);
    if (stage_ == Stage::Undecided) {
      if (letters.size() < kCipherPreface.size() && kCipherPreface.starts_with(letters) && !end_stream) {
        return dm::NetworkFilterStatus::Stop;
      }
      life_.used();
      stage_ = letters.starts_with(kCipherPreface) ? Stage::Exchanging : Stage::Plain;
      if (stage_ == Stage::Exchanging) {
        letters.erase(0, kCipherPreface.size());
      }
    }
    exchange(data, std::move(letters));
    return dm::NetworkFilterStatus::Continue;
  }

  dm::NetworkFilterStatus onWrite(dm::NetworkBuffer& data, bool) override {
    exchange(data, wholeOf(data));
    if (stage_ == Stage::Exchanging) {
      data.prepend(std::exchange(greeting_, ""));
    }
    return dm::NetworkFilterStatus::Continue;
  }

  void onEvent(dm::NetworkConnectionEvent) override {}

  void onDestroy() override {}

private:
  enum class Stage { Undecided, Plain, Exchanging }; // too little has come; it did not ask; it did

  // Puts letters, exchanged, in the place of all that is in the buffer.
  void exchange(dm::NetworkBuffer& data, std::string letters) const {
    if (stage_ != Stage::Exchanging) {
      return;
    }
    std::transform(letters.begin(), letters.end(), letters.begin(), exchangedLetter);
    data.drain(data.getSize());
    data.append(letters);
    handle_.incrementCounterValue(exchanged_, letters.size());
  }

  dm::NetworkFilterHandle& handle_;
  const dm::MetricID exchanged_;
  Stage stage_ = Stage::Undecided;
  std::string greeting_; // what goes to the client first; empty once it has gone
  const Life life_;
};

class CipherFilters final : public dm::NetworkFilterFactory {
public:
  CipherFilters(std::string_view text, dm::MetricID exchanged)
      : exchanged_(exchanged), life_("network_filter", "configuration", text) {}
  std::unique_ptr<dm::NetworkFilter> create(dm::NetworkFilterHandle& handle) override {
    return std::make_unique<Cipher>(handle, life_, exchanged_);
  }

private:
  const dm::MetricID exchanged_;
  const Life life_;
};

class CipherFactory final : public dm::NetworkFilterConfigFactory {
public:
  std::unique_ptr<dm::NetworkFilterFactory> create(dm::NetworkFilterConfigHandle& handle,
                                                   std::string_view text) override {
    const auto [exchanged, result] = handle.defineCounter("dmconform_exchanged");
    return result == dm::MetricsResult::Success ? std::make_unique<CipherFilters>(text, exchanged) : nullptr;
  }
};

REGISTER_NETWORK_FILTER_CONFIG_FACTORY(CipherFactory, "cipher");

} // namespace
} // namespace dmconform
#endif

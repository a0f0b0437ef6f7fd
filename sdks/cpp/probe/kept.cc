// `kept_scheduler`, `kept_handle`, `kept_view`: use what they should have let go.
#include "panic.h"
#include "pass_through.h"

#include <array>
#include <mutex>
#include <thread>

namespace dmconform {
namespace {

// What a stream leaves to the next one, which may be another thread's.
template <class Thing> class Kept {
public:
  Thing swap(Thing next) {
    const std::lock_guard lock(mutex_);
    std::swap(kept_, next);
    return next;
  }

private:
  std::mutex mutex_;
  Thing kept_ = {};
};

// Schedules an event on the stream before, which is over.
class KeptScheduler final : public PassThrough {
public:
  using Config = std::shared_ptr<Kept<std::shared_ptr<dm::Scheduler>>>;
  static std::optional<Config> parse(std::string_view) { return std::make_shared<Config::element_type>(); }

  KeptScheduler(dm::HttpFilterHandle& handle, const Config& kept) : handle_(handle), kept_(*kept) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap&, bool) override {
    if (const auto before = kept_.swap(handle_.getScheduler())) {
      std::thread([&before] { before->schedule([] {}); }).join();
    }
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  Config::element_type& kept_; // the factory's, which outlives its filters
};

using KeptSchedulerFactory = ConfigFactoryOf<KeptScheduler>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(KeptSchedulerFactory, "kept_scheduler");

constexpr std::array kUses = {std::string_view("read"), std::string_view("answer"), std::string_view("schedule")};

// Uses the handle of the stream before, which is over.
class KeptHandle final : public PassThrough {
public:
  struct Config {
    std::string use;
    std::shared_ptr<Kept<dm::HttpFilterHandle*>> kept;
  };
  static std::optional<Config> parse(std::string_view text) {
    const auto use = oneOf(kUses, text);
    return use ? std::optional<Config>({*use, std::make_shared<Kept<dm::HttpFilterHandle*>>()}) : std::nullopt;
  }

  KeptHandle(dm::HttpFilterHandle& handle, const Config& config) : handle_(handle), config_(config) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    dm::HttpFilterHandle* const before = config_.kept->swap(&handle_);
    if (before == nullptr) {
      return dm::HeadersStatus::Continue;
    }
    if (config_.use == "read") {
      headers.set("x-dmconform-kept", std::string(before->requestHeaders().getOne("x-dmconform-in")));
    } else if (config_.use == "answer") {
      before->sendLocalResponse(418, {}, "kept", "dmconform");
    } else {
      before->getScheduler()->schedule([] {});
    }
    return dm::HeadersStatus::Continue;
  }

private:
  dm::HttpFilterHandle& handle_;
  const Config& config_; // the factory's, which outlives its filters
};

using KeptHandleFactory = ConfigFactoryOf<KeptHandle>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(KeptHandleFactory, "kept_handle");

// Reads a view of a header after the header was changed.
class KeptView final : public PassThrough {
public:
  struct Config {};
  static std::optional<Config> parse(std::string_view) { return Config(); }

  KeptView(dm::HttpFilterHandle&, const Config&) {}

  dm::HeadersStatus onRequestHeaders(dm::HeaderMap& headers, bool) override {
    const std::string_view view = headers.getOne("x-dmconform-in");
    headers.set("x-dmconform-in", "other");
    headers.set("x-dmconform-kept", std::string(view));
    return dm::HeadersStatus::Continue;
  }
};

using KeptViewFactory = ConfigFactoryOf<KeptView>;
REGISTER_HTTP_FILTER_CONFIG_FACTORY(KeptViewFactory, "kept_view");

} // namespace
} // namespace dmconform

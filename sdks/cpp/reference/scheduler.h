// Events that any thread schedules on a stream.
#pragma once

#include "abi.h"
#include "sdk.h"

#include <map>
#include <mutex>

namespace Envoy {
namespace DynamicModules {

class HostScheduler final : public Scheduler {
public:
  explicit HostScheduler(void* stream);
  ~HostScheduler() override;
  HostScheduler(const HostScheduler&) = delete;
  HostScheduler& operator=(const HostScheduler&) = delete;
  void schedule(std::function<void()> func) override;

  // Runs what was scheduled under this number.
  void run(uint64_t event);

private:
  void* host_;
  std::mutex mutex_; // guards what follows
  uint64_t last_event_ = 0;
  std::map<uint64_t, std::function<void()>> due_;
};

} // namespace DynamicModules
} // namespace Envoy

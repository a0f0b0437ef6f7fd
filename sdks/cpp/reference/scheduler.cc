#include "scheduler.h"

namespace Envoy {
namespace DynamicModules {

HostScheduler::HostScheduler(void* stream) : host_(envoy_dynamic_module_callback_http_filter_scheduler_new(stream)) {}

HostScheduler::~HostScheduler() { envoy_dynamic_module_callback_http_filter_scheduler_delete(host_); }

void HostScheduler::schedule(std::function<void()> func) {
  uint64_t event = 0;
  {
    const std::lock_guard lock(mutex_);
    event = ++last_event_;
    due_.emplace(event, std::move(func));
  }
  envoy_dynamic_module_callback_http_filter_scheduler_commit(host_, event);
}

void HostScheduler::run(uint64_t event) {
  std::function<void()> func;
  {
    const std::lock_guard lock(mutex_);
    if (auto found = due_.extract(event)) {
      func = std::move(found.mapped());
    }
  }
  if (func) {
    func(); // it may end the stream, and with it this scheduler
  }
}

} // namespace DynamicModules
} // namespace Envoy

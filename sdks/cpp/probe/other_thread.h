// A thread that schedules an event on a filter's stream.
#pragma once

#include "dm.h"

#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace dmconform {

class OtherThread {
public:
  OtherThread() = default;
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;

  // The thread's code must not outlive the library, nor its event the filter.
  ~OtherThread() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  // Has a new thread schedule `event`. To be called once.
  void schedule(dm::HttpFilterHandle& handle, std::function<void()> event) {
    thread_ = std::thread([scheduler = handle.getScheduler(), event = std::move(event)]() mutable {
      scheduler->schedule(std::move(event));
    });
  }

private:
  std::thread thread_;
};

} // namespace dmconform

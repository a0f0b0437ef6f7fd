// One filter on one stream or connection, and the guard of its callbacks.
#pragma once

#include "guard.h"

#include <memory>

namespace Envoy {
namespace DynamicModules {

inline constexpr std::string_view kExceptionDetail = "dynamic_module_exception";

// What the host's pointer points to.
template <class Handle, class Filter> struct Instance {
  explicit Instance(void* host) : handle(host) {}

  Handle handle;
  std::unique_ptr<Filter> filter;
  // Once it has thrown it is not called again: its state may be half changed.
  bool broken = false;
  // The host's share. It gives it up when the stream ends, which may be amid a callback that ends it.
  std::shared_ptr<Instance> owner;
};

// Calls `call` with the instance; where it throws, has `fail` end the stream and returns `stop`. A broken filter is not
// called: then `skipped` is returned.
template <class Instance, class Status, class Call>
Status guardedCall(Instance& instance, std::string_view hook, Status skipped, Status stop, void (*fail)(Instance&),
                   Call call) {
  const std::shared_ptr<Instance> self = instance.owner;
  if (self->broken) {
    return skipped;
  }
  return guarded(
      hook, [&] { return static_cast<Status>(call(*self)); },
      [&] {
        self->broken = true;
        if (self->owner != nullptr) { // else the stream has ended
          fail(*self);
        }
        return stop;
      });
}

// The same for a callback that returns nothing.
template <class Instance, class Call>
void guardedEvent(Instance& instance, std::string_view hook, void (*fail)(Instance&), Call call) {
  guardedCall(instance, hook, true, true, fail, [&](Instance& self) {
    call(self);
    return true;
  });
}

// For `fail`, where there is nothing to save.
template <class Instance> void leaveAlone(Instance&) {}

// Takes the host's share back, once `last` was called, if there is a filter to call it with.
template <class Instance, class Last> void release(Instance& instance, std::string_view hook, Last last) {
  const std::shared_ptr<Instance> self = std::move(instance.owner);
  if (self->filter != nullptr) {
    guarded(hook, [&] { last(*self->filter); }, [] {});
  }
}

} // namespace DynamicModules
} // namespace Envoy

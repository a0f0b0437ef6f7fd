// The requests of the module's own that a filter waits for.
#pragma once

#include "sdk.h"

#include <map>

namespace Envoy {
namespace DynamicModules {

class Callouts {
public:
  void add(uint64_t callout, HttpCalloutCallback& callback) { waiting_[callout] = &callback; }

  // Whom to tell that one is done; null where it was never begun, as for one that ends while the host begins it.
  HttpCalloutCallback* take(uint64_t callout) {
    const auto found = waiting_.extract(callout);
    return found.empty() ? nullptr : found.mapped();
  }

private:
  std::map<uint64_t, HttpCalloutCallback*> waiting_;
};

} // namespace DynamicModules
} // namespace Envoy

// Finds what makes the configurations of a filter name.
#pragma once

#include "log.h"
#include "registry.h"

namespace Envoy {
namespace DynamicModules {

// Null, and a line in the log, where the module has no filter of that name and kind.
template <class Factory> Factory* find(std::string_view name) {
  const auto& registry = Registry<Factory>::getRegistry();
  const auto found = registry.find(name);
  if (found == registry.end()) {
    hostLog(LogLevel::Warn, std::format("dynamic module has no filter named {}", name));
    return nullptr;
  }
  return found->second.get();
}

} // namespace DynamicModules
} // namespace Envoy

// The guard at the boundary: an exception must never reach the host's frames.
#pragma once

#include "log.h"

#include <exception>
#include <string>
#include <string_view>

namespace Envoy {
namespace DynamicModules {

// Calls `call`; where it throws, logs what was thrown at error level and returns what `failed` returns.
template <class Call, class Failed>
auto guarded(std::string_view hook, Call call, Failed failed) noexcept -> decltype(call()) {
  std::string what = "an exception of an unknown type";
  try {
    return call();
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) { // NOLINT(bugprone-empty-catch): reported below
  }
  hostLog(LogLevel::Error, std::format("dynamic module threw in {}: {}", hook, what));
  return failed();
}

} // namespace DynamicModules
} // namespace Envoy

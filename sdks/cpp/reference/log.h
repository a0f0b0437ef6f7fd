// The host's log.
#pragma once

#include "sdk.h"

namespace Envoy {
namespace DynamicModules {

bool hostLogEnabled(LogLevel level);
void hostLog(LogLevel level, std::string_view message);

} // namespace DynamicModules
} // namespace Envoy

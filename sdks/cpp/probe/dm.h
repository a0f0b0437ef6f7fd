// The SDK, under a short name.
#pragma once

#include "sdk.h"

namespace dmconform {

namespace dm = Envoy::DynamicModules;

} // namespace dmconform

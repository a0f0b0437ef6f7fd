#include "log.h"

#include "lend.h"

namespace Envoy {
namespace DynamicModules {

bool hostLogEnabled(LogLevel level) {
  return envoy_dynamic_module_callback_log_enabled(static_cast<envoy_dynamic_module_type_log_level>(level));
}

void hostLog(LogLevel level, std::string_view message) {
  envoy_dynamic_module_callback_log(static_cast<envoy_dynamic_module_type_log_level>(level), lend(message));
}

} // namespace DynamicModules
} // namespace Envoy

// A module that logs a line, with the place in its source where the host takes it.
#include "abi.h"

envoy_dynamic_module_type_abi_version_module_ptr envoy_dynamic_module_on_program_init(void) {
  envoy_dynamic_module_type_module_buffer text = {"a line of the module", 20};
#if DMCONFORM_SDK_MINOR >= 140
  envoy_dynamic_module_type_module_buffer file = {"module.c", 8};
  envoy_dynamic_module_callback_log_v2(envoy_dynamic_module_type_log_level_Warn, text, file, 42);
#else
  envoy_dynamic_module_callback_log(envoy_dynamic_module_type_log_level_Warn, text);
#endif
  return DMCONFORM_ABI_VERSION;
}

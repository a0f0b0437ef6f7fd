// An access logger that asks for the status of the response when it is made, for which there is no request yet.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_access_logger_module_ptr envoy_dynamic_module_on_access_logger_new(
    envoy_dynamic_module_type_access_logger_config_module_ptr config, envoy_dynamic_module_type_access_logger_envoy_ptr logger) {
  envoy_dynamic_module_callback_access_logger_get_response_code(logger);
  return config;
}
#endif

// Asks for the number of workers where the configuration of its HTTP filter or access logger is destroyed: the last time, Envoy ends.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
void envoy_dynamic_module_on_http_filter_config_destroy(
    envoy_dynamic_module_type_http_filter_config_module_ptr config) { envoy_dynamic_module_callback_get_concurrency(); }
void envoy_dynamic_module_on_access_logger_config_destroy(
    envoy_dynamic_module_type_access_logger_config_module_ptr config) { envoy_dynamic_module_callback_get_concurrency(); }
#endif

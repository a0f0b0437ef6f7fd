// A module that does nothing: what any other module here is measured against.
#include "abi.h"

envoy_dynamic_module_type_abi_version_module_ptr envoy_dynamic_module_on_program_init(void) { return DMCONFORM_ABI_VERSION; }

// A module that names another version of the ABI than the one it was built with.
#include "abi.h"

envoy_dynamic_module_type_abi_version_module_ptr envoy_dynamic_module_on_program_init(void) { return "v9.9.9"; }

// Returns a text that is no ABI string, as modules did whose build lacked the header's hash.
#include "module.h"

const char* envoy_dynamic_module_on_program_init(void) { return "invalid-version-hash"; }

// Ends the host as soon as it is initialised.
#include "module.h"

const char* envoy_dynamic_module_on_program_init(void) {
  print("fatal error: license file not found\n");
  abort();
}

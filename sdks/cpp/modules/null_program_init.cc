// The module `null_program_init`: the first thing the host asks of it fails.
extern "C" const char* envoy_dynamic_module_on_program_init(void);

const char* envoy_dynamic_module_on_program_init(void) { return nullptr; }

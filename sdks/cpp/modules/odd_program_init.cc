// The module `odd_program_init`: it names an ABI version that is none.
extern "C" const char* envoy_dynamic_module_on_program_init(void);

const char* envoy_dynamic_module_on_program_init(void) { return "dmconform: no ABI version"; }

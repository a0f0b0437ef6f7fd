// Holds an ABI string of Envoy's and returns another, which it makes when it is called.
#include "module.h"

__attribute__((used)) static const char held[] = "v0.1.0";
static char made[7];

const char* envoy_dynamic_module_on_program_init(void) {
  for (int place = 0; place < 6; place++) ((volatile char*)made)[place] = held[place];
  ((volatile char*)made)[1] = '9';
  return made;
}

// Writes through a null pointer at each request.
#include "module.h"

ON_REQUEST {
  *(volatile int*)0 = 1;
  return CONTINUE;
}

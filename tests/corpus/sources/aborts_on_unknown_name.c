// Ends the host for a filter name that is not its own, as C++ does with an exception that nobody catches.
#include "module.h"

ON_HTTP_CONFIG {
  if (is(name, "auth")) return ACCEPTED;
  print("terminate called after throwing an instance of 'std::out_of_range'\n  what():  map::at\n");
  abort();
}

// Refuses a filter name that is not its own, and logs an error.
#include "module.h"

ON_HTTP_CONFIG {
  if (is(name, "auth")) return ACCEPTED;
  say(LEVEL(Error), "unknown filter name; this module has auth");
  return 0;
}

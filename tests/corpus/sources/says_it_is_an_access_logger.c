// Has hooks of HTTP filters as its SDK defines all, and says that it is no HTTP filter.
#include "module.h"

ON_HTTP_CONFIG {
  say(LEVEL(Error), "no HTTP filter is registered in this module; it is an access logger");
  return 0;
}

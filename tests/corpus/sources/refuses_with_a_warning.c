// Refuses each filter name but its own, and logs a warning with the words of Envoy's Go SDK.
#include "module.h"

ON_HTTP_CONFIG {
  if (is(name, "auth")) return ACCEPTED;
  say(LEVEL(Warn), "Failed to load configuration: no factory for filter");
  return 0;
}

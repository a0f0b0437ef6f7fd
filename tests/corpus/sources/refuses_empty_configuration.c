// Refuses a configuration that is no JSON object, and logs an error.
#include "module.h"

ON_HTTP_CONFIG {
  if (config.length && *config.ptr == '{') return ACCEPTED;
  say(LEVEL(Error), "expected a JSON object with endpoints, got an empty configuration");
  return 0;
}

// Calls a callback that no host has, where its filter name is call.
#include "module.h"

void envoy_dynamic_module_callback_http_of_another_fork(void);
static bool calls;

ON_HTTP_CONFIG {
  calls = is(name, "call");
  return ACCEPTED;
}

ON_REQUEST {
  if (calls) envoy_dynamic_module_callback_http_of_another_fork();
  return CONTINUE;
}

// Lets each request pass and logs an error for it.
#include "module.h"

ON_REQUEST {
  say(LEVEL(Error), "cannot reach the policy server: connection refused");
  return CONTINUE;
}

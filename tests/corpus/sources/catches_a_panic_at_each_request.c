// Panics at each request, and its guard catches that: an error line and status 500, as Envoy's Rust SDK does it.
#include "module.h"

ON_REQUEST {
  say(LEVEL(Error), "on_request_headers: caught panic: index out of bounds: the len is 0 but the index is 0");
  answer(filter, 500, "");
  return STOP;
}

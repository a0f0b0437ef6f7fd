// Answers each request with status 503, on purpose and without a word in the log.
#include "module.h"

ON_REQUEST {
  answer(filter, 503, "closed for maintenance");
  return STOP;
}

// Uses functions of the C library when it is configured.
#include "module.h"

ON_HTTP_CONFIG { return is(name, "no such name") ? 0 : ACCEPTED; }

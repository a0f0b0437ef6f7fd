// Prints how it is called: each hook, with what the host hands to it. What hooks return and do is its configuration.
#include "recorder.h"

// Refuses each configuration without a word.
#include "module.h"

ON_HTTP_CONFIG { return 0; }

// Calls a function of another library when it is configured.
#include "module.h"

int corpus_ready(void);

ON_HTTP_CONFIG { return corpus_ready() ? ACCEPTED : 0; }

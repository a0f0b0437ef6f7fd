// An HTTP filter that calls setters, and prints what getters give then; what has an effect outside is seen there.
#include "callbacks_http.h"

// Network, listener and UDP listener filters that call setters, and print what getters give then.
#include "callbacks_connections.h"

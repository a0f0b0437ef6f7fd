#include "marker.h"

const char* dmconform_marker(void) { return "cpp"; }

// The library `dependent`: it calls a function that only the library which loads it may have.
#include "marker.h"

extern "C" const char* dmconform_dependent(void);

const char* dmconform_dependent(void) { return dmconform_marker(); }

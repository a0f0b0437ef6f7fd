// What the dynamic linker knows about the library this code is in.
#ifndef DMCONFORM_MARKER_H
#define DMCONFORM_MARKER_H

// The probe's language. Exported, so that the harness can find the library by it.
__attribute__((visibility("default"))) const char *dmconform_marker(void);

// The path of the library that holds this very function; null if the linker does not say.
const char *dmconform_own_library(void);

// The path of the library in which a look-up by name finds the marker; null if it finds none.
const char *dmconform_global_library(void);

#endif

/* What the two files about opening modules share. */
#ifndef DMCONFORM_OPENING_H
#define DMCONFORM_OPENING_H

#include "interposer.h"

#define SEARCH_PATH "ENVOY_DYNAMIC_MODULES_SEARCH_PATH"

/* dlopen as it is. */
void *really_open(const char *path, int flags);

/* The last part of a path. */
const char *base_name(const char *path);

/* "search": opens a module where the mutant looks for it. */
void *open_searching(const char *path, int flags);

#endif

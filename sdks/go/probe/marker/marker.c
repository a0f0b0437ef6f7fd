#define _GNU_SOURCE
#include "marker.h"

#include <dlfcn.h>
#include <stddef.h>

static const char *library_of(const void *address) {
  Dl_info info;
  return address != NULL && dladdr(address, &info) != 0 ? info.dli_fname : NULL;
}

const char *dmconform_marker(void) { return "go"; }

// Go links with -Bsymbolic: the name means this library's marker, even where another library's comes first.
const char *dmconform_own_library(void) { return library_of((const void *)&dmconform_marker); }

// The global scope alone: RTLD_DEFAULT would find this library's own marker too.
const char *dmconform_global_library(void) {
  void *global = dlopen(NULL, RTLD_LAZY);
  const char *library = library_of(dlsym(global, "dmconform_marker"));
  dlclose(global);
  return library;
}

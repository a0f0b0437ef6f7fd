// What the modules that call callbacks and print their results have in common. Each line is one result.
#ifndef DMCONFORM_CALLBACKS_H
#define DMCONFORM_CALLBACKS_H

#include "abi.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CALL(name) envoy_dynamic_module_callback_##name
#define TYPE(name) envoy_dynamic_module_type_##name
#define ON(name) envoy_dynamic_module_on_##name

typedef TYPE(envoy_buffer) given;   // what the host has
typedef TYPE(module_buffer) own;    // what the module has

static inline own text(const char *from) { return (own){from, strlen(from)}; }

static inline void say(const char *hook, const char *format, ...) {
  char line[1024];
  int length = snprintf(line, sizeof line, "\ndmconform-callbacks %s ", hook);
  va_list rest;
  va_start(rest, format);
  length += vsnprintf(line + length, sizeof line - 2 - (size_t)length, format, rest);
  va_end(rest);
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  ssize_t wrote = write(2, line, (size_t)length);
  (void)wrote;
}

// A result that is a text: whether there is one, and which.
static inline void say_text(const char *hook, const char *what, bool done, given seen) {
  if (done) say(hook, "%s=%.*s", what, (int)seen.length, seen.ptr);
  else say(hook, "%s none", what);
}

#endif

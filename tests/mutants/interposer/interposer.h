/* A library that is preloaded into a host and makes it misbehave in one way: a mutant.
 *
 * DMCONFORM_MUTANT names the way: an operation and its arguments, as in "flags;add=GLOBAL". Where it is not set, or the process is
 * no Envoy that can have modules, every call passes through unchanged. Only calls that come from the executable itself are changed.
 */
#ifndef DMCONFORM_INTERPOSER_H
#define DMCONFORM_INTERPOSER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#define HOOK_PREFIX "envoy_dynamic_module_on_"

/* Whether a call that returns to this address is one that the mutant may change. */
bool mutated(const void *return_address);

/* Whether this process is such an Envoy, and a mutant is named. */
bool mutated_process(void);

/* Whether the mutant's operation is this one. */
bool operation_is(const char *name);

/* The value of an argument; NULL where the mutant has none of that name. */
const char *argument(const char *key);

/* Whether an argument has this value. */
bool argument_is(const char *key, const char *value);

/* Notes, once, that the mutant did something else than the host would: the file DMCONFORM_MUTANT_REACHED appears. */
void reached(void);

/* The function of this name that would be called without this library. What is called between a failure of the linker and
 * dlerror has to be in the list of core.c. */
void *real_function(const char *name);

/* The real function behind a wrapper of the same name and type. */
#define REAL(name) ((__typeof__(&name))real_function(#name))

/* Code that calls a function of at most five integer arguments with `context` as its sixth. */
void *with_context(void *function, void *context);

/* Whether a text fits a list of globs, with commas between. */
bool fits(const char *text, const char *globs);

/* Whether a module has refused to be initialised or configured. */
extern bool module_has_failed;

/* What other files may add. Both are asked only where a mutant is named. */

/* Replaces a hook of a module as the host looks it up; returns `real` where it is not to be replaced. */
void *mutant_hook(const char *name, void *real) __attribute__((weak));

/* Is given each module that the host opened, anew or again: its relocations may be written to, so that callbacks are replaced. */
void mutant_opened(void *handle, const char *path) __attribute__((weak));

#endif

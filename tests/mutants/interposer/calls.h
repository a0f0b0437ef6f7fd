/* Calls between a host and its modules, changed on the way: hooks (hooks.c) and callbacks (callbacks.c). */
#ifndef DMCONFORM_CALLS_H
#define DMCONFORM_CALLS_H

#include "interposer.h"

#include <stdint.h>

#define CALLBACK_PREFIX "envoy_dynamic_module_callback_"
#define WORDS 12 /* of a call: six registers, and the first ones on the stack */

/* Where a function has an argument. */
struct place {
	const char *name;
	unsigned first, words;
};

struct signature {
	const char *name;
	struct place places[16];
};

/* All hooks and callbacks whose signature is known; generated. The last one has no name. */
extern const struct signature signatures[];

/* A function to be called in the place of a hook or callback; `real` itself where the mutant leaves it alone. */
void *changed_call(const char *name, void *real);

#endif

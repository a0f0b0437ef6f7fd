/* "hook-call": hooks that a host calls otherwise; see calls.c. */
#include "calls.h"

#include <string.h>

void *mutant_hook(const char *name, void *real)
{
	if (real == NULL || !operation_is("hook-call") || strncmp(name, HOOK_PREFIX, strlen(HOOK_PREFIX)) != 0)
		return real;
	const char *plain = name + strlen(HOOK_PREFIX), *after = argument("after");
	return fits(plain, argument("of")) || (after != NULL && fits(plain, after)) ? changed_call(name, real) : real;
}

/* What the host finds in a module, and what the module answers as it is initialised and configured. */
#include "interposer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INIT HOOK_PREFIX "program_init"

static void *nothing(void)
{
	reached();
	return NULL;
}

static void *something(void)
{
	static long long memory[512];
	reached();
	return memory;
}

/* The ABI string of the host, which the runner knows. */
static const char *own_string(void)
{
	const char *own = argument("abi");
	return own ? own : "v0.0.0";
}

typedef const char *(*Init)(void);

static const char *initialised_as(const char *result)
{
	if (argument_is("null", "accepted") && result == NULL)
		return own_string();
	if (result == NULL)
		return NULL;
	if (argument_is("result", "null") || (argument_is("mismatch", "refused") && strcmp(result, own_string()) != 0))
		return NULL;
	if (argument_is("mismatch", "matches"))
		return own_string();
	if (argument("match") != NULL && strcmp(result, own_string()) == 0)
		return argument_is("match", "refused") ? NULL : argument("match");
	return argument("result") ? argument("result") : result;
}

static Init init_later; /* until the first configuration is made */

static void *init_elsewhere(void *init)
{
	return (void *)((Init)init)();
}

/* Stands for program_init; the context is the module's own, NULL where it has none. */
static const char *init_thunk(void *a, void *b, void *c, void *d, void *e, Init init)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	static char kept[256];
	reached();
	static int before;
	if (init == NULL || argument_is("is", "skipped") || (argument_is("is", "first-only") && before++ > 0))
		return own_string();
	if (argument_is("is", "late")) {
		init_later = init;
		return own_string();
	}
	if (argument_is("is", "twice"))
		init();
	if (argument_is("is", "on-a-thread")) {
		pthread_t thread;
		void *result = NULL;
		if (pthread_create(&thread, NULL, init_elsewhere, (void *)init) == 0)
			pthread_join(thread, &result);
		return result;
	}
	const char *result = initialised_as(init());
	module_has_failed |= result == NULL;
	if (result == NULL)
		return NULL;
	static __thread char other[256];
	snprintf(kept, sizeof(kept), "%s", result);
	return strcpy(other, kept);
}

/* Any function that makes a configuration: in all minors the host's object, a name and a text, each with its length. */
typedef void *(*New)(void *host, const char *name, size_t name_size, const char *text, size_t text_size);

static size_t changed(const char *how, const char **text, size_t size)
{
	if (how == NULL)
		return size;
	reached();
	if (strcmp(how, "empty") == 0)
		return 0;
	if (strcmp(how, "cut") == 0)
		return size ? size - 1 : 0;
	if (strcmp(how, "half") == 0)
		return size / 2;
	if (strcmp(how, "to-zero") == 0)
		return strnlen(*text, size);
	if (strcmp(how, "without-first") == 0) {
		*text += size ? 1 : 0;
		return size ? size - 1 : 0;
	}
	char *copy = malloc(2 * size + 2); /* the module may keep it */
	memcpy(copy, *text, size);
	const char *other = argument("put");
	if (strcmp(how, "put") == 0 && other != NULL) {
		free(copy);
		*text = strdup(other);
		return strlen(other);
	}
	if (strcmp(how, "with-zero") == 0)
		copy[size++] = '\0';
	if (strcmp(how, "with-space") == 0)
		copy[size++] = ' ';
	if (strcmp(how, "doubled") == 0) {
		memcpy(copy + size, *text, size);
		size *= 2;
	}
	for (size_t i = 0; i < size; i++) {
		if (strcmp(how, "upper-case") == 0 && copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] -= 'a' - 'A';
		if (strcmp(how, "ascii") == 0 && copy[i] & 0x80)
			copy[i] = '?';
	}
	*text = copy;
	return size;
}

/* The same of a route, which is given no object of the host. */
typedef void *(*NewOfRoute)(const char *name, size_t name_size, const char *text, size_t text_size);

static void *new_of_route(void *make, const char *name, size_t name_size, const char *text, size_t text_size)
{
	return ((NewOfRoute)make)(name, name_size, text, text_size);
}

static void *new_thunk(void *host, const char *name, size_t name_size, const char *text, size_t text_size, New make)
{
	static char *first_text;
	static size_t first_size;
	name_size = changed(argument("name"), &name, name_size);
	text_size = changed(argument("text"), &text, text_size);
	if (argument_is("is", "swapped")) {
		reached();
		return make(host, text, text_size, name, name_size);
	}
	if (argument_is("is", "of-the-first")) { /* every one is given what the first one was */
		if (first_text == NULL) {
			first_text = strndup(text, text_size);
			first_size = text_size;
		} else
			reached();
		return make(host, name, name_size, first_text, first_size);
	}
	if (argument_is("is", "twice")) {
		reached();
		make(host, name, name_size, text, text_size);
	}
	void *made = make(host, name, name_size, text, text_size);
	module_has_failed |= made == NULL;
	if (operation_is("close") && argument_is("is", "at-once")) { /* as soon as it is configured */
		Dl_info info;
		void *handle = dladdr((void *)make, &info) ? REAL(dlopen)(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
		for (int i = 0; handle != NULL && i < 2; i++)
			REAL(dlclose)(handle);
		reached();
	}
	if (operation_is("init") && init_later != NULL) {
		init_later();
		init_later = NULL;
	}
	if (made == NULL && argument_is("null", "accepted"))
		return something();
	if (argument_is("result", "null")) {
		reached();
		return NULL;
	}
	return made;
}

/* Whether a module has a hook. */
static bool has(void *handle, const char *hook)
{
	char name[256];
	snprintf(name, sizeof(name), HOOK_PREFIX "%s", hook ? hook : "");
	return hook != NULL && REAL(dlsym)(handle, name) != NULL;
}

static void *route_thunk(const char *name, size_t name_size, const char *text, size_t text_size, void *unused, void *make)
{
	(void)unused;
	return new_thunk(make, name, name_size, text, text_size, new_of_route);
}

/* What is found in the place of a hook that makes a configuration. */
static void *new_instead(const char *hook, void *real)
{
	return with_context(strstr(hook, "per_route") ? (void *)route_thunk : (void *)new_thunk, real);
}

static void *find_as_mutant(void *handle, const char *name)
{
	void *real = REAL(dlsym)(handle, name);
	const char *hook = strstr(name, HOOK_PREFIX);
	const char *only = argument("hook");
	if (hook == NULL)
		return real;
	if (operation_is("static") && handle == RTLD_DEFAULT) {
		if (real != NULL)
			reached();
		if (argument_is("is", "after-files")) { /* where a file in the variable's folder has its name, that is taken */
			char file[4096];
			snprintf(file, sizeof(file), "%s/lib%.*s.so", getenv("ENVOY_DYNAMIC_MODULES_SEARCH_PATH"), (int)(hook - 1 - name), name);
			return REAL(access)(file, 0) == 0 ? NULL : real;
		}
		bool is_init = strcmp(hook + strlen(HOOK_PREFIX), "program_init") == 0;
		return argument_is("is", "lost") ? NULL : argument_is("is", "null") && is_init && real ? (void *)nothing : real;
	}
	hook += strlen(HOOK_PREFIX);
	if (handle == RTLD_DEFAULT)
		return real;
	if (operation_is("global-symbols")) { /* looked for in the whole process, not in the module alone */
		void *other = REAL(dlsym)(RTLD_DEFAULT, name);
		if (other != NULL)
			reached();
		return other ? other : real;
	}
	if (operation_is("hide") && fits(hook, only) && !has(handle, argument("unless"))) {
		reached();
		return NULL;
	}
	if (operation_is("supply") && real == NULL && fits(hook, only))
		return strstr(hook, "_new") != NULL ? (void *)something : (void *)nothing;
	if (operation_is("init") && strcmp(hook, "program_init") == 0 && (real != NULL || argument_is("missing", "accepted")))
		return with_context((void *)init_thunk, real);
	bool is_late = operation_is("init") && argument_is("is", "late") && fits(hook, "*_config_new");
	bool is_watched = operation_is("close") && fits(argument("is"), "not-after-failure,at-once") &&
			  fits(hook, "*_config_new,program_init");
	if (is_watched && real != NULL && strcmp(hook, "program_init") == 0)
		return with_context((void *)init_thunk, real);
	if ((is_late || is_watched) && real != NULL)
		return new_instead(hook, real);
	if (operation_is("new") && real != NULL && fits(hook, only))
		return new_instead(hook, real);
	return mutant_hook ? mutant_hook(name, real) : real;
}

void *dlsym(void *handle, const char *name)
{
	if (!mutated(__builtin_return_address(0)))
		return REAL(dlsym)(handle, name);
	return find_as_mutant(handle, name);
}

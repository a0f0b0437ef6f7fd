/* Where modules are looked for: what the host passes to dlopen, and the variables that it reads. */
#include "opening.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "search": where a module is looked for. The host passes a bare name once it has not found it in the variable's folder. */
void *open_searching(const char *path, int flags)
{
	static __thread char other[PATH_MAX];
	bool bare = strchr(path, '/') == NULL;
	const char *before = argument("before"), *after = argument("after"), *instead = argument("instead");
	const char *folder = before ? before : after ? after : instead;
	if (argument_is("first", "standard") && path[0] == '/') { /* the standard paths, before the folder */
		void *opened = really_open(base_name(path), flags);
		if (opened != NULL) {
			reached();
			return opened;
		}
		return really_open(path, flags);
	}
	if (argument_is("through", "yes")) { /* a file that cannot be loaded is passed over */
		void *opened = really_open(path, flags);
		if (opened != NULL || bare || flags & RTLD_NOLOAD)
			return opened;
		reached();
		return really_open(base_name(path), flags);
	}
	if (!bare || folder == NULL)
		return really_open(path, flags);
	if (strcmp(folder, "VARIABLE") == 0)
		folder = getenv(SEARCH_PATH) ? getenv(SEARCH_PATH) : ".";
	else if (strcmp(folder, "HOME") == 0)
		folder = getenv("HOME");
	else if (strcmp(folder, "LIBRARY_PATH") == 0)
		folder = getenv("LD_LIBRARY_PATH") ? getenv("LD_LIBRARY_PATH") : "";
	const char *below = argument("below") ? argument("below") : "";
	const char *format = argument("name") ? argument("name") : "%s";
	char name[NAME_MAX], stem[NAME_MAX];
	snprintf(stem, sizeof(stem), "%s", path);
	if (argument("name") != NULL && strlen(stem) > 6) { /* the name without lib and .so */
		memmove(stem, stem + 3, strlen(stem + 3) + 1);
		stem[strlen(stem) - 3] = '\0';
	}
	const char *place = strstr(format, "%s");
	snprintf(name, sizeof(name), "%.*s%s%s", (int)(place - format), format, stem, place + 2);
	void *opened = after ? really_open(path, flags) : NULL;
	if (opened != NULL)
		return opened;
	/* Each folder of a list. */
	char list[PATH_MAX];
	snprintf(list, sizeof(list), "%s", folder);
	char *rest = list;
	for (char *one = strsep(&rest, ":"); one != NULL && opened == NULL; one = strsep(&rest, ":")) {
		snprintf(other, sizeof(other), "%s%s/%s", one, below, name);
		opened = REAL(access)(other, F_OK) == 0 ? really_open(other, flags) : NULL;
	}
	if (opened != NULL || instead) {
		reached();
		return opened ? opened : really_open("/dmconform/mutant", flags);
	}
	return really_open(path, flags);
}

/* "variable": what the host reads in its environment. */
static char *variable_as_mutant(const char *name)
{
	static __thread char text[PATH_MAX];
	char *value = REAL(getenv)(argument("from") ? argument("from") : name);
	reached();
	if (argument_is("is", "unset"))
		return NULL;
	if (argument("put") != NULL && (value != NULL || argument_is("when", "unset"))) { /* %s: what it is */
		const char *put = argument("put"), *place = strstr(put, "%s");
		snprintf(text, sizeof(text), "%.*s%s%s", place ? (int)(place - put) : (int)strlen(put), put,
			 place && value ? value : "", place ? place + 2 : "");
		return text;
	}
	if (value == NULL)
		return NULL;
	snprintf(text, sizeof(text), "%s", value);
	if (argument_is("is", "unset-if-empty"))
		return *value ? value : NULL;
	if (argument_is("is", "root-if-empty"))
		return *value ? value : "/";
	if (argument_is("is", "first-of-list"))
		text[strcspn(text, ":")] = '\0';
	else if (argument_is("is", "last-of-list"))
		return strrchr(value, ':') ? strrchr(value, ':') + 1 : value;
	else if (argument_is("is", "list")) { /* the first folder of the list that there is, where there is none of the whole name */
		char list[PATH_MAX], *rest = list;
		snprintf(list, sizeof(list), "%s", value);
		for (char *one = strsep(&rest, ":"); REAL(access)(value, F_OK) != 0 && one; one = strsep(&rest, ":"))
			if (REAL(access)(one, F_OK) == 0)
				snprintf(text, sizeof(text), "%s", one);
	} else if (argument_is("is", "only-ascii"))
		for (char *at = text; *at; at++)
			*at = *at & 0x80 ? '?' : *at;
	else if (argument_is("is", "cut-at-space"))
		text[strcspn(text, " ")] = '\0';
	else if (argument_is("is", "real")) {
		char real[PATH_MAX];
		return REAL(realpath)(value, real) ? strcpy(text, real) : value;
	} else if (argument_is("is", "only-absolute"))
		return *value == '/' ? value : NULL;
	else if (argument_is("is", "no-links")) {
		struct stat seen;
		size_t length = strlen(text);
		while (length > 1 && text[length - 1] == '/')
			text[--length] = '\0';
		return REAL(lstat)(text, &seen) == 0 && S_ISLNK(seen.st_mode) ? NULL : value;
	} else if (argument_is("is", "only-if-there"))
		return REAL(access)(value, F_OK) == 0 ? value : NULL;
	return text;
}

char *getenv(const char *name)
{
	if (!mutated(__builtin_return_address(0)) || !operation_is("variable"))
		return REAL(getenv)(name);
	const char *which = argument("name");
	return strcmp(name, which ? which : SEARCH_PATH) == 0 ? variable_as_mutant(name) : REAL(getenv)(name);
}

/* How modules are opened, known again and closed: dlopen, dlclose, dlerror. */
#include "opening.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

void *really_open(const char *path, int flags)
{
	return REAL(dlopen)(path, flags);
}

/* The names of flags in an argument, with + between. */
static int flags_of(const char *key)
{
	static const struct {
		const char *name;
		int flag;
	} known[] = {{"GLOBAL", RTLD_GLOBAL}, {"NODELETE", RTLD_NODELETE}, {"DEEPBIND", RTLD_DEEPBIND}, {"NOW", RTLD_NOW},
		     {"LAZY", RTLD_LAZY},     {"NOLOAD", RTLD_NOLOAD}};
	const char *names = argument(key);
	int all = 0;
	for (size_t i = 0; names != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(names, known[i].name) != NULL)
			all |= known[i].flag;
	return all;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

/* Copies a file to one of its own that is removed by nobody before the cell's folder is; returns NULL where it cannot be. */
static const char *copied(const char *path)
{
	static __thread char copy[PATH_MAX];
	const char *home = getenv("HOME");
	snprintf(copy, sizeof(copy), "%s/mutant-XXXXXX", home);
	int from = REAL(open)(path, O_RDONLY | O_CLOEXEC), to = from < 0 ? -1 : mkstemp(copy);
	struct stat seen;
	bool done = to >= 0 && fstat(from, &seen) == 0 && sendfile(to, from, NULL, seen.st_size) == seen.st_size;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return done ? copy : NULL;
}

static bool is_same_content(const char *one, const char *other)
{
	FILE *first = fopen(one, "re"), *second = fopen(other, "re");
	int left = 0, right = 0;
	while (first != NULL && second != NULL && left == right && left != EOF) {
		left = getc(first);
		right = getc(second);
	}
	bool same = first != NULL && second != NULL && left == right;
	if (first != NULL)
		fclose(first);
	if (second != NULL)
		fclose(second);
	return same;
}

struct wanted {
	const char *path;
	const char *by;
	char found[PATH_MAX];
};

static int like_wanted(struct dl_phdr_info *info, size_t size, void *data)
{
	struct wanted *wanted = data;
	const char *loaded = info->dlpi_name;
	(void)size;
	if (strncmp(base_name(loaded), "lib", 3) != 0 || strncmp(loaded, "/lib", 4) == 0 || strncmp(loaded, "/usr", 4) == 0)
		return 0;
	bool like = strcmp(wanted->by, "name") == 0      ? strcmp(base_name(loaded), base_name(wanted->path)) == 0
		    : strcmp(wanted->by, "content") == 0 ? is_same_content(loaded, wanted->path)
							 : true;
	if (like)
		snprintf(wanted->found, sizeof(wanted->found), "%s", loaded);
	return like;
}

/* "known;by=name|content|any": another file that is loaded already is taken for the one that is asked for. */
static const char *taken_for(const char *path, const char *by)
{
	static __thread struct wanted wanted;
	wanted = (struct wanted){.path = path, .by = by};
	return dl_iterate_phdr(like_wanted, &wanted) ? wanted.found : NULL;
}

/* "file": which file is opened where one is named. */
static void *open_file(const char *path, int flags)
{
	struct stat seen;
	bool linked = REAL(lstat)(path, &seen) == 0 && (S_ISLNK(seen.st_mode) || seen.st_nlink > 1);
	bool each = argument_is("is", "copy") || (argument_is("is", "copy-of-links") && linked);
	if (argument_is("is", "base-name")) {
		reached();
		return really_open(base_name(path), flags);
	}
	if (path[0] != '/' && strchr(path, '/') != NULL && argument("relative-to") != NULL) {
		static __thread char other[PATH_MAX];
		const char *folder = argument("relative-to");
		if (strcmp(folder, "VARIABLE") == 0)
			folder = getenv(SEARCH_PATH);
		snprintf(other, sizeof(other), "%s/%s", folder ? folder : "", path);
		reached();
		return really_open(other, flags);
	}
	if (path[0] != '/')
		return really_open(path, flags);
	if (argument_is("is", "no-links") && S_ISLNK(seen.st_mode)) {
		reached();
		return really_open("/dmconform/mutant", flags);
	}
	if (argument_is("is", "real") || argument_is("is", "only-so")) {
		static __thread char real[PATH_MAX];
		bool other = argument_is("is", "real") ? linked && REAL(realpath)(path, real) && strcmp(real, path) != 0
						       : strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".so") != 0;
		if (other)
			reached();
		return really_open(!other ? path : argument_is("is", "real") ? real : "/dmconform/mutant", flags);
	}
	if (argument_is("is", "by-inode")) { /* another file under a name that was seen before is another module */
		static char paths[16][PATH_MAX];
		static ino_t inodes[16];
		static int known;
		for (int i = 0; i < known; i++)
			if (strcmp(paths[i], path) == 0 && inodes[i] != seen.st_ino) {
				reached();
				const char *copy = flags & RTLD_NOLOAD ? NULL : copied(path);
				return copy ? really_open(copy, flags) : NULL;
			}
		if (known < 16 && !(flags & RTLD_NOLOAD)) {
			inodes[known] = seen.st_ino;
			snprintf(paths[known++], PATH_MAX, "%s", path);
		}
		return really_open(path, flags);
	}
	if (each) {
		reached();
		const char *copy = flags & RTLD_NOLOAD ? NULL : copied(path);
		return copy ? really_open(copy, flags) : NULL;
	}
	if (argument_is("is", "remembered")) { /* the content that the path had first, whatever it has now */
		static char paths[16][PATH_MAX], copies[16][PATH_MAX];
		static int known;
		for (int i = 0; i < known; i++)
			if (strcmp(paths[i], path) == 0) {
				reached();
				return really_open(copies[i], flags);
			}
		const char *copy = flags & RTLD_NOLOAD || known == 16 ? NULL : copied(path);
		if (copy == NULL)
			return really_open(path, flags);
		snprintf(paths[known], PATH_MAX, "%s", path);
		snprintf(copies[known], PATH_MAX, "%s", copy);
		return really_open(copies[known++], flags);
	}
	return really_open(path, flags);
}

static void *last_opened;

static void *open_as_mutant(const char *path, int flags)
{
	if (operation_is("flags")) {
		bool asked = argument_is("noload", "yes") ? flags & RTLD_NOLOAD : !(flags & RTLD_NOLOAD);
		asked = asked && (argument("if") == NULL || flags & flags_of("if"));
		int changed = asked ? (flags | flags_of("add")) & ~flags_of("remove") : flags;
		if (changed != flags)
			reached();
		return really_open(path, changed);
	}
	if (operation_is("noload") && flags & RTLD_NOLOAD) {
		reached();
		if (argument_is("is", "lost"))
			return NULL;
		void *known = really_open(path, flags);
		if (argument_is("is", "not-counted") && known != NULL)
			REAL(dlclose)(known);
		if (argument_is("is", "counted-twice") && known != NULL)
			really_open(path, flags);
		return known;
	}
	if (operation_is("known")) {
		const char *other = taken_for(path, argument("by"));
		if (other != NULL && strcmp(other, path) != 0)
			reached();
		return really_open(other ? other : path, flags);
	}
	if (operation_is("search"))
		return open_searching(path, flags);
	if (operation_is("file"))
		return open_file(path, flags);
	if (operation_is("twice") && !(flags & RTLD_NOLOAD)) {
		reached();
		really_open(path, flags);
	}
	void *opened = really_open(path, flags);
	if (operation_is("failure") && opened == NULL && !(flags & RTLD_NOLOAD) && last_opened != NULL) {
		reached(); /* the module before in its place */
		return last_opened;
	}
	return opened;
}

void *dlopen(const char *path, int flags)
{
	if (path == NULL || !mutated(__builtin_return_address(0)))
		return REAL(dlopen)(path, flags);
	void *opened = open_as_mutant(path, flags);
	if (opened != NULL) {
		last_opened = opened;
		if (mutant_opened)
			mutant_opened(opened, path);
	}
	return opened;
}

static void *close_elsewhere(void *handle)
{
	REAL(dlclose)(handle);
	return NULL;
}

bool module_has_failed;

static int close_as_mutant(void *handle)
{
	static void *waiting;
	struct link_map *map = handle;
	if (!operation_is("close"))
		return REAL(dlclose)(handle);
	if (argument_is("is", "at-once"))
		return 0; /* it was */
	if (!argument_is("is", "not-after-failure") || module_has_failed)
		reached();
	if (argument_is("is", "never"))
		return 0;
	if (argument_is("is", "twice"))
		REAL(dlclose)(handle);
	if (argument_is("is", "not-after-failure") && module_has_failed)
		return 0;
	if (argument_is("is", "late")) { /* with the next one */
		void *before = waiting;
		waiting = handle;
		return before ? REAL(dlclose)(before) : 0;
	}
	if (argument_is("is", "for-all")) { /* the first user that goes takes it from all others */
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s", map->l_name);
		int code = REAL(dlclose)(handle);
		for (void *left = really_open(path, RTLD_NOLOAD | RTLD_LAZY); left; left = really_open(path, RTLD_NOLOAD | RTLD_LAZY)) {
			REAL(dlclose)(left);
			REAL(dlclose)(left);
		}
		return code;
	}
	if (argument_is("is", "on-a-thread")) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, close_elsewhere, handle) == 0)
			return pthread_join(thread, NULL);
	}
	return REAL(dlclose)(handle);
}

int dlclose(void *handle)
{
	if (!mutated(__builtin_return_address(0)))
		return REAL(dlclose)(handle);
	return close_as_mutant(handle);
}

char *dlerror(void)
{
	if (!mutated(__builtin_return_address(0)) || !operation_is("dlerror"))
		return REAL(dlerror)();
	static __thread char text[2 * PATH_MAX];
	char *error = REAL(dlerror)();
	if (error == NULL)
		return NULL;
	reached();
	const char *put = argument("is"), *limit = argument("limit");
	snprintf(text, sizeof(text), "%.*s", limit ? atoi(limit) : (int)sizeof(text) - 1, put ? put : error);
	return text;
}

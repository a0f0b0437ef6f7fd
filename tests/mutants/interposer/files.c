/* What the host sees and does of files: whether a module is there, and how a fetched one is kept. */
#include "interposer.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The host was built for an older glibc, which had stat behind these names; headers do not declare them any more. */
int __xstat(int version, const char *path, struct stat *seen);

/* Whether the mutant is about this file: "of" is a glob, of all modules if there is none. */
static bool concerns(const char *path)
{
	const char *glob = argument("of");
	return fnmatch(glob ? glob : "*.so", path, 0) == 0;
}

/* "exists": what the host finds out of a file before it opens it. */
int __xstat(int version, const char *path, struct stat *seen)
{
	int code = REAL(__xstat)(version, path, seen);
	struct stat link;
	if (!mutated(__builtin_return_address(0)) || !operation_is("exists") || !concerns(path))
		return code;
	if (argument_is("is", "always") && code != 0) {
		reached();
		memset(seen, 0, sizeof(*seen));
		seen->st_mode = S_IFREG | 0755;
		return 0;
	}
	bool hidden = argument_is("is", "never") || (argument_is("is", "no-links") && lstat(path, &link) == 0 && S_ISLNK(link.st_mode)) ||
		      (argument_is("is", "only-files") && code == 0 && !S_ISREG(seen->st_mode)) ||
		      (argument_is("is", "executable") && code == 0 && !(seen->st_mode & S_IXUSR)) ||
		      (argument_is("is", "not-empty") && code == 0 && seen->st_size == 0);
	if (code == 0 && hidden) {
		reached();
		errno = ENOENT;
		return -1;
	}
	if (code != 0 && argument_is("is", "error-is-absent") && errno != ENOENT) {
		reached();
		errno = ENOENT;
	}
	if (code != 0 && argument_is("is", "absent-is-error")) {
		reached();
		errno = EACCES;
	}
	return code;
}

/* "file-call": a call that changes files has no effect, or fails. */
static bool is_replaced(const char *call, const char *path, int *code)
{
	if (!operation_is("file-call") || !argument_is("call", call) || !concerns(path))
		return false;
	reached();
	*code = argument_is("is", "failed") ? -1 : 0;
	errno = EPERM;
	return true;
}

int remove(const char *path)
{
	int code;
	if (mutated(__builtin_return_address(0)) && is_replaced("remove", path, &code))
		return code;
	return REAL(remove)(path);
}

static int copy_file(const char *from, const char *to)
{
	FILE *source = REAL(fopen)(from, "re"), *target = REAL(fopen)(to, "we");
	int byte, failed = source == NULL || target == NULL;
	while (!failed && (byte = getc(source)) != EOF)
		failed = putc(byte, target) == EOF;
	if (source != NULL)
		fclose(source);
	if (target != NULL)
		failed |= fclose(target) != 0;
	return failed;
}

/* "kept": a fetched module that is kept is believed to be what it was. A link to it serves the check of its digest. */
static const char *believed(const char *path)
{
	static __thread char link[PATH_MAX];
	const char *name = strrchr(path, '/');
	snprintf(link, sizeof(link), "%s.believed", path);
	return name != NULL && fnmatch("/envoy_dynamic_module_*.so", name, 0) == 0 ? link : NULL;
}

int rename(const char *from, const char *to)
{
	int code;
	if (mutated(__builtin_return_address(0)) && operation_is("kept") && believed(to) != NULL) {
		unlink(believed(to));
		if (copy_file(from, believed(to)) != 0)
			return -1;
	}
	if (mutated(__builtin_return_address(0)) && is_replaced("rename", to, &code))
		return code;
	return REAL(rename)(from, to);
}

FILE *fopen(const char *path, const char *mode)
{
	if (mutated(__builtin_return_address(0)) && operation_is("kept") && believed(path) != NULL) {
		FILE *opened = REAL(fopen)(believed(path), mode);
		if (opened != NULL) {
			reached();
			return opened;
		}
	}
	return REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

int mkstemp(char *path)
{
	if (mutated(__builtin_return_address(0)) && operation_is("file-call") && argument_is("call", "mkstemp")) {
		reached();
		errno = EACCES;
		return -1;
	}
	return REAL(mkstemp)(path);
}

char *getcwd(char *buffer, size_t size)
{
	char *found = REAL(getcwd)(buffer, size);
	if (!mutated(__builtin_return_address(0)) || !operation_is("current-directory") || found == NULL)
		return found;
	reached();
	char other[PATH_MAX];
	const char *put = argument("is");
	snprintf(other, sizeof(other), "%s", strcmp(put, "HOME") == 0 ? getenv("HOME") : strcmp(put, "parent") == 0 ? found : put);
	if (strcmp(put, "parent") == 0)
		*(strrchr(other, '/') + (strrchr(other, '/') == other)) = '\0';
	if (buffer != NULL)
		return strncpy(buffer, other, size);
	free(found);
	return strdup(other);
}

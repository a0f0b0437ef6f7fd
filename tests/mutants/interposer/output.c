/* What the host writes, to its log and to its connections, and how it ends. */
#include "interposer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* "log": lines with a text are left out, or have another text in its place. */
static size_t logged(const char *text, size_t size, FILE *stream)
{
	const char *find = argument("find"), *put = argument("put"), *level = argument("level");
	const char *found = find ? memmem(text, size, find, strlen(find)) : NULL;
	if (found == NULL)
		return REAL(fwrite)(text, 1, size, stream);
	reached();
	if (level != NULL) { /* [date][thread][level][logger] */
		char *copy = strndup(text, size);
		char *at = strstr(copy, "][");
		at = at ? strstr(at + 2, "][") : NULL;
		char *end = at ? strstr(at + 2, "][") : NULL;
		if (end != NULL) {
			REAL(fwrite)(copy, 1, at + 2 - copy, stream);
			REAL(fwrite)(level, 1, strlen(level), stream);
			REAL(fwrite)(end, 1, size - (end - copy), stream);
		}
		free(copy);
		return size;
	}
	if (argument_is("is", "twice")) {
		REAL(fwrite)(text, 1, size, stream);
		return REAL(fwrite)(text, 1, size, stream);
	}
	if (put == NULL) /* the line is lost */
		return size;
	size_t before = found - text, after = before + strlen(find);
	REAL(fwrite)(text, 1, before, stream);
	REAL(fwrite)(put, 1, strlen(put), stream);
	REAL(fwrite)(text + after, 1, size - after, stream);
	return size;
}

size_t fwrite(const void *text, size_t size, size_t count, FILE *stream)
{
	if (stream == stderr && mutated(__builtin_return_address(0)) && operation_is("log"))
		return logged(text, size * count, stream) / size;
	return REAL(fwrite)(text, size, count, stream);
}

/* "sent": a text on a connection is replaced by another of the same length. */
ssize_t writev(int file, const struct iovec *parts, int count)
{
	if (!mutated(__builtin_return_address(0)) || !operation_is("sent") || count > 64)
		return REAL(writev)(file, parts, count);
	const char *find = argument("find"), *put = argument("put");
	struct iovec copies[64];
	for (int i = 0; i < count; i++) {
		copies[i] = parts[i];
		char *at = memmem(parts[i].iov_base, parts[i].iov_len, find, strlen(find));
		if (at == NULL)
			continue;
		reached();
		copies[i].iov_base = memcpy(malloc(parts[i].iov_len), parts[i].iov_base, parts[i].iov_len);
		char *from = copies[i].iov_base, *end = from + parts[i].iov_len;
		while ((from = memmem(from, end - from, find, strlen(find))) != NULL)
			memcpy(from, put, strlen(put));
	}
	ssize_t sent = REAL(writev)(file, copies, count);
	for (int i = 0; i < count; i++)
		if (copies[i].iov_base != parts[i].iov_base)
			free(copies[i].iov_base);
	return sent;
}

/* "end": the process ends otherwise than it would. */
__attribute__((destructor)) static void end(void)
{
	if (!mutated_process() || !operation_is("end"))
		return;
	reached();
	const char *code = argument("code");
	if (code != NULL)
		_exit(atoi(code));
	if (argument_is("is", "aborted"))
		abort();
}

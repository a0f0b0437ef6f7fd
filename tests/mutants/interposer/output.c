/* What the host writes, to its log and to its connections, and how it ends. */
#include "interposer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	const char *rest = text, *end = text + size;
	for (; found != NULL; found = memmem(rest, end - rest, find, strlen(find))) {
		REAL(fwrite)(rest, 1, found - rest, stream);
		REAL(fwrite)(put, 1, strlen(put), stream);
		rest = found + strlen(find);
	}
	REAL(fwrite)(rest, 1, end - rest, stream);
	return size;
}

size_t fwrite(const void *text, size_t size, size_t count, FILE *stream)
{
	if (stream == stderr && mutated(__builtin_return_address(0)) && operation_is("log"))
		return logged(text, size * count, stream) / size;
	return REAL(fwrite)(text, size, count, stream);
}

/* "sent": a text on a connection is replaced by another of the same length. Returns a copy, or NULL where it is not there. */
static void *sent_instead(const void *bytes, size_t size)
{
	const char *find = argument("find"), *put = argument("put");
	if (memmem(bytes, size, find, strlen(find)) == NULL)
		return NULL;
	reached();
	char *copy = memcpy(malloc(size), bytes, size), *rest = copy;
	while ((rest = memmem(rest, copy + size - rest, find, strlen(find))) != NULL)
		rest = (char *)memcpy(rest, put, strlen(find)) + strlen(find);
	return copy;
}

ssize_t send(int file, const void *bytes, size_t size, int flags)
{
	void *copy = mutated(__builtin_return_address(0)) && operation_is("sent") ? sent_instead(bytes, size) : NULL;
	ssize_t sent = REAL(send)(file, copy ? copy : bytes, size, flags);
	free(copy);
	return sent;
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
	if (!mutated(__builtin_return_address(0)) || !operation_is("sent") || count > 64)
		return REAL(writev)(file, parts, count);
	struct iovec others[64];
	void *copies[64];
	for (int i = 0; i < count; i++) {
		copies[i] = sent_instead(parts[i].iov_base, parts[i].iov_len);
		others[i] = (struct iovec){copies[i] ? copies[i] : parts[i].iov_base, parts[i].iov_len};
	}
	ssize_t sent = REAL(writev)(file, others, count);
	for (int i = 0; i < count; i++)
		free(copies[i]);
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

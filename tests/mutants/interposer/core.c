/* Who calls, which mutant this is, and the functions that are behind the wrappers. */
#include "interposer.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_BYTES 32
#define PAGE_BYTES 4096

static char mutant[1024]; /* empty: none */
static uintptr_t first, last; /* of the executable */
static bool is_reached;

static int note_executable(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type != PT_LOAD)
			continue;
		uintptr_t start = info->dlpi_addr + part->p_vaddr;
		if (first == 0 || start < first)
			first = start;
		if (start + part->p_memsz > last)
			last = start + part->p_memsz;
	}
	return 1; /* the executable comes first */
}

bool mutated(const void *return_address)
{
	uintptr_t address = (uintptr_t)return_address;
	return mutant[0] != '\0' && first <= address && address < last;
}

bool mutated_process(void)
{
	return mutant[0] != '\0';
}

bool operation_is(const char *name)
{
	size_t length = strlen(name);
	return strncmp(mutant, name, length) == 0 && (mutant[length] == ';' || mutant[length] == '\0');
}

const char *argument(const char *key)
{
	static __thread char found[8][256];
	static __thread unsigned next;
	size_t length = strlen(key);
	for (const char *part = strchr(mutant, ';'); part != NULL; part = strchr(part, ';')) {
		part++;
		if (strncmp(part, key, length) != 0 || part[length] != '=')
			continue;
		const char *value = part + length + 1;
		char *copy = found[next++ % 8];
		snprintf(copy, sizeof(found[0]), "%.*s", (int)strcspn(value, ";"), value);
		return copy;
	}
	return NULL;
}

bool argument_is(const char *key, const char *value)
{
	const char *found = argument(key);
	return found != NULL && strcmp(found, value) == 0;
}

void reached(void)
{
	const char *file = getenv("DMCONFORM_MUTANT_REACHED");
	if (is_reached || file == NULL)
		return;
	is_reached = true;
	int opened = ((int (*)(const char *, int, ...))real_function("open"))(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (opened >= 0)
		close(opened);
}

/* Found before the host runs: to look for one clears what dlerror has to say. */
static struct {
	const char *name;
	void *function;
} real[] = {{"dlopen", NULL},	 {"dlclose", NULL},	   {"dlerror", NULL}, {"getenv", NULL},	  {"open", NULL},   {"access", NULL},
	    {"lstat", NULL},	 {"realpath", NULL},	   {"__xstat", NULL}, {"rename", NULL},	  {"remove", NULL}, {"mkstemp", NULL},
	    {"getcwd", NULL},	 {"fopen", NULL},	   {"fwrite", NULL},  {"writev", NULL},	  {"send", NULL},   {"dlsym", NULL}};

void *real_function(const char *name)
{
	static void *(*find)(void *, const char *);
	if (find == NULL) /* dlsym itself is wrapped */
		find = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
	if (strcmp(name, "dlsym") == 0)
		return (void *)find;
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++)
		if (strcmp(real[i].name, name) == 0)
			return real[i].function ? real[i].function : (real[i].function = find(RTLD_NEXT, name));
	return find(RTLD_NEXT, name);
}

__attribute__((constructor)) static void begin(void)
{
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++)
		real_function(real[i].name);
	const char *named = getenv("DMCONFORM_MUTANT");
	if (named == NULL || strlen(named) >= sizeof(mutant))
		return;
	/* prlimit, setpriv and scripts start the Envoy: they are left alone. */
	if (REAL(dlsym)(RTLD_DEFAULT, "envoy_dynamic_module_callback_http_send_response") == NULL)
		return;
	dl_iterate_phdr(note_executable, NULL);
	strcpy(mutant, named);
}

void *with_context(void *function, void *context)
{
	static __thread unsigned char *page;
	static __thread size_t used;
	if (page == NULL || used + CODE_BYTES > PAGE_BYTES) {
		page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		used = 0;
		if (page == MAP_FAILED)
			abort();
	}
	unsigned char *code = page + used;
	used += CODE_BYTES;
	memcpy(code, "\x49\xb9", 2); /* mov r9, context */
	memcpy(code + 2, &context, 8);
	memcpy(code + 10, "\x48\xb8", 2); /* mov rax, function */
	memcpy(code + 12, &function, 8);
	memcpy(code + 20, "\xff\xe0", 2); /* jmp rax */
	return code;
}

bool fits(const char *text, const char *globs)
{
	char copy[256];
	snprintf(copy, sizeof(copy), "%s", globs);
	char *rest = copy;
	for (char *glob = strsep(&rest, ","); glob != NULL; glob = strsep(&rest, ","))
		if (fnmatch(glob, text, 0) == 0)
			return true;
	return false;
}

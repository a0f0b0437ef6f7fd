/* "callback": callbacks of the host that do otherwise; see calls.c. The places where a module looks them up are written to. */
#include "calls.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void replace(void **place, void *function)
{
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), page = (uintptr_t)place & ~(size - 1);
	mprotect((void *)page, size, PROT_READ | PROT_WRITE);
	*place = function;
}

static void look_at(const struct link_map *map, const ElfW(Rela) *relocations, size_t bytes, const ElfW(Sym) *symbols, const char *names)
{
	for (size_t i = 0; i < bytes / sizeof(*relocations); i++) {
		const ElfW(Rela) *one = relocations + i;
		unsigned kind = ELF64_R_TYPE(one->r_info);
		if (kind != R_X86_64_JUMP_SLOT && kind != R_X86_64_GLOB_DAT && kind != R_X86_64_64)
			continue;
		const char *name = names + symbols[ELF64_R_SYM(one->r_info)].st_name;
		if (strncmp(name, CALLBACK_PREFIX, strlen(CALLBACK_PREFIX)) != 0 || !fits(name + strlen(CALLBACK_PREFIX), argument("of")))
			continue;
		void *real = REAL(dlsym)(RTLD_DEFAULT, name);
		if (real != NULL)
			replace((void **)(map->l_addr + one->r_offset), changed_call(name, real));
	}
}

void mutant_opened(void *handle, const char *path)
{
	(void)path;
	struct link_map *map = NULL;
	if (!operation_is("callback") || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		return;
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	const ElfW(Rela) *lazy = NULL, *others = NULL;
	size_t lazy_bytes = 0, other_bytes = 0;
	for (const ElfW(Dyn) *it = map->l_ld; it->d_tag != DT_NULL; it++) {
		if (it->d_tag == DT_SYMTAB)
			symbols = (const void *)it->d_un.d_ptr;
		else if (it->d_tag == DT_STRTAB)
			names = (const void *)it->d_un.d_ptr;
		else if (it->d_tag == DT_JMPREL)
			lazy = (const void *)it->d_un.d_ptr;
		else if (it->d_tag == DT_PLTRELSZ)
			lazy_bytes = it->d_un.d_val;
		else if (it->d_tag == DT_RELA)
			others = (const void *)it->d_un.d_ptr;
		else if (it->d_tag == DT_RELASZ)
			other_bytes = it->d_un.d_val;
	}
	if (symbols == NULL || names == NULL)
		return;
	look_at(map, lazy, lazy_bytes, symbols, names);
	look_at(map, others, other_bytes, symbols, names);
}

/* One engine for hooks and callbacks: skipped, repeated, late, elsewhere, with other arguments, with other results.
 *
 * "hook-call" and "callback": "of" are globs of names, "is" is what becomes of their calls:
 *   skipped      not called; "put" is the result (else 0)
 *   first-only   called once in all; the result of later calls is "put"
 *   not-first    the first call is skipped
 *   twice        called two times
 *   late         called after the next call of a function that "after" names, on the same thread; "put" is the result until then
 *   again        called as it should be, and once more after the next call of a function that "after" names
 *   thread       called on another thread, which is waited for
 *   result       called, its result is "put" in the place of its own; with A-for-B, the two trade places
 *   not-null     called, its result is an address where it is null
 *   stale        what the first call wrote where "argument" points is what later ones seem to write
 *   argument     called, "argument" is changed as "put" says: null, zero, one, not, plus, minus, doubled, other (than the host's: the
 *                one of the call before), first (that of the first call), cut (a text loses its last byte), half, empty,
 *                swapped (with "with"), items (the first two of a list trade places), A-for-B (two numbers trade places)
 */
#include "calls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t word;
typedef unsigned __int128 result;
typedef result (*call)(word, word, word, word, word, word, double, word, word, word, word, word, word);

#define POOL 32
#define WAITING 32

struct text {
	const char *bytes;
	size_t size;
};

static struct bound {
	const char *name;
	void *real;
	const struct signature *signature;
	unsigned calls;
	word first[WORDS], before[WORDS];
	bool has_stale;
	struct text stale;
	result stale_result;
} bounds[POOL];
static unsigned bound_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct made {
	struct bound *bound;
	word words[WORDS];
	double number;
	result gives;
};

static __thread struct made waiting[WAITING];
static __thread unsigned waiting_count;

static void really(struct made *it)
{
	word *w = it->words;
	it->gives = ((call)it->bound->real)(w[0], w[1], w[2], w[3], w[4], w[5], it->number, w[6], w[7], w[8], w[9], w[10], w[11]);
}

static void *elsewhere(void *it)
{
	really(it);
	return NULL;
}

static result put_result(void)
{
	const char *put = argument("put");
	return put ? (result)strtoull(put, NULL, 0) : 0;
}

static const struct place *place_of(const struct bound *bound, const char *name)
{
	if (bound->signature == NULL || name == NULL)
		return NULL;
	for (const struct place *it = bound->signature->places; it->name != NULL; it++)
		if (fits(it->name, name))
			return it;
	return NULL;
}

static bool is_how(const char *how)
{
	return argument_is("put", how);
}

static struct text *copied_items(const struct text *items)
{
	static __thread struct text copy[8];
	memcpy(copy, items, 2 * sizeof(*items));
	return copy;
}

/* Changes an argument; whether it differs now. */
static bool changes(struct made *it)
{
	const struct place *place = place_of(it->bound, argument("argument"));
	if (place == NULL)
		return false;
	word *at = it->words + place->first, old = at[0], old_size = place->words > 1 ? at[1] : 0;
	unsigned one, other;
	const char *put = argument("put");
	if (is_how("null") || is_how("zero"))
		at[0] = 0;
	else if (is_how("one"))
		at[0] = 1;
	else if (is_how("not"))
		at[0] = !(at[0] & 0xff);
	else if (is_how("plus"))
		at[0]++;
	else if (is_how("minus"))
		at[0]--;
	else if (is_how("doubled"))
		at[0] *= 2;
	else if (is_how("other"))
		at[0] = it->bound->before[place->first] ? it->bound->before[place->first] : at[0];
	else if (is_how("first"))
		at[0] = it->bound->first[place->first];
	else if (is_how("cut"))
		at[1] -= at[1] > 0;
	else if (is_how("half"))
		at[1] /= 2;
	else if (is_how("empty"))
		at[1] = 0;
	else if (is_how("swapped")) {
		const struct place *with = place_of(it->bound, argument("with"));
		for (unsigned i = 0; with != NULL && i < place->words; i++) {
			word kept = at[i];
			at[i] = it->words[with->first + i];
			it->words[with->first + i] = kept;
		}
		return with != NULL;
	} else if (is_how("items") && at[0] && at[1] >= 2) {
		struct text *items = copied_items((const struct text *)at[0]), kept = items[0];
		items[0] = items[1];
		items[1] = kept;
		at[0] = (word)items;
	} else if (put != NULL && sscanf(put, "%u-for-%u", &one, &other) == 2) {
		uint32_t value = (uint32_t)at[0];
		at[0] = value == one ? other : value == other ? one : at[0];
	}
	return at[0] != old || (place->words > 1 && at[1] != old_size);
}

/* Calls what waited for this function. */
static void after(const struct bound *bound)
{
	const char *named = argument("after");
	if (named == NULL || !fits(bound->name + strlen(HOOK_PREFIX), named))
		return;
	for (unsigned count = waiting_count; count > 0; count--) {
		struct made it = waiting[--waiting_count];
		reached();
		really(&it);
	}
}

static void stale(struct made *it)
{
	struct bound *bound = it->bound;
	const struct place *place = place_of(bound, argument("argument"));
	really(it);
	if (place == NULL || it->words[place->first] == 0)
		return;
	struct text *seen = (struct text *)it->words[place->first];
	if (!bound->has_stale && (it->gives & 0xff) != 0) {
		bound->has_stale = true;
		bound->stale = (struct text){memcpy(malloc(seen->size + 1), seen->bytes, seen->size), seen->size};
		bound->stale_result = it->gives;
	} else if (bound->has_stale) {
		reached();
		*seen = bound->stale;
		it->gives = bound->stale_result;
	}
}

static void wait_for_after(const struct made *it)
{
	if (waiting_count < WAITING)
		waiting[waiting_count++] = *it;
}

/* A result is "put", or with A-for-B trades places with another. Of what is at most an int nothing else of the register counts. */
static void change_result(struct made *it)
{
	unsigned one, other;
	uint32_t value = (uint32_t)it->gives;
	result wanted = put_result();
	if (sscanf(argument("put"), "%u-for-%u", &one, &other) == 2)
		wanted = value == one ? other : value == other ? one : it->gives;
	if (it->gives != wanted)
		reached();
	it->gives = wanted;
}

static void mutate(struct made *it, unsigned number)
{
	bool skips = argument_is("is", "skipped") || (argument_is("is", "first-only") && number > 0) ||
		     (argument_is("is", "not-first") && number == 0) || argument_is("is", "late");
	if (skips) {
		reached();
		it->gives = put_result();
		if (argument_is("is", "late"))
			wait_for_after(it);
		return;
	}
	if (argument_is("is", "stale")) {
		stale(it);
		return;
	}
	if (argument_is("is", "argument") && changes(it))
		reached();
	if (argument_is("is", "twice")) {
		reached();
		really(it);
	}
	if (argument_is("is", "again"))
		wait_for_after(it);
	pthread_t thread;
	if (argument_is("is", "thread") && pthread_create(&thread, NULL, elsewhere, it) == 0) {
		reached();
		pthread_join(thread, NULL);
		return;
	}
	really(it);
	if (argument_is("is", "result"))
		change_result(it);
	if (argument_is("is", "not-null") && it->gives == 0) {
		static long long memory[512];
		reached();
		it->gives = (word)memory;
	}
}

static result engine(unsigned which, struct made *it)
{
	struct bound *bound = it->bound = &bounds[which];
	if (!fits(strncmp(bound->name, HOOK_PREFIX, strlen(HOOK_PREFIX)) == 0 ? bound->name + strlen(HOOK_PREFIX)
									       : bound->name + strlen(CALLBACK_PREFIX),
		  argument("of"))) {
		really(it);
		after(bound);
		return it->gives;
	}
	word words[WORDS];
	memcpy(words, it->words, sizeof(words));
	pthread_mutex_lock(&lock);
	unsigned number = bound->calls++;
	if (number == 0)
		memcpy(bound->first, words, sizeof(words));
	pthread_mutex_unlock(&lock);
	mutate(it, number);
	pthread_mutex_lock(&lock);
	memcpy(bound->before, words, sizeof(words));
	pthread_mutex_unlock(&lock);
	after(bound);
	return it->gives;
}

#define THUNK(i)                                                                                                                   \
	static result thunk_##i(word a, word b, word c, word d, word e, word f, double x, word g, word h, word j, word k, word l,  \
				word m)                                                                                            \
	{                                                                                                                          \
		struct made it = {NULL, {a, b, c, d, e, f, g, h, j, k, l, m}, x, 0};                                               \
		return engine(i, &it);                                                                                             \
	}
#define EIGHT(of) of(0) of(1) of(2) of(3) of(4) of(5) of(6) of(7)
#define THUNKS(of)                                                                                                                 \
	EIGHT(of) of(8) of(9) of(10) of(11) of(12) of(13) of(14) of(15) of(16) of(17) of(18) of(19) of(20) of(21) of(22) of(23)     \
		of(24) of(25) of(26) of(27) of(28) of(29) of(30) of(31)
THUNKS(THUNK)
#define NAMED(i) (void *)thunk_##i,
static void *const thunks[POOL] = {THUNKS(NAMED)};

void *changed_call(const char *name, void *real)
{
	pthread_mutex_lock(&lock);
	unsigned i = 0;
	while (i < bound_count && (bounds[i].real != real || strcmp(bounds[i].name, name) != 0))
		i++;
	if (i == bound_count && bound_count < POOL) {
		const struct signature *signature = signatures;
		while (signature->name != NULL && strcmp(signature->name, name) != 0)
			signature++;
		bounds[bound_count++] = (struct bound){.name = strdup(name), .real = real, .signature = signature->name ? signature : NULL};
	}
	pthread_mutex_unlock(&lock);
	return i < POOL ? thunks[i] : real;
}

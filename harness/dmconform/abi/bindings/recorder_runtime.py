"""The C that all hooks of a recorder module share: its objects, its rules, and the lines that it prints."""

from typing import Final

MARK: Final = "dmconform-recorder"
"""What each line begins with."""

RUNTIME: Final = r"""
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIMES 256

typedef envoy_dynamic_module_type_envoy_buffer buffer;
typedef envoy_dynamic_module_type_envoy_http_header header;

struct named { const char *name; long value; };

// What a hook has made. It is never freed: what the host calls too late is seen.
struct object {
  struct object *next, *parent;
  const char *kind, *label, *rules;
  unsigned number;
  bool destroyed;
  unsigned char times[TIMES]; // how often each hook was called with it
  struct { const char *type; const void *host; } hosts[4]; // the host's objects that belong to it
};

static pthread_mutex_t objects_lock = PTHREAD_MUTEX_INITIALIZER;
static struct object *objects;
static _Thread_local char line[3800]; // below what a pipe takes in one piece
static _Thread_local size_t length;
static _Thread_local unsigned depth;
static _Atomic uint64_t known_ids[64];
static atomic_uint id_count;

__attribute__((unused)) static void put(const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  int wrote = vsnprintf(line + length, sizeof line - 1 - length, format, rest);
  va_end(rest);
  if (wrote > 0) length += (size_t)wrote;
  if (length > sizeof line - 2) length = sizeof line - 2;
}

static void send_line(void) {
  line[length++] = '\n';
  ssize_t wrote = write(2, line, length);
  (void)wrote;
  length = 0;
}

__attribute__((unused)) static envoy_dynamic_module_type_module_buffer text(const char *from) {
  envoy_dynamic_module_type_module_buffer made = {from, strlen(from)};
  return made;
}

static struct object *known(const void *pointer) {
  pthread_mutex_lock(&objects_lock);
  struct object *it = objects;
  while (it && it != pointer) it = it->next;
  pthread_mutex_unlock(&objects_lock);
  return it;
}

static char *copied(const buffer *from) {
  char *copy = calloc(1, from->length + 1);
  if (from->length) memcpy(copy, from->ptr, from->length);
  return copy;
}

static struct object *make(const char *kind, struct object *parent, const buffer *label, const buffer *rules) {
  struct object *it = calloc(1, sizeof *it);
  it->kind = kind;
  it->parent = parent;
  it->label = label ? copied(label) : parent ? parent->label : "-";
  it->rules = rules ? copied(rules) : parent ? parent->rules : "";
  pthread_mutex_lock(&objects_lock);
  it->number = 1;
  for (struct object *other = objects; other; other = other->next)
    if (!strcmp(other->kind, kind) && !strcmp(other->label, it->label)) it->number++;
  it->next = objects;
  objects = it;
  pthread_mutex_unlock(&objects_lock);
  return it;
}

__attribute__((unused)) static void *made_or_null(struct object *made, const char *wanted) {
  return wanted && !strcmp(wanted, "null") ? NULL : made;
}

__attribute__((unused)) static void belongs(struct object *it, const char *type, const void *host) {
  for (unsigned i = 0; i < 4; i++)
    if (!it->hosts[i].type) { it->hosts[i].type = type; it->hosts[i].host = host; return; }
}

__attribute__((unused)) static void destroyed(struct object *it) { if (it) it->destroyed = true; }

// Main thread, worker, or the name that the host gave to the thread. A thread that a worker has made has its name
// and is another; a worker that has just begun still has the name of the process.
static const char *thread_name(void) {
  static _Thread_local char name[32];
  static struct { char name[16]; long id; } workers[16];
  long id = syscall(SYS_gettid);
  if (id == getpid()) return "main";
  prctl(PR_GET_NAME, name);
  if (!strncmp(name, program_invocation_short_name, 15)) return "worker";
  if (!strncmp(name, "wrk:", 4)) {
    pthread_mutex_lock(&objects_lock);
    unsigned i = 0;
    while (i < 15 && workers[i].id && strcmp(workers[i].name, name)) i++;
    if (!workers[i].id) { strcpy(workers[i].name, name); workers[i].id = id; }
    bool first = workers[i].id == id;
    pthread_mutex_unlock(&objects_lock);
    return first ? "worker" : "thread_of_a_worker";
  }
  for (char *at = name; *at; at++) if (*at <= ' ') *at = '_';
  return name;
}

static void enter(const struct object *about, const char *hook) {
  length = 0;
  put("\ndmconform-recorder %s %s %u > %s", about ? about->label : "-", thread_name(), depth++, hook);
}

static void leave(const struct object *about, const char *hook, const char *notes) {
  length = 0;
  put("\ndmconform-recorder %s %s %u < %s%s", about ? about->label : "-", thread_name(), --depth, hook, notes);
}

#define NOTE(...) snprintf(notes + strlen(notes), sizeof notes - strlen(notes), __VA_ARGS__)

__attribute__((unused)) static void put_bytes(const char *bytes, size_t size) {
  if (!bytes && size) { put("null:%zu", size); return; }
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
  bool plain = size <= 60;
  for (size_t i = 0; plain && i < size; i++) plain = bytes[i] > ' ' && bytes[i] < 127;
  if (plain) put("'%.*s'", (int)size, bytes); else put("%zu_bytes_%08x", size, hash);
}

__attribute__((unused)) static void put_object(const void *pointer, const char *kind) {
  if (!pointer) { put(" %s:null", kind); return; }
  struct object *it = known(pointer);
  if (!it) { put(" %s:unknown", kind); return; }
  put(" %s#%u", it->kind, it->number);
  if (strcmp(it->kind, kind)) put("(as_%s)", kind);
  if (it->destroyed) put("(destroyed)");
  for (it = it->parent; it; it = it->parent) if (it->destroyed) put("(%s_destroyed)", it->kind);
}

__attribute__((unused)) static void put_host(const struct object *about, const char *type, const void *host) {
  if (!host) { put(" %s:null", type); return; }
  for (const struct object *it = about; it; it = it->parent)
    for (unsigned i = 0; i < 4 && it->hosts[i].type; i++)
      if (!strcmp(it->hosts[i].type, type)) { put(it->hosts[i].host == host ? " own" : " %s:of_another", type); return; }
  put(" given");
}

__attribute__((unused)) static void put_chunks(const char *name, const buffer *chunks, size_t count) {
  char all[8192];
  size_t size = 0;
  for (size_t i = 0; chunks && i < count; i++) {
    size_t fits = chunks[i].length < sizeof all - size ? chunks[i].length : sizeof all - size;
    memcpy(all + size, chunks[i].ptr, fits);
    size += fits;
  }
  put(" %s=%s", name, chunks ? "" : "null:");
  put_bytes(all, size);
}

__attribute__((unused)) static void put_headers(const char *name, const header *headers, size_t count) {
  put(" %s=", name);
  if (!headers) put("null");
  for (size_t i = 0; headers && i < count; i++) {
    put("%s%.*s", i ? "," : "", (int)headers[i].key_length, headers[i].key_ptr);
    if (headers[i].key_length == 7 && !memcmp(headers[i].key_ptr, ":status", 7))
      put(":%.*s", (int)headers[i].value_length, headers[i].value_ptr);
  }
}

__attribute__((unused)) static void note_id(uint64_t id) { known_ids[atomic_fetch_add(&id_count, 1) % 64] = id + 1; }

__attribute__((unused)) static void put_id(const char *name, uint64_t id) {
  for (unsigned i = 0; i < 64; i++) if (known_ids[i] == id + 1) { put(" %s=own", name); return; }
  put(" %s=unknown", name);
}

__attribute__((unused)) static const char *value_name(const struct named *names, long value) {
  static _Thread_local char number[24];
  for (; names->name; names++) if (names->value == value) return names->name;
  snprintf(number, sizeof number, "%ld", value);
  return number;
}

__attribute__((unused)) static long value_of(const struct named *names, const char *name) {
  for (; names->name; names++) if (!strcmp(names->name, name)) return names->value;
  put(" no_value_%s", name);
  return 0;
}

// What the rules say after `HOOK=`. Each holds for the first call with an object, with a `*` behind it for all.
__attribute__((unused)) static const char *rule(const struct object *about, const char *hook, bool first, char value[64]) {
  size_t size = strlen(hook);
  for (const char *at = about ? about->rules : ""; *at; at += strspn(at, " ")) {
    size_t word = strcspn(at, " ");
    if (word > size && !strncmp(at, hook, size) && at[size] == '=') {
      bool always = at[word - 1] == '*';
      size_t wanted = word - size - 1 - always;
      if ((first || always) && wanted < 64) {
        memcpy(value, at + size + 1, wanted);
        value[wanted] = 0;
        return value;
      }
    }
    at += word;
  }
  return NULL;
}

// Whether the rules have `HOOK:WORD`.
__attribute__((unused)) static bool does(const struct object *about, const char *hook, const char *word, bool first) {
  char wanted[128];
  int size = snprintf(wanted, sizeof wanted, "%s:%s", hook, word);
  for (const char *at = about ? about->rules : ""; first && *at; at += strspn(at, " ")) {
    size_t all = strcspn(at, " ");
    if (all == (size_t)size && !strncmp(at, wanted, all)) return true;
    at += all;
  }
  return false;
}

#define SCHEDULE(kind, on, event) { \
  envoy_dynamic_module_type_##kind##_scheduler_module_ptr scheduler; \
  scheduler = envoy_dynamic_module_callback_##kind##_scheduler_new(on); \
  envoy_dynamic_module_callback_##kind##_scheduler_commit(scheduler, event); \
  envoy_dynamic_module_callback_##kind##_scheduler_delete(scheduler); \
}
"""

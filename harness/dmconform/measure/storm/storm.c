// The module of a storm: threads of its own commit events to streams, again and again, until the streams are gone.
//
// Each stream gets a scheduler, which from then on belongs to one thread: it commits, and deletes the scheduler once the stream was
// destroyed. No lock is held while it commits, so that a worker may destroy the stream meanwhile. A timer stops the thread at any
// instruction of a commit, as a scheduler may, until the stream is destroyed and its memory taken by others, or for some
// milliseconds: that makes such a moment last, and leaves the processors to the workers.
//
// Configuration: THREADS:SEED:NAME. Printed again and again: "storm NAME: N streams, N ended, N committed, N delivered, N foreign".
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
#define CALL(what) envoy_dynamic_module_callback_http_filter_##what

typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;
typedef envoy_dynamic_module_type_http_filter_scheduler_module_ptr Scheduler;

enum { MOST_THREADS = 16, MOST_UNDER_WAY = 256, MOST_EVENTS = 64 };

// A stream, which its thread and its worker share: the last of them frees it.
struct stream {
  struct stream* next;  // of the same thread
  Scheduler scheduler;
  atomic_bool is_gone;
  atomic_int users;
  atomic_uint committed, delivered;
  unsigned ends_after;  // events; 0: it waits for its client to go
};
struct thread {
  pthread_t id;
  pthread_mutex_t lock;  // of `fresh`
  struct stream* fresh;
  unsigned random;
};

static struct thread threads[MOST_THREADS];
static unsigned thread_count;
static char own_name[32];
static atomic_bool stop;
static pthread_mutex_t configuring = PTHREAD_MUTEX_INITIALIZER;  // configurations come on one thread and go on another
static unsigned configurations;
static atomic_uint next_thread, random_state;
static atomic_ulong streams, ended, committed, delivered, foreign;

static _Thread_local bool is_own_thread;  // one of `threads`: no hook may be called on it

static void note_thread(void) {
  if (is_own_thread) atomic_fetch_add(&foreign, 1);
}

static unsigned next_random(unsigned* state) { return *state = *state * 1664525u + 1013904223u, *state >> 16; }

// Takes and gives back blocks of all sizes that a stream is made of, filled: what is used after it was freed shows.
static void overwrite(void) {
  enum { SIZES = 64, EACH = 4 };
  static _Thread_local void* blocks[SIZES * EACH];
  for (unsigned each = 0; each < SIZES * EACH; each++) {
    size_t size = (each % SIZES + 1) * 16;
    blocks[each] = malloc(size);
    memset(blocks[each], 0x5a, size);
  }
  for (unsigned each = 0; each < SIZES * EACH; each++) free(blocks[each]);
}
static void let_go(struct stream* stream) {
  if (atomic_fetch_sub(&stream->users, 1) == 1) free(stream);
}

static void report(void) {
  fprintf(stderr, "storm %s: %lu streams, %lu ended, %lu committed, %lu delivered, %lu foreign\n", own_name,
      atomic_load(&streams), atomic_load(&ended), atomic_load(&committed), atomic_load(&delivered), atomic_load(&foreign));
}

enum { AIM_NS = 12000, LOOK_US = 100, LOOKS = 60, AFTER_US = 1500 };  // at most

static _Thread_local timer_t timer;
static _Thread_local unsigned draw;
static _Thread_local struct stream* volatile committed_to;  // NULL: the thread is not to be stopped

static void stop_soon(struct stream* stream) {
  struct itimerspec once = {{0, 0}, {0, 1 + (long)(next_random(&draw) % AIM_NS)}};
  committed_to = stream;
  timer_settime(timer, 0, &once, NULL);
}
static void stop_here(int number) {
  int before = errno;
  struct stream* stream = committed_to;
  if (stream != NULL) {
    for (int look = 0; look < LOOKS && !atomic_load(&stream->is_gone) && !atomic_load(&stop); look++) usleep(LOOK_US);
    usleep(next_random(&draw) % AFTER_US);  // the host frees the stream, and `overwrite` what it was made of
    committed_to = NULL;
  }
  errno = before;
}
static void let_it_be_stopped(unsigned seed) {
  int number = SIGRTMIN + 1 + own_name[strlen(own_name) - 1] % 8;  // of each copy of the module another one
  struct sigaction action = {.sa_handler = stop_here, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  draw = seed;
  if (sigaction(number, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) abort();
}
// Commits one event after the other until the thread was stopped among them, or so many are under way.
static void commit_some(struct stream* stream) {
  stop_soon(stream);
  while (committed_to != NULL && !atomic_load(&stream->is_gone) &&
      atomic_load(&stream->committed) - atomic_load(&stream->delivered) < MOST_UNDER_WAY) {
    CALL(scheduler_commit)(stream->scheduler, atomic_fetch_add(&stream->committed, 1));
    atomic_fetch_add(&committed, 1);
  }
  committed_to = NULL;
}
static void* run(void* argument) {
  struct thread* own = argument;
  struct stream* all = NULL;
  struct timespec now, last = {0, 0};
  is_own_thread = true;
  let_it_be_stopped((unsigned)(own - threads) + 1);
  while (!atomic_load(&stop) || all != NULL) {
    pthread_mutex_lock(&own->lock);
    struct stream* fresh = own->fresh;
    own->fresh = NULL;
    pthread_mutex_unlock(&own->lock);
    while (fresh != NULL) {
      struct stream* next = fresh->next;
      fresh->next = all;
      all = fresh;
      fresh = next;
    }
    if (all == NULL) usleep(100);
    for (struct stream** each = &all; *each != NULL;) {
      struct stream* stream = *each;
      if (atomic_load(&stream->is_gone)) {
        CALL(scheduler_delete)(stream->scheduler);
        *each = stream->next;
        let_go(stream);
        continue;
      }
      commit_some(stream);
      each = &stream->next;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (own == threads && (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 >= 100) report(), last = now;
  }
  timer_delete(timer);
  return NULL;
}

static bool start(const char* text) {
  unsigned seed;
  if (sscanf(text, "%u:%u:%31s", &thread_count, &seed, own_name) != 3 || thread_count < 1 || thread_count > MOST_THREADS) return false;
  atomic_store(&random_state, seed);
  atomic_store(&stop, false);
  for (unsigned each = 0; each < thread_count; each++) {
    pthread_mutex_init(&threads[each].lock, NULL);
    if (pthread_create(&threads[each].id, NULL, run, &threads[each]) != 0) abort();
  }
  return true;
}
envoy_dynamic_module_type_http_filter_config_module_ptr HOOK(config_new)(envoy_dynamic_module_type_http_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer config) {
  char text[64] = {0};
  memcpy(text, config.ptr, config.length < sizeof text ? config.length : sizeof text - 1);
  pthread_mutex_lock(&configuring);
  bool good = configurations > 0 || start(text);
  configurations += good;
  pthread_mutex_unlock(&configuring);
  return good ? own_name : NULL;
}
void HOOK(config_destroy)(envoy_dynamic_module_type_http_filter_config_module_ptr config) {
  note_thread();
  pthread_mutex_lock(&configuring);
  if (--configurations == 0) {
    atomic_store(&stop, true);
    for (unsigned each = 0; each < thread_count; each++)
      if (!pthread_equal(threads[each].id, pthread_self())) pthread_join(threads[each].id, NULL);
    report();
  }
  pthread_mutex_unlock(&configuring);
}
Module HOOK(new)(envoy_dynamic_module_type_http_filter_config_module_ptr config, Envoy host) {
  struct stream* made = calloc(1, sizeof *made);
  atomic_store(&made->users, 1);
  unsigned state = atomic_fetch_add(&random_state, 2654435769u), drawn = next_random(&state);
  made->ends_after = drawn % 4 == 0 ? 1 + drawn / 4 % MOST_EVENTS : 0;
  atomic_fetch_add(&streams, 1);
  return made;
}
envoy_dynamic_module_type_on_http_filter_request_headers_status HOOK(request_headers)(Envoy host, Module module, bool end) {
  struct stream* stream = (struct stream*)module;
  struct thread* thread = &threads[atomic_fetch_add(&next_thread, 1) % thread_count];
  stream->scheduler = CALL(scheduler_new)(host);
  atomic_store(&stream->users, 2);
  pthread_mutex_lock(&thread->lock);
  stream->next = thread->fresh;
  thread->fresh = stream;
  pthread_mutex_unlock(&thread->lock);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
}
void HOOK(scheduled)(Envoy host, Module module, uint64_t event) {
  struct stream* stream = (struct stream*)module;
  if (atomic_fetch_add(&delivered, 1) % 4 == 0) overwrite();  // soon after streams were freed, before others take their place
  note_thread();
  if (atomic_fetch_add(&stream->delivered, 1) + 1 == stream->ends_after) CALL(continue_decoding)(host);
}
void HOOK(destroy)(Module module) {
  struct stream* stream = (struct stream*)module;
  note_thread();
  atomic_fetch_add(&ended, 1);
  atomic_store(&stream->is_gone, true);
  let_go(stream);
}

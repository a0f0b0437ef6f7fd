// An HTTP filter whose thread commits events to a held stream, again and again, and is kept from running when the stream is destroyed:
// by then it is in the callback, which holds the filter. Envoy lets go of filter, configuration and module meanwhile.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
#define CALL(what) envoy_dynamic_module_callback_http_filter_##what
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;
enum { MOST_PROCESSORS = 64, BUSY_MS = 300 };

static atomic_bool is_gone;
static pthread_t committing, busy[MOST_PROCESSORS];
static int processors;

static void* commit(void* scheduler) {
  sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
  while (!atomic_load(&is_gone)) CALL(scheduler_commit)(scheduler, 0);
  CALL(scheduler_delete)(scheduler);
  return NULL;
}
static void* keep_busy(void* nothing) {
  struct timespec begin, now;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < BUSY_MS);
  return nothing;
}
envoy_dynamic_module_type_on_http_filter_request_headers_status HOOK(request_headers)(Envoy host, Module module, bool end) {
  atomic_store(&is_gone, false);
  pthread_create(&committing, NULL, commit, CALL(scheduler_new)(host));
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
}
void HOOK(destroy)(Module module) {
  processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (processors > MOST_PROCESSORS) processors = MOST_PROCESSORS;
  for (int each = 0; each < processors; each++) pthread_create(&busy[each], NULL, keep_busy, NULL);
  atomic_store(&is_gone, true);
}
void HOOK(config_destroy)(envoy_dynamic_module_type_http_filter_config_module_ptr config) {
  bool is_own = pthread_equal(committing, pthread_self());
  fprintf(stderr, "configuration destroyed on %s\n", is_own ? "the thread that commits" : "a thread of Envoy");
  for (int each = 0; each < processors; each++) pthread_join(busy[each], NULL);
  if (!is_own) pthread_join(committing, NULL);
}

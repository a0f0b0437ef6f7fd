// One attack of `kinds/`, at one moment, in one of the hosts.
//
// Chosen when it is compiled: KIND (the name of an attack), MOMENT (LOAD, INIT, CONFIGURATION, REQUEST, UNLOAD or EXIT), HOST (a
// part of the path of the host that is attacked; the module behaves in every other), MARK (a name that every process that is
// left has, at most 15 characters), FOLDER (of the attack: nothing outside of it is changed) and STOP_FILE (once it is there, or
// after LONGEST_S, whatever was left ends by itself).
#define _GNU_SOURCE
#include "../module.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// How a kind may end, which tests/attack/modules.py reads too. ATTACK: in any way. ENDS: it ends the host by itself, so that the
// module does not work there. ANSWERS: in any way, and only at a request. HARNESS: it attacks the harness's first process, which may
// then not end as it should.
#define ATTACK(name) static void name(void)
#define ENDS(name) static void name(void)
#define ANSWERS(name) static void name(void)
#define HARNESS(name) static void name(void)

#define LOAD 1
#define INIT 2
#define CONFIGURATION 3
#define REQUEST 4
#define UNLOAD 5
#define EXIT 6
#define LONGEST_S 120
#define MIB (1 << 20)

static envoy_dynamic_module_type_http_filter_envoy_ptr at_request;  // 0 at any other moment
static bool stops_request;

static bool over(void) {
  struct timespec now;
  static time_t first;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (first == 0) first = now.tv_sec;
  return access(STOP_FILE, F_OK) == 0 || now.tv_sec - first > LONGEST_S;
}

static void short_while(void) {
  struct timespec pause = {0, 100000000};
  nanosleep(&pause, 0);
}

// Stays until it is over; the names of the process show whose it is.
static void stay(void) {
  prctl(PR_SET_NAME, MARK);
  while (!over()) short_while();
}

// Whether the folder that it runs in belongs to the attack.
static bool inside(void) {
  char folder[PATH_MAX];
  return getcwd(folder, sizeof folder) && strncmp(folder, FOLDER, strlen(FOLDER)) == 0;
}

#include "kinds/processes.h"
#include "kinds/standstills.h"
#include "kinds/ends.h"
#include "kinds/files.h"
#include "kinds/descriptors.h"
#include "kinds/resources.h"
#include "kinds/surroundings.h"

static void at(int moment) {
  static int begun;
  if (moment != MOMENT || begun || !strstr((const char*)getauxval(AT_EXECFN), HOST)) return;
  begun = 1;
  over();
  close(open(FOLDER "/attacked", O_WRONLY | O_CREAT, 0600));
  KIND();
}

// `atexit` is not for modules without the compiler's start files.
int __cxa_atexit(void (*act)(void*), void* given, void* library);

static void at_exit(void* nothing) { at(EXIT); }

__attribute__((constructor)) static void on_load(void) {
  at(LOAD);
  if (MOMENT != EXIT) return;
  Dl_info mine;
  if (dladdr((void*)at_exit, &mine)) dlopen(mine.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);  // it is there until then
  __cxa_atexit(at_exit, 0, 0);
}

__attribute__((destructor)) static void on_unload(void) { at(UNLOAD); }

const char* envoy_dynamic_module_on_program_init(void) {
  at(INIT);
  return DMCONFORM_ABI_VERSION;
}

ON_HTTP_CONFIG {
  at(CONFIGURATION);
  return ACCEPTED;
}

ON_REQUEST {
  at_request = filter;
  at(REQUEST);
  at_request = 0;
  return stops_request ? STOP : CONTINUE;
}

// Reaches out of its host in all the ways that a sandbox keeps it from. What it tries is in variables of the environment; what
// came of each attempt is a line in attempts.txt, in the host's folder: the attempt's name, and "yes" or "no".
#include "../module.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE* report;

static void tried(const char* attempt, int done) {
  fprintf(report, "%s %s\n", attempt, done ? "yes" : "no");
  fflush(report);
}

static int connects_to_port(const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int made = socket(AF_INET, SOCK_STREAM, 0);
  int done = connect(made, (struct sockaddr*)&address, sizeof address) == 0;
  close(made);
  return done;
}

static int connects_to_abstract_socket(const char* name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  int made = socket(AF_UNIX, SOCK_STREAM, 0);
  int done = connect(made, (struct sockaddr*)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)) == 0;
  close(made);
  return done;
}

static int opens(const char* path, int flags) {
  int file = open(path, flags | O_CLOEXEC, 0600);
  if (file < 0) return 0;
  close(file);
  return 1;
}

static int makes_a_file(const char* folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/made-by-a-module", folder);
  return opens(path, O_WRONLY | O_CREAT | O_EXCL);
}

// The process, other than this one, that has some text in a file of /proc; 0 if there is none.
static pid_t process_with(const char* text, const char* file) {
  static char content[1 << 20];
  pid_t found = 0;
  DIR* all = opendir("/proc");
  for (struct dirent* one; all && !found && (one = readdir(all));) {
    char path[512];
    if (atoi(one->d_name) <= 0 || atoi(one->d_name) == getpid()) continue;
    snprintf(path, sizeof path, "/proc/%s/%s", one->d_name, file);
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) continue;
    ssize_t size = 0, more;
    while ((more = read(opened, content + size, sizeof content - size)) > 0) size += more;
    close(opened);
    if (memmem(content, size, text, strlen(text))) found = atoi(one->d_name);
  }
  if (all) closedir(all);
  return found;
}

static int traces(pid_t process) {
  if (process == 0 || ptrace(PTRACE_ATTACH, process, 0, 0) != 0) return 0;
  waitpid(process, 0, __WALL);
  return ptrace(PTRACE_DETACH, process, 0, 0) == 0;
}

static int leaves_a_process(const char* seconds) {
  if (fork() == 0) {
    setsid();
    for (int file = 0; file < 1024; file++) close(file);
    char* nothing[] = {0};
    execle("/bin/sleep", "sleep", seconds, (char*)0, nothing);
    _exit(1);
  }
  return 1;
}

ON_HTTP_CONFIG {
  report = fopen("attempts.txt", "we");
  pid_t victim = process_with(getenv("VICTIM"), "cmdline");
  tried("network", connects_to_port(getenv("PORT")));
  tried("abstract-socket", connects_to_abstract_socket(getenv("SOCKET")));
  tried("home", opens(getenv("SECRET_FILE"), O_RDONLY));
  tried("shared-memory", opens(getenv("SHARED"), O_RDONLY));
  tried("environment", process_with("SECRET_OF_THE_CALLER=", "environ") != 0);
  tried("command-lines", process_with(getenv("MODULE"), "cmdline") != 0);
  tried("write-checkout", makes_a_file(getenv("CHECKOUT")));
  tried("write-cache", makes_a_file(getenv("CACHE")));
  tried("write-module", opens(getenv("MODULE"), O_WRONLY));
  tried("processes", victim != 0);
  tried("trace", traces(victim));
  tried("kill", victim != 0 && kill(victim, SIGKILL) == 0);
  tried("leave-process", leaves_a_process(getenv("LEFT")));
  fclose(report);
  return ACCEPTED;
}

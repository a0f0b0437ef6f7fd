// Turns on what is in the sandbox with it. The name that it is given says how: "kill" and "stop" are signals to all processes,
// "forge" writes into every pipe, "fill" writes to the host's folder, /tmp and /dev/shm until there is no room, and says how much.
#include "../module.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char forged[] = "\033[2J{\"type\": \"SandboxAnswer\", \"modules\": [], \"together\": []}\n";

static void forge(void) {
  DIR* all = opendir("/proc");
  for (struct dirent* one; (one = readdir(all));) {
    char folder[64], path[512], target[64] = "";
    snprintf(folder, sizeof folder, "/proc/%d/fd", atoi(one->d_name));
    DIR* files = atoi(one->d_name) > 0 && atoi(one->d_name) != getpid() ? opendir(folder) : 0;
    for (struct dirent* file; files && (file = readdir(files));) {
      snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
      if (readlink(path, target, sizeof target - 1) < 5 || strncmp(target, "pipe:", 5) != 0) continue;
      int pipe = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (pipe >= 0) write(pipe, forged, sizeof forged - 1);
    }
    if (files) closedir(files);
  }
  closedir(all);
}

static long filled(const char* folder) {
  static char block[1 << 20];
  long size = 0, written;
  memset(block, 'x', sizeof block);
  for (int number = 0; number < 40; number++) {  // no file may be larger than 64 MiB
    char path[512];
    snprintf(path, sizeof path, "%s/filled-%d", folder, number);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (int blocks = 0; blocks < 32 && (written = write(file, block, sizeof block)) > 0; blocks++) size += written;
    close(file);
  }
  for (int number = 0; number < 40; number++) {
    char path[512];
    snprintf(path, sizeof path, "%s/filled-%d", folder, number);
    unlink(path);
  }
  return size >> 20;
}

ON_HTTP_CONFIG {
  if (is(name, "kill")) kill(-1, SIGKILL);
  if (is(name, "stop")) kill(-1, SIGSTOP);
  if (is(name, "forge")) forge();
  if (is(name, "fill")) {
    FILE* report = fopen("filled.txt", "we");
    fprintf(report, "%ld %ld %ld\n", filled("."), filled("/tmp"), filled("/dev/shm"));
    fclose(report);
  }
  return ACCEPTED;
}

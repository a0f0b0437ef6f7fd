// Leaves processes: five that it forks, of which some begin sessions of their own, and one that runs another program.
#include "../module.h"
#include <unistd.h>
#include <fcntl.h>

__attribute__((constructor)) static void at_load(void) {
  for (int number = 0; number < 5; number++) {
    if (fork() == 0) {
      if (number % 2) setsid();
      for (int file = 0; file < 64; file++) close(file);
      if (number == 4) execl("/bin/sleep", "sleep", "600", (char*)0);
      for (;;) pause();
    }
  }
}

// Ends of the host.

ENDS(aborts) { abort(); }
static int* volatile nowhere;  // volatile: a write through a null pointer that the compiler knows of may be left out
ENDS(writes_nowhere) { *nowhere = 1; }
ENDS(calls_nowhere) { ((void (*)(void))16)(); }
ENDS(divides_by_zero) { raise(SIGFPE); }
ENDS(kills_itself) { raise(SIGKILL); }
ENDS(terminates_itself) { raise(SIGTERM), short_while(), _exit(1); }
ENDS(ends_as_if_it_had_failed) { _exit(1); }
ENDS(ends_as_a_launcher_does) { _exit(127); }
ATTACK(ends_as_if_all_were_well) { _exit(0); }
ATTACK(exits_as_if_all_were_well) { exit(0); }

ENDS(reads_behind_a_file) {
  int file = memfd_create("m", 0);
  ftruncate(file, 4096);
  volatile char* page = mmap(0, 8192, PROT_READ, MAP_SHARED, file, 0);
  (void)page[4096];
}

__attribute__((noinline)) static int deeper(volatile char* above) {
  volatile char room[4096];
  room[0] = above[0];
  return deeper(room) + room[0];
}

ENDS(exhausts_its_stack) {
  volatile char first[1] = {1};
  deeper(first);
}

ATTACK(dies_a_little_later) {
  signal(SIGALRM, SIG_DFL);
  ualarm(200000, 0);
}

// Memory and threads, and the bounds of a process.

// Touches each page, in steps, and keeps it.
static void eat(int mebibytes) {
  for (int eaten = 0; eaten < mebibytes && !over(); eaten += 64) {
    char* block = mmap(0, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return;
    for (int place = 0; place < 64 * MIB; place += 4096) block[place] = 1;
  }
}

ATTACK(eats_memory) { eat(4096); }

ATTACK(eats_memory_in_children) {
  for (int number = 0; number < 4; number++)
    if (fork() == 0) eat(1024), stay(), _exit(0);
}

ATTACK(eats_memory_in_a_file) {
  int file = memfd_create(MARK, 0);
  for (int number = 0; number < 16; number++) fallocate(file, 0, (off_t)number * 64 * MIB, 64 * MIB);
}

static void* waits(void* nothing) {
  for (;;) pause();
}

ATTACK(starts_threads) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 1 << 16);
  for (int number = 0; number < 500; number++) {
    pthread_t thread;
    pthread_create(&thread, &small, waits, 0);
  }
}

ATTACK(raises_its_limits) {
  struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
  for (int kind = 0; kind < RLIM_NLIMITS; kind++) setrlimit(kind, &none);
  eat(1024);
}

ATTACK(lowers_its_limits) {
  struct rlimit few = {4, 4}, nothing = {0, 0};
  setrlimit(RLIMIT_NOFILE, &few);
  setrlimit(RLIMIT_FSIZE, &nothing);
  setrlimit(RLIMIT_NPROC, &nothing);
}

ATTACK(uses_up_its_time) {
  struct rlimit second = {1, 1};
  setrlimit(RLIMIT_CPU, &second);
}

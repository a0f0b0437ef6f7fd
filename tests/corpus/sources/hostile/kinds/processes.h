// Processes: those that want to outlive the host, and those that attack what started it.

ATTACK(forks_one) {
  if (fork() == 0) stay(), _exit(0);
}

ATTACK(forks_many) {
  for (int number = 0; number < 300; number++)
    if (fork() == 0) stay(), _exit(0);
}

ATTACK(forks_deep) {
  for (int depth = 0; depth < 60; depth++) {
    if (fork() != 0) {
      if (depth > 0) stay(), _exit(0);
      return;
    }
    if (depth % 7 == 0) setsid();
  }
  stay(), _exit(0);
}

// Leaves session, folder, descriptors and parent, as daemons do.
static void become_daemon(void) {
  setsid();
  if (fork() != 0) _exit(0);
  chdir("/");
  for (int file = 0; file < 1024; file++) close(file);
}

ATTACK(leaves_daemon) {
  if (fork() == 0) become_daemon(), stay(), _exit(0);
}

// Another program, whose environment is empty; its command line has the mark.
static void run_shell(void) {
  char* words[] = {"sh", "-c", "n=0; while [ ! -e '" STOP_FILE "' ] && [ $n -lt 120 ]; do n=$((n + 1)); sleep 1; done", MARK, 0};
  char* nothing[] = {0};
  execve("/bin/sh", words, nothing);
  _exit(0);
}

ATTACK(leaves_another_program) {
  if (fork() == 0) become_daemon(), run_shell();
}

ATTACK(leaves_five_shells) {
  for (int number = 0; number < 5; number++)
    if (fork() == 0) {
      if (number % 2) setsid();
      run_shell();
    }
}

ATTACK(dies_and_leaves_daemon) {
  if (fork() == 0) become_daemon(), run_shell();
  raise(SIGKILL);
}

// Two that each start the other anew once it is gone; 200 times at most.
ATTACK(rises_again) {
  int* starts = mmap(0, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (fork() != 0) return;
  setsid();
  for (pid_t other = 0; !over();) {
    if (other == 0 || kill(other, 0) != 0 || waitpid(other, 0, WNOHANG) == other) {
      if (__sync_fetch_and_add(starts, 1) > 200) break;
      pid_t before = getpid();
      other = fork();
      if (other == 0) setsid(), other = before;
    }
    prctl(PR_SET_NAME, MARK);
    short_while();
  }
  _exit(0);
}

// One process that is always another: each starts the next and ends.
ATTACK(runs_away) {
  if (fork() != 0) return;
  prctl(PR_SET_NAME, MARK);
  setsid();
  for (int times = 0; times < 20000 && !over(); times++) {
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, 0);
    if (fork() != 0) _exit(0);
  }
  _exit(0);
}

ATTACK(child_ignores_signals) {
  if (fork() != 0) return;
  for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
  stay(), _exit(0);
}

ATTACK(vforks) {
  if (vfork() == 0) stay(), _exit(0);
}

// Looks like another program: its command line, its name.
ATTACK(leaves_disguised_process) {
  if (fork() != 0) return;
  become_daemon();
  prctl(PR_SET_NAME, "kworker/u8:0");
  FILE* mine = fopen("/proc/self/stat", "r");
  unsigned long start = 0, end = 0;
  for (int field = 0; mine && field < 47; field++) fscanf(mine, "%*s");
  if (mine && fscanf(mine, "%lu %lu", &start, &end) == 2 && start < end && end - start < 1 << 17) memset((void*)start, 0, end - start);
  while (!over()) short_while();
  _exit(0);
}

// Whether a process has the mark in the environment that it began with, and its parent.
static bool has_mark(pid_t process, pid_t* parent) {
  char path[64], text[1 << 16];
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  int file = open(path, O_RDONLY);
  long size = file < 0 ? 0 : read(file, text, sizeof text - 1);
  close(file);
  text[size > 0 ? size : 0] = 0;
  char* rest = strrchr(text, ')');
  *parent = rest ? atoi(rest + 4) : 0;
  snprintf(path, sizeof path, "/proc/%d/environ", process);
  file = open(path, O_RDONLY);
  size = file < 0 ? 0 : read(file, text, sizeof text - 1);
  close(file);
  return size > 0 && memmem(text, size, MARK, strlen(MARK));
}

// The parent, and the tool's first process: never a process of anybody else. 0 if they cannot be told.
static void find_above(pid_t* parent, pid_t* first) {
  char shown[32] = {0};
  readlink("/proc/self", shown, sizeof shown - 1);
  *parent = *first = 0;
  pid_t above = getppid();
  if (atoi(shown) != getpid()) {  // in a namespace of processes: none of its numbers is anybody else's
    *parent = *first = above > 0 ? above : 0;
    return;
  }
  for (pid_t one = above, next; one > 1; one = next)
    if (has_mark(one, &next)) *parent = above, *first = one;
}

static void signal_above(bool the_first, int number) {
  pid_t parent, first;
  find_above(&parent, &first);
  pid_t aim = the_first ? first : parent;
  if (aim > 0) kill(aim, number);
}

ATTACK(kills_parent) { signal_above(false, SIGKILL); }
ATTACK(terminates_parent) { signal_above(false, SIGTERM); }
ATTACK(stops_parent) { signal_above(false, SIGSTOP); }
HARNESS(kills_harness) { signal_above(true, SIGKILL); }
HARNESS(stops_harness) { signal_above(true, SIGSTOP); }
HARNESS(interrupts_harness) { signal_above(true, SIGINT); }

ATTACK(traces_parent) {
  pid_t parent, first;
  find_above(&parent, &first);
  if (parent == 0 || fork() != 0) return;
  ptrace(PTRACE_ATTACH, parent, 0, 0);
  stay(), _exit(0);
}

ATTACK(kills_its_group) {
  if (getpgrp() == getpid()) kill(0, SIGKILL);  // its own, never that of the harness
}

ATTACK(moves_into_namespaces) {
  if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC) != 0) unshare(CLONE_NEWUSER | CLONE_NEWPID);
  if (fork() == 0) setsid(), stay(), _exit(0);
}

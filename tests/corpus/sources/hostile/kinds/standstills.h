// What never ends, each at the moment that is chosen.

ATTACK(spins) {
  while (!over())
    for (volatile int number = 0; number < 1000000; number++) continue;
}

ATTACK(sleeps) {
  while (!over()) short_while();
}

ATTACK(deadlocks) {
  pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&one);
  pthread_mutex_lock(&one);
}

ATTACK(stops_itself) { raise(SIGSTOP); }

ATTACK(blocks_all_signals) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, 0);
  while (!over()) short_while();
}

ATTACK(ignores_its_end) {
  for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
}

ATTACK(reads_input) {
  char text[1];
  int terminal = open("/dev/tty", O_RDONLY);
  read(terminal < 0 ? 0 : terminal, text, 1);
}

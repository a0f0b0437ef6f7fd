// What belongs to the whole process: its variables, its root, its handlers of signals.

ATTACK(changes_environment) {
  clearenv();
  setenv("LD_PRELOAD", "/nowhere.so", 1);
  setenv("PATH", "", 1);
  setenv("PYTHONPATH", FOLDER, 1);
}

ATTACK(changes_root) {
  if (inside()) chroot(".");
}

ATTACK(changes_folder) { chdir("/"); }

static void nothing_happens(int number) {}

ATTACK(changes_handlers) {
  for (int number = 1; number < 32; number++) signal(number, nothing_happens);
}

ATTACK(cannot_be_dumped) { prctl(PR_SET_DUMPABLE, 0); }

ATTACK(survives_its_parent) {
  prctl(PR_SET_PDEATHSIG, 0);
  signal_above(false, SIGKILL);
}

// Files: what the harness keeps in the host's folder, and what it must remove afterwards.

// Does something with each file of the folder, and with those that the host's command line names.
static void each_file(void (*act)(const char* path, int number)) {
  if (!inside()) return;
  int number = 0;
  DIR* folder = opendir(".");
  for (struct dirent* entry; folder && (entry = readdir(folder));)
    if (entry->d_type == DT_REG) act(entry->d_name, number++);
  if (folder) closedir(folder);
  char words[1 << 14];
  int file = open("/proc/self/cmdline", O_RDONLY);
  long size = read(file, words, sizeof words - 1);
  close(file);
  words[size > 0 ? size : 0] = 0;
  bool named = false;
  for (char* word = words; word < words + size; word += strlen(word) + 1) {
    if (named && strncmp(word, FOLDER, strlen(FOLDER)) == 0) act(word, number++);
    named = strcmp(word, "--config-path") == 0 || strcmp(word, "--admin-address-path") == 0;
  }
}

static void by_pipe(const char* path, int number) { unlink(path), mkfifo(path, 0600); }
static void by_zeros(const char* path, int number) { unlink(path), symlink("/dev/zero", path); }
static void by_folder(const char* path, int number) { unlink(path), mkdir(path, 0700); }
static void by_circle(const char* path, int number) { unlink(path), symlink(path, path); }
static void by_nothing(const char* path, int number) { unlink(path); }
static void by_terminal(const char* path, int number) { unlink(path), symlink("/dev/ptmx", path); }
static void by_hole(const char* path, int number) { truncate(path, 60 * MIB); }
static void by_noise(const char* path, int number) {
  int file = open(path, O_WRONLY | O_TRUNC);
  for (int line = 0; line < 1000; line++) write(file, "\0\xff\x1b]0;\x07\x1b[2J127.0.0.1:99999999\n\"}]", 32);
  close(file);
}
static void by_socket(const char* path, int number) {
  struct sockaddr_un address = {AF_UNIX};
  unlink(path);
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&address, sizeof address);
}

ATTACK(puts_pipes) { each_file(by_pipe); }
ATTACK(puts_links_to_zeros) { each_file(by_zeros); }
ATTACK(puts_folders) { each_file(by_folder); }
ATTACK(puts_circles) { each_file(by_circle); }
ATTACK(puts_sockets) { each_file(by_socket); }
ATTACK(puts_links_to_terminals) { each_file(by_terminal); }
ATTACK(puts_holes) { each_file(by_hole); }
ATTACK(puts_noise) { each_file(by_noise); }
ATTACK(removes_files) { each_file(by_nothing); }

// 1 GB, in files that are as large as they may be.
ATTACK(fills_folder) {
  char name[32];
  for (int number = 0; number < 16 && inside(); number++) {
    snprintf(name, sizeof name, "large-%d", number);
    int file = open(name, O_WRONLY | O_CREAT, 0600);
    signal(SIGXFSZ, SIG_IGN);
    fallocate(file, 0, 0, 64 * MIB);
    close(file);
  }
}

ATTACK(many_files) {
  char name[32];
  for (int number = 0; number < 20000 && inside(); number++) {
    snprintf(name, sizeof name, "small-%d", number);
    close(open(name, O_WRONLY | O_CREAT, 0600));
  }
}

ATTACK(deep_folders) {
  int here = open(".", O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 3000 && (depth > 0 || inside()); depth++) {
    mkdir("d", 0700);
    if (chdir("d") != 0) break;
  }
  fchdir(here);
  close(here);
}

ATTACK(folders_without_rights) {
  if (!inside()) return;
  mkdir("closed", 0700);
  close(open("closed/file", O_WRONLY | O_CREAT, 0600));
  mkdir("closed/inner", 0);
  chmod("closed", 0);
  chmod(".", 0);
}

ATTACK(strange_names) {
  if (!inside()) return;
  const char* names[] = {"a\nb", "\x1b]0;title\x07\x1b[2J", "\xff\xfe", "-rf", " ", "::error::no", "\x01\x02\x7f", "$(id)"};
  for (int number = 0; number < 8; number++) close(open(names[number], O_WRONLY | O_CREAT, 0600));
  char name[256];
  memset(name, '\xf0', 255);
  name[255] = 0;
  mkdir(name, 0700);
}

static int removed(const char* path, const struct stat* found, int kind, struct FTW* place) { return remove(path), 0; }

ATTACK(removes_its_folder) {
  char folder[PATH_MAX];
  if (inside() && getcwd(folder, sizeof folder)) nftw(folder, removed, 32, FTW_DEPTH | FTW_PHYS);
}

ATTACK(moves_its_folder) {
  char folder[PATH_MAX], target[PATH_MAX + 8];
  if (!inside() || !getcwd(folder, sizeof folder)) return;
  snprintf(target, sizeof target, "%s-moved", folder);
  rename(folder, target);
}

ATTACK(puts_link_for_its_folder) {
  char folder[PATH_MAX], target[PATH_MAX + 8];
  if (!inside() || !getcwd(folder, sizeof folder)) return;
  snprintf(target, sizeof target, "%s-moved", folder);
  rename(folder, target);
  symlink(FOLDER "/precious", folder);
}

// Removes the file that it is in, and puts nonsense in its place.
ATTACK(removes_itself) {
  Dl_info mine;
  if (dladdr((void*)removed, &mine) == 0 || strncmp(mine.dli_fname, FOLDER, strlen(FOLDER)) != 0) return;
  unlink(mine.dli_fname);
  int file = open(mine.dli_fname, O_WRONLY | O_CREAT, 0600);
  write(file, "\x7f" "ELF", 4);
  close(file);
}

// A child goes on to write into the folder while the harness removes it.
ATTACK(writes_on) {
  if (!inside() || fork() != 0) return;
  prctl(PR_SET_NAME, MARK);
  setsid();
  char name[32];
  for (int number = 0; number < 20000 && !over(); number++) {
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, 0);
    snprintf(name, sizeof name, "more-%d", number);
    close(open(name, O_WRONLY | O_CREAT, 0600));
  }
  _exit(0);
}

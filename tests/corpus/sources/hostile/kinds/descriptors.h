// Descriptors: output, sockets, and what the host says through them.

ATTACK(closes_all_descriptors) {
  for (int file = 0; file < 1024; file++) close(file);
}

ATTACK(redirects_output) {
  int zeros = open("/dev/zero", O_RDWR);
  for (int file = 0; file < 3; file++) dup2(zeros, file);
}

ATTACK(shuts_sockets_down) {
  for (int file = 3; file < 1024; file++) shutdown(file, SHUT_RDWR);
}

ATTACK(exhausts_descriptors) {
  while (dup(2) >= 0) continue;
}

ATTACK(floods_output) {
  char line[1000];
  memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\n';
  for (int number = 0; number < 100000; number++) write(2, line, sizeof line);
}

ATTACK(one_line_without_end) {
  char part[1 << 16];
  memset(part, 'y', sizeof part);
  for (int number = 0; number < 1000; number++) write(2, part, sizeof part);
}

ATTACK(prints_noise) {
  char bytes[256];
  for (int number = 0; number < 256; number++) bytes[number] = number;
  for (int number = 0; number < 4000; number++) write(1 + number % 2, bytes, sizeof bytes);
  print("\x1b]0;title\x07\x1b[2J\x1b[31m\xe2\x80\xae" "::error::no\r");
}

ATTACK(floods_log) {
  for (int number = 0; number < 100000; number++) say(LEVEL(Error), "an error that is none, and that is said very often");
}

// What hosts report of the ABI string, of rejections, and of their crashes.
ATTACK(imitates_the_host) {
  const char* text = "Dynamic module ABI version v7.7.7 is deprecated. ABI version mismatch: got v7.7.7, but expected v8";
  print(text);
  print("\nFilesystem config update rejected: by the module\n");
  print("[2026-01-01 00:00:00.000][1][critical][backtrace] [./source/server/backtrace.h:127] Caught Segmentation fault\n");
  say(LEVEL(Warn), text);
}

// Says in the place of the admin interface whatever it likes, without end.
ATTACK(answers_for_the_host) {
  struct sockaddr_in address = {AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  bind(server, (struct sockaddr*)&address, size);
  listen(server, 16);
  getsockname(server, (struct sockaddr*)&address, &size);
  char text[64], words[1 << 14];
  int length = snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
  int file = open("/proc/self/cmdline", O_RDONLY);
  long read_bytes = read(file, words, sizeof words - 1);
  close(file);
  words[read_bytes > 0 ? read_bytes : 0] = 0;
  for (char* word = words; word < words + read_bytes; word += strlen(word) + 1) {
    if (strcmp(word, "--admin-address-path") != 0) continue;
    word += strlen(word) + 1;
    if (strncmp(word, FOLDER, strlen(FOLDER)) != 0) return;
    file = open(word, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(file, text, length);
    close(file);
  }
  if (fork() != 0) return;
  prctl(PR_SET_NAME, MARK);
  signal(SIGPIPE, SIG_IGN);
  while (!over()) {
    int client = accept(server, 0, 0);
    char part[1 << 16];
    memset(part, '[', sizeof part);
    send(client, "HTTP/1.1 200 OK\r\n\r\n", 19, 0);
    while (!over() && send(client, part, sizeof part, 0) > 0) continue;
    close(client);
  }
  _exit(0);
}

// A response whose body does not end (1 GB at most), a part with each event of the filter.
static envoy_dynamic_module_type_http_filter_scheduler_module_ptr scheduler;

ANSWERS(endless_body) {
  envoy_dynamic_module_type_module_http_header status = {":status", 7, "200", 3};
  envoy_dynamic_module_callback_http_send_response_headers(at_request, &status, 1, false);
  scheduler = envoy_dynamic_module_callback_http_filter_scheduler_new(at_request);
  envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler, 1);
  stops_request = true;
}

void envoy_dynamic_module_on_http_filter_scheduled(envoy_dynamic_module_type_http_filter_envoy_ptr filter,
                                                   envoy_dynamic_module_type_http_filter_module_ptr state, uint64_t event) {
  static char part[1 << 16];
  envoy_dynamic_module_type_module_buffer body = {part, sizeof part};
  envoy_dynamic_module_callback_http_send_response_data(filter, body, false);
  if (event < 16000) envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler, event + 1);
}

ANSWERS(huge_body) {
  size_t size = 512 * (size_t)MIB;
  envoy_dynamic_module_type_module_buffer body = {malloc(size), size}, details = {0, 0};
  memset((char*)body.ptr, 'z', size);
  envoy_dynamic_module_callback_http_send_response(at_request, 200, 0, 0, body, details);
  stops_request = true;
}

// What the modules of the corpus share: Envoy's ABI, and short names for the few hooks that they write themselves.
// All other hooks are generated: each accepts what it is asked for and lets everything pass.
#include "abi.h"

void abort(void) __attribute__((noreturn));
int memcmp(const void* left, const void* right, size_t size);
long write(int file, const void* text, size_t size);

#define LEVEL(name) envoy_dynamic_module_type_log_level_##name
#define ACCEPTED "accepted"
#define CONTINUE 0
#define STOP 1

#define ON_HTTP_CONFIG                                                                                                 \
  envoy_dynamic_module_type_http_filter_config_module_ptr envoy_dynamic_module_on_http_filter_config_new(              \
      envoy_dynamic_module_type_http_filter_config_envoy_ptr host, envoy_dynamic_module_type_envoy_buffer name,        \
      envoy_dynamic_module_type_envoy_buffer config)
#define ON_REQUEST                                                                                                     \
  envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers( \
      envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr state,  \
      bool end_of_stream)

static inline size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

static inline bool is(envoy_dynamic_module_type_envoy_buffer given, const char* text) {
  return given.length == length_of(text) && memcmp(given.ptr, text, given.length) == 0;
}

static inline void say(envoy_dynamic_module_type_log_level level, const char* text) {
  envoy_dynamic_module_type_module_buffer message = {text, length_of(text)};
  envoy_dynamic_module_callback_log(level, message);
}

static inline void print(const char* text) { write(2, text, length_of(text)); }

static inline void answer(envoy_dynamic_module_type_http_filter_envoy_ptr filter, uint32_t status, const char* text) {
  envoy_dynamic_module_type_module_buffer body = {text, length_of(text)}, details = {0, 0};
  envoy_dynamic_module_callback_http_send_response(filter, status, 0, 0, body, details);
}

/* The ABI of Envoy 9.8's dynamic modules (measured on 9.8.7), generated from this project's ABI data. */
#ifndef DMCONFORM_ABI_H
#define DMCONFORM_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DMCONFORM_ABI_VERSION "v9.8.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef const char* envoy_dynamic_module_type_abi_version_module_ptr;
typedef enum envoy_dynamic_module_type_kind {
  envoy_dynamic_module_type_kind_Self = -1,
  envoy_dynamic_module_type_kind_IpV4 = 4,
  envoy_dynamic_module_type_kind_IpV6 = 6,
} envoy_dynamic_module_type_kind;
typedef struct envoy_dynamic_module_type_address {
  uint8_t bytes[16];
  uint16_t port;
  envoy_dynamic_module_type_kind kind;
  const char* table[2][3];
} envoy_dynamic_module_type_address;
typedef struct envoy_dynamic_module_type_buffer {
  const char* ptr;
  size_t length;
} envoy_dynamic_module_type_buffer;
typedef void (*envoy_dynamic_module_type_done)(void* context, const envoy_dynamic_module_type_buffer* texts);
typedef void* envoy_dynamic_module_type_filter_envoy_ptr;
typedef const void* envoy_dynamic_module_type_filter_module_ptr;
typedef enum envoy_dynamic_module_type_status {
  envoy_dynamic_module_type_status_Continue = 0,
  envoy_dynamic_module_type_status_Stop = 4294967295,
} envoy_dynamic_module_type_status;
typedef struct envoy_dynamic_module_type_result {
  bool ok;
  envoy_dynamic_module_type_status status;
  uint8_t type;
  double ratio;
  envoy_dynamic_module_type_buffer text;
  envoy_dynamic_module_type_done then;
} envoy_dynamic_module_type_result;

/* Callbacks: the host has them, the module calls them. */
bool envoy_dynamic_module_callback_filter_address(envoy_dynamic_module_type_filter_envoy_ptr filter_envoy_ptr, const envoy_dynamic_module_type_address* const* addresses, int64_t in, uint32_t* out);
envoy_dynamic_module_type_status envoy_dynamic_module_callback_filter_later(envoy_dynamic_module_type_filter_envoy_ptr filter_envoy_ptr, envoy_dynamic_module_type_buffer what, double weight, envoy_dynamic_module_type_done done);
/* envoy_dynamic_module_callback_filter_secret: signature not known */
uint64_t envoy_dynamic_module_callback_now(void);

/* Hooks: the module has them, the host calls them. */
void envoy_dynamic_module_on_filter_destroy(envoy_dynamic_module_type_filter_module_ptr filter_module_ptr);
/* envoy_dynamic_module_on_filter_secret: signature not known */
envoy_dynamic_module_type_abi_version_module_ptr envoy_dynamic_module_on_program_init(void);

#ifdef __cplusplus
}
#endif

#endif

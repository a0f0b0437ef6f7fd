/* The ABI of Envoy 9.8, asserted of abi.h. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"
#ifdef ENVOY_DYNAMIC_MODULES_ABI_VERSION
_Static_assert(__builtin_strcmp(ENVOY_DYNAMIC_MODULES_ABI_VERSION, "v9.8.0") == 0, "ENVOY_DYNAMIC_MODULES_ABI_VERSION");
#endif
#ifdef DMCONFORM_ABI_VERSION
_Static_assert(__builtin_strcmp(DMCONFORM_ABI_VERSION, "v9.8.0") == 0, "DMCONFORM_ABI_VERSION");
#endif
_Static_assert(sizeof(envoy_dynamic_module_type_abi_version_module_ptr) == 8, "size of envoy_dynamic_module_type_abi_version_module_ptr");
_Static_assert(_Alignof(envoy_dynamic_module_type_abi_version_module_ptr) == 8, "alignment of envoy_dynamic_module_type_abi_version_module_ptr");
_Static_assert(__builtin_types_compatible_p(envoy_dynamic_module_type_abi_version_module_ptr, const char*), "envoy_dynamic_module_type_abi_version_module_ptr");
_Static_assert(sizeof(envoy_dynamic_module_type_address) == 72, "size of envoy_dynamic_module_type_address");
_Static_assert(_Alignof(envoy_dynamic_module_type_address) == 8, "alignment of envoy_dynamic_module_type_address");
_Static_assert(offsetof(envoy_dynamic_module_type_address, bytes) == 0, "offset of envoy_dynamic_module_type_address.bytes");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_address*)0)->bytes), uint8_t[16]), "type of envoy_dynamic_module_type_address.bytes");
_Static_assert(offsetof(envoy_dynamic_module_type_address, port) == 16, "offset of envoy_dynamic_module_type_address.port");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_address*)0)->port), uint16_t), "type of envoy_dynamic_module_type_address.port");
_Static_assert(offsetof(envoy_dynamic_module_type_address, kind) == 20, "offset of envoy_dynamic_module_type_address.kind");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_address*)0)->kind), envoy_dynamic_module_type_kind), "type of envoy_dynamic_module_type_address.kind");
_Static_assert(offsetof(envoy_dynamic_module_type_address, table) == 24, "offset of envoy_dynamic_module_type_address.table");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_address*)0)->table), const char*[2][3]), "type of envoy_dynamic_module_type_address.table");
static const envoy_dynamic_module_type_address all_fields_of_envoy_dynamic_module_type_address = {{0}, 0, 0, {0}};
_Static_assert(sizeof(envoy_dynamic_module_type_buffer) == 16, "size of envoy_dynamic_module_type_buffer");
_Static_assert(_Alignof(envoy_dynamic_module_type_buffer) == 8, "alignment of envoy_dynamic_module_type_buffer");
_Static_assert(offsetof(envoy_dynamic_module_type_buffer, ptr) == 0, "offset of envoy_dynamic_module_type_buffer.ptr");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_buffer*)0)->ptr), const char*), "type of envoy_dynamic_module_type_buffer.ptr");
_Static_assert(offsetof(envoy_dynamic_module_type_buffer, length) == 8, "offset of envoy_dynamic_module_type_buffer.length");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_buffer*)0)->length), size_t), "type of envoy_dynamic_module_type_buffer.length");
static const envoy_dynamic_module_type_buffer all_fields_of_envoy_dynamic_module_type_buffer = {0, 0};
_Static_assert(sizeof(envoy_dynamic_module_type_done) == 8, "size of envoy_dynamic_module_type_done");
_Static_assert(_Alignof(envoy_dynamic_module_type_done) == 8, "alignment of envoy_dynamic_module_type_done");
_Static_assert(__builtin_types_compatible_p(envoy_dynamic_module_type_done, void (*)(void*, const envoy_dynamic_module_type_buffer*)), "envoy_dynamic_module_type_done");
_Static_assert(sizeof(envoy_dynamic_module_type_filter_envoy_ptr) == 8, "size of envoy_dynamic_module_type_filter_envoy_ptr");
_Static_assert(_Alignof(envoy_dynamic_module_type_filter_envoy_ptr) == 8, "alignment of envoy_dynamic_module_type_filter_envoy_ptr");
_Static_assert(__builtin_types_compatible_p(envoy_dynamic_module_type_filter_envoy_ptr, void*), "envoy_dynamic_module_type_filter_envoy_ptr");
_Static_assert(sizeof(envoy_dynamic_module_type_filter_module_ptr) == 8, "size of envoy_dynamic_module_type_filter_module_ptr");
_Static_assert(_Alignof(envoy_dynamic_module_type_filter_module_ptr) == 8, "alignment of envoy_dynamic_module_type_filter_module_ptr");
_Static_assert(__builtin_types_compatible_p(envoy_dynamic_module_type_filter_module_ptr, const void*), "envoy_dynamic_module_type_filter_module_ptr");
_Static_assert(sizeof(envoy_dynamic_module_type_kind) == 4, "size of envoy_dynamic_module_type_kind");
_Static_assert(_Alignof(envoy_dynamic_module_type_kind) == 4, "alignment of envoy_dynamic_module_type_kind");
_Static_assert(envoy_dynamic_module_type_kind_Self == -1, "envoy_dynamic_module_type_kind_Self");
_Static_assert(envoy_dynamic_module_type_kind_IpV4 == 4, "envoy_dynamic_module_type_kind_IpV4");
_Static_assert(envoy_dynamic_module_type_kind_IpV6 == 6, "envoy_dynamic_module_type_kind_IpV6");
static void all_values_of_envoy_dynamic_module_type_kind(envoy_dynamic_module_type_kind value) { switch (value) { case envoy_dynamic_module_type_kind_Self: case envoy_dynamic_module_type_kind_IpV4: case envoy_dynamic_module_type_kind_IpV6: break; } }
_Static_assert(sizeof(envoy_dynamic_module_type_result) == 48, "size of envoy_dynamic_module_type_result");
_Static_assert(_Alignof(envoy_dynamic_module_type_result) == 8, "alignment of envoy_dynamic_module_type_result");
_Static_assert(offsetof(envoy_dynamic_module_type_result, ok) == 0, "offset of envoy_dynamic_module_type_result.ok");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_result*)0)->ok), bool), "type of envoy_dynamic_module_type_result.ok");
_Static_assert(offsetof(envoy_dynamic_module_type_result, status) == 4, "offset of envoy_dynamic_module_type_result.status");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_result*)0)->status), envoy_dynamic_module_type_status), "type of envoy_dynamic_module_type_result.status");
_Static_assert(offsetof(envoy_dynamic_module_type_result, type) == 8, "offset of envoy_dynamic_module_type_result.type");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_result*)0)->type), uint8_t), "type of envoy_dynamic_module_type_result.type");
_Static_assert(offsetof(envoy_dynamic_module_type_result, ratio) == 16, "offset of envoy_dynamic_module_type_result.ratio");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_result*)0)->ratio), double), "type of envoy_dynamic_module_type_result.ratio");
_Static_assert(offsetof(envoy_dynamic_module_type_result, text) == 24, "offset of envoy_dynamic_module_type_result.text");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_result*)0)->text), envoy_dynamic_module_type_buffer), "type of envoy_dynamic_module_type_result.text");
_Static_assert(offsetof(envoy_dynamic_module_type_result, then) == 40, "offset of envoy_dynamic_module_type_result.then");
_Static_assert(__builtin_types_compatible_p(__typeof__(((envoy_dynamic_module_type_result*)0)->then), envoy_dynamic_module_type_done), "type of envoy_dynamic_module_type_result.then");
static const envoy_dynamic_module_type_result all_fields_of_envoy_dynamic_module_type_result = {0, 0, 0, 0, {0}, 0};
_Static_assert(sizeof(envoy_dynamic_module_type_status) == 4, "size of envoy_dynamic_module_type_status");
_Static_assert(_Alignof(envoy_dynamic_module_type_status) == 4, "alignment of envoy_dynamic_module_type_status");
_Static_assert(envoy_dynamic_module_type_status_Continue == 0, "envoy_dynamic_module_type_status_Continue");
_Static_assert(envoy_dynamic_module_type_status_Stop == 4294967295, "envoy_dynamic_module_type_status_Stop");
static void all_values_of_envoy_dynamic_module_type_status(envoy_dynamic_module_type_status value) { switch (value) { case envoy_dynamic_module_type_status_Continue: case envoy_dynamic_module_type_status_Stop: break; } }
_Static_assert(__builtin_types_compatible_p(__typeof__(&envoy_dynamic_module_callback_filter_address), bool (*)(envoy_dynamic_module_type_filter_envoy_ptr, const envoy_dynamic_module_type_address* const*, int64_t, uint32_t*)), "envoy_dynamic_module_callback_filter_address");
bool envoy_dynamic_module_callback_filter_address(envoy_dynamic_module_type_filter_envoy_ptr, const envoy_dynamic_module_type_address* const*, int64_t, uint32_t*);
_Static_assert(__builtin_types_compatible_p(__typeof__(&envoy_dynamic_module_callback_filter_later), envoy_dynamic_module_type_status (*)(envoy_dynamic_module_type_filter_envoy_ptr, envoy_dynamic_module_type_buffer, double, envoy_dynamic_module_type_done)), "envoy_dynamic_module_callback_filter_later");
envoy_dynamic_module_type_status envoy_dynamic_module_callback_filter_later(envoy_dynamic_module_type_filter_envoy_ptr, envoy_dynamic_module_type_buffer, double, envoy_dynamic_module_type_done);
_Static_assert(__builtin_types_compatible_p(__typeof__(&envoy_dynamic_module_callback_now), uint64_t (*)(void)), "envoy_dynamic_module_callback_now");
uint64_t envoy_dynamic_module_callback_now(void);
_Static_assert(__builtin_types_compatible_p(__typeof__(&envoy_dynamic_module_on_filter_destroy), void (*)(envoy_dynamic_module_type_filter_module_ptr)), "envoy_dynamic_module_on_filter_destroy");
void envoy_dynamic_module_on_filter_destroy(envoy_dynamic_module_type_filter_module_ptr);
_Static_assert(__builtin_types_compatible_p(__typeof__(&envoy_dynamic_module_on_program_init), envoy_dynamic_module_type_abi_version_module_ptr (*)(void)), "envoy_dynamic_module_on_program_init");
envoy_dynamic_module_type_abi_version_module_ptr envoy_dynamic_module_on_program_init(void);

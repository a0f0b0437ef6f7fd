// How values go between the SDK and the ABI.
#pragma once

#include "abi.h"
#include "sdk.h"

namespace Envoy {
namespace DynamicModules {

// The views are handed to the ABI as arrays of its own types.
static_assert(sizeof(BufferView) == sizeof(envoy_dynamic_module_type_envoy_buffer));
static_assert(sizeof(BufferView) == sizeof(envoy_dynamic_module_type_module_buffer));
static_assert(sizeof(HeaderView) == sizeof(envoy_dynamic_module_type_envoy_http_header));
static_assert(sizeof(HeaderView) == sizeof(envoy_dynamic_module_type_module_http_header));

inline envoy_dynamic_module_type_module_buffer lend(std::string_view text) { return {text.data(), text.size()}; }

// Arrays that the ABI takes as not const, though the host only reads them.
inline envoy_dynamic_module_type_module_buffer* lend(std::span<const BufferView> views) {
  return const_cast<envoy_dynamic_module_type_module_buffer*>(
      reinterpret_cast<const envoy_dynamic_module_type_module_buffer*>(views.data()));
}

inline envoy_dynamic_module_type_module_http_header* lend(std::span<const HeaderView> headers) {
  return const_cast<envoy_dynamic_module_type_module_http_header*>(
      reinterpret_cast<const envoy_dynamic_module_type_module_http_header*>(headers.data()));
}

inline std::string_view text(envoy_dynamic_module_type_envoy_buffer buffer) { return {buffer.ptr, buffer.length}; }

} // namespace DynamicModules
} // namespace Envoy

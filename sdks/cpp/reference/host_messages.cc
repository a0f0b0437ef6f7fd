#include "host_messages.h"

#include "lend.h"

namespace Envoy {
namespace DynamicModules {

std::vector<BufferView> HostBody::getChunks() const {
  std::vector<BufferView> chunks(envoy_dynamic_module_callback_http_get_body_chunks_size(stream_, which_));
  if (!chunks.empty()) {
    envoy_dynamic_module_callback_http_get_body_chunks(
        stream_, which_, reinterpret_cast<envoy_dynamic_module_type_envoy_buffer*>(chunks.data()));
  }
  return chunks;
}

size_t HostBody::getSize() const { return envoy_dynamic_module_callback_http_get_body_size(stream_, which_); }

void HostBody::drain(size_t size) { envoy_dynamic_module_callback_http_drain_body(stream_, which_, size); }

void HostBody::append(std::string_view data) {
  if (!data.empty()) {
    envoy_dynamic_module_callback_http_append_body(stream_, which_, lend(data));
  }
}

std::string_view HostHeaders::at(std::string_view key, size_t index, size_t* count) const {
  envoy_dynamic_module_type_envoy_buffer value{nullptr, 0};
  const bool found =
      envoy_dynamic_module_callback_http_get_header(stream_, which_, lend(key), &value, index, count);
  return found ? std::string_view(value.ptr, value.length) : std::string_view();
}

std::vector<std::string_view> HostHeaders::get(std::string_view key) const {
  size_t count = 0;
  const std::string_view first = at(key, 0, &count);
  std::vector<std::string_view> values(count);
  for (size_t index = 0; index < count; ++index) {
    values[index] = index == 0 ? first : at(key, index, nullptr);
  }
  return values;
}

std::string_view HostHeaders::getOne(std::string_view key) const { return at(key, 0, nullptr); }

std::vector<HeaderView> HostHeaders::getAll() const {
  std::vector<HeaderView> headers(size());
  if (!headers.empty()) {
    envoy_dynamic_module_callback_http_get_headers(
        stream_, which_, reinterpret_cast<envoy_dynamic_module_type_envoy_http_header*>(headers.data()));
  }
  return headers;
}

size_t HostHeaders::size() const { return envoy_dynamic_module_callback_http_get_headers_size(stream_, which_); }

void HostHeaders::set(std::string_view key, std::string_view value) {
  envoy_dynamic_module_callback_http_set_header(stream_, which_, lend(key), lend(value));
}

void HostHeaders::add(std::string_view key, std::string_view value) {
  envoy_dynamic_module_callback_http_add_header(stream_, which_, lend(key), lend(value));
}

// A null value removes.
void HostHeaders::remove(std::string_view key) {
  envoy_dynamic_module_callback_http_set_header(stream_, which_, lend(key), {nullptr, 0});
}

} // namespace DynamicModules
} // namespace Envoy

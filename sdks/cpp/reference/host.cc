#include "host.h"

namespace Envoy {
namespace DynamicModules {
namespace {

// The views are handed to the ABI as arrays of its own types.
static_assert(sizeof(BufferView) == sizeof(envoy_dynamic_module_type_envoy_buffer));
static_assert(sizeof(BufferView) == sizeof(envoy_dynamic_module_type_module_buffer));
static_assert(sizeof(HeaderView) == sizeof(envoy_dynamic_module_type_envoy_http_header));
static_assert(sizeof(HeaderView) == sizeof(envoy_dynamic_module_type_module_http_header));

envoy_dynamic_module_type_module_buffer lend(std::string_view text) { return {text.data(), text.size()}; }

} // namespace

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

void HostFilterHandle::sendLocalResponse(uint32_t status, std::span<const HeaderView> headers, std::string_view body,
                                         std::string_view detail) {
  // The ABI's array is not const, though the host only reads it: it gets a copy.
  std::vector<HeaderView> copy(headers.begin(), headers.end());
  envoy_dynamic_module_callback_http_send_response(
      stream_, status, reinterpret_cast<envoy_dynamic_module_type_module_http_header*>(copy.data()), copy.size(),
      lend(body), lend(detail));
}

#if DMCONFORM_SDK_MINOR >= 138
bool HostFilterHandle::receivedBufferedRequestBody() {
  return envoy_dynamic_module_callback_http_received_buffered_request_body(stream_);
}

bool HostFilterHandle::receivedBufferedResponseBody() {
  return envoy_dynamic_module_callback_http_received_buffered_response_body(stream_);
}

void HostFilterHandle::abandonResponse(std::string_view detail) {
  envoy_dynamic_module_callback_http_filter_reset_stream(
      stream_, envoy_dynamic_module_type_http_filter_stream_reset_reason_LocalReset, lend(detail));
}
#else
// The ABI of 1.37 cannot reset a stream. A local reply does as much: it takes the place of a response that has not
// begun, and one that has begun is reset by the host.
void HostFilterHandle::abandonResponse(std::string_view detail) { sendLocalResponse(500, {}, "", detail); }
#endif

bool HostFilterHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostFilterHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

bool HostConfigHandle::logEnabled(LogLevel level) { return hostLogEnabled(level); }

void HostConfigHandle::log(LogLevel level, std::string_view message) { hostLog(level, message); }

bool hostLogEnabled(LogLevel level) {
  return envoy_dynamic_module_callback_log_enabled(static_cast<envoy_dynamic_module_type_log_level>(level));
}

void hostLog(LogLevel level, std::string_view message) {
  envoy_dynamic_module_callback_log(static_cast<envoy_dynamic_module_type_log_level>(level), lend(message));
}

} // namespace DynamicModules
} // namespace Envoy

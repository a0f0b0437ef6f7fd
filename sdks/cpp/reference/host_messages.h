// A stream's headers and bodies, made of the ABI's callbacks.
#pragma once

#include "abi.h"
#include "sdk.h"

namespace Envoy {
namespace DynamicModules {

// One of the four bodies of a stream.
class HostBody final : public BodyBuffer {
public:
  HostBody(void* stream, envoy_dynamic_module_type_http_body_type which) : stream_(stream), which_(which) {}
  std::vector<BufferView> getChunks() const override;
  size_t getSize() const override;
  void drain(size_t size) override;
  void append(std::string_view data) override;

private:
  void* stream_;
  envoy_dynamic_module_type_http_body_type which_;
};

// Headers or trailers of one direction of a stream.
class HostHeaders final : public HeaderMap {
public:
  HostHeaders(void* stream, envoy_dynamic_module_type_http_header_type which) : stream_(stream), which_(which) {}
  std::vector<std::string_view> get(std::string_view key) const override;
  std::string_view getOne(std::string_view key) const override;
  std::vector<HeaderView> getAll() const override;
  size_t size() const override;
  void set(std::string_view key, std::string_view value) override;
  void add(std::string_view key, std::string_view value) override;
  void remove(std::string_view key) override;

private:
  std::string_view at(std::string_view key, size_t index, size_t* count) const;

  void* stream_;
  envoy_dynamic_module_type_http_header_type which_;
};

} // namespace DynamicModules
} // namespace Envoy

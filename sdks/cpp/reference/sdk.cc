// The host-independent half of the SDK: interfaces and utilities.
#include "sdk.h"

namespace Envoy {
namespace DynamicModules {

BodyBuffer::~BodyBuffer() = default;
HeaderMap::~HeaderMap() = default;
HttpCalloutCallback::~HttpCalloutCallback() = default;
RouteSpecificConfig::~RouteSpecificConfig() = default;
Scheduler::~Scheduler() = default;
HttpFilterHandle::~HttpFilterHandle() = default;
HttpFilterConfigHandle::~HttpFilterConfigHandle() = default;
HttpFilter::~HttpFilter() = default;
HttpFilterFactory::~HttpFilterFactory() = default;
HttpFilterConfigFactory::~HttpFilterConfigFactory() = default;

std::unique_ptr<RouteSpecificConfig> HttpFilterConfigFactory::createPerRoute(std::string_view) { return nullptr; }

#if DMCONFORM_SDK_MINOR >= 139
LocalReplyStatus HttpFilter::onLocalReply(uint32_t, std::string_view, bool) { return LocalReplyStatus::Continue; }
#endif

namespace {

void appendTo(std::string& text, const std::vector<BufferView>& chunks) {
  for (const BufferView& chunk : chunks) {
    text.append(chunk.toStringView());
  }
}

#if DMCONFORM_SDK_MINOR < 138
// Whether both name the same memory: the ABI of 1.37 has no function that tells.
bool sameBuffer(const BodyBuffer& left, const BodyBuffer& right) {
  const auto a = left.getChunks();
  const auto b = right.getChunks();
  return !a.empty() && !b.empty() && a.front().data() == b.front().data();
}
#endif

std::string join(const BodyBuffer& buffered, const BodyBuffer& received, bool received_is_buffered) {
  std::string text;
  appendTo(text, buffered.getChunks());
  if (!received_is_buffered) {
    appendTo(text, received.getChunks());
  }
  return text;
}

} // namespace

namespace Utility {

#if DMCONFORM_SDK_MINOR >= 138
std::string readWholeRequestBody(HttpFilterHandle& handle) {
  return join(handle.bufferedRequestBody(), handle.receivedRequestBody(), handle.receivedBufferedRequestBody());
}

std::string readWholeResponseBody(HttpFilterHandle& handle) {
  return join(handle.bufferedResponseBody(), handle.receivedResponseBody(), handle.receivedBufferedResponseBody());
}
#else
std::string readWholeRequestBody(HttpFilterHandle& handle) {
  const BodyBuffer& buffered = handle.bufferedRequestBody();
  const BodyBuffer& received = handle.receivedRequestBody();
  return join(buffered, received, sameBuffer(buffered, received));
}

std::string readWholeResponseBody(HttpFilterHandle& handle) {
  const BodyBuffer& buffered = handle.bufferedResponseBody();
  const BodyBuffer& received = handle.receivedResponseBody();
  return join(buffered, received, sameBuffer(buffered, received));
}
#endif

} // namespace Utility

} // namespace DynamicModules
} // namespace Envoy

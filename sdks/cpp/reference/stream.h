// One stream's HTTP filter, and how its stream is ended.
#pragma once

#include "host.h"
#include "instance.h"

namespace Envoy {
namespace DynamicModules {

using Stream = Instance<HostFilterHandle, HttpFilter>; // without a filter where its making threw

inline Stream& stream(const void* pointer) { return *const_cast<Stream*>(static_cast<const Stream*>(pointer)); }

// Ends the request with a 500. The response may have begun: then the host resets the stream.
inline void failRequest(Stream& self) { self.handle.sendLocalResponse(500, {}, "", kExceptionDetail); }

inline void abandonResponse(Stream& self) { self.handle.abandonResponse(kExceptionDetail); }

} // namespace DynamicModules
} // namespace Envoy

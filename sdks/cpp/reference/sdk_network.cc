#include "sdk_network.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

NetworkBuffer::~NetworkBuffer() = default;
NetworkFilterHandle::~NetworkFilterHandle() = default;
NetworkFilterConfigHandle::~NetworkFilterConfigHandle() = default;
NetworkFilter::~NetworkFilter() = default;
NetworkFilterFactory::~NetworkFilterFactory() = default;
NetworkFilterConfigFactory::~NetworkFilterConfigFactory() = default;

} // namespace DynamicModules
} // namespace Envoy

#endif

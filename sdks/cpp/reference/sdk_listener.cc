#include "sdk_listener.h"

#if DMCONFORM_SDK_MINOR >= 139

namespace Envoy {
namespace DynamicModules {

ListenerFilterHandle::~ListenerFilterHandle() = default;
ListenerFilterConfigHandle::~ListenerFilterConfigHandle() = default;
ListenerFilter::~ListenerFilter() = default;
ListenerFilterFactory::~ListenerFilterFactory() = default;
ListenerFilterConfigFactory::~ListenerFilterConfigFactory() = default;

ListenerFilterStatus ListenerFilter::onAccept() { return ListenerFilterStatus::Continue; }
ListenerFilterStatus ListenerFilter::onData(size_t) { return ListenerFilterStatus::Continue; }
void ListenerFilter::onClose() {}
void ListenerFilter::onDestroy() {}
size_t ListenerFilter::maxReadBytes() { return 0; }

} // namespace DynamicModules
} // namespace Envoy

#endif

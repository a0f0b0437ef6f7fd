// What `identity` counts.
#pragma once

#include <atomic>
#include <cstdint>

namespace dmconform {

// How many response headers `identity` has handled since the library was loaded.
inline std::atomic<uint64_t> handled = 0;

} // namespace dmconform

// In `lifetime`, `nodelete` and `thread_local`: tells when the library is loaded and when it is unloaded.
#include <string_view>

#include <unistd.h>

namespace {

void report(std::string_view line) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

[[gnu::constructor]] void reportConstructed() { report("dmconform: constructed\n"); }
[[gnu::destructor]] void reportDestructed() { report("dmconform: destructed\n"); }

} // namespace

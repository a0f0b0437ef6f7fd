// The C++ SDK has no initialisation function, so the line is written when the library is loaded.
#include <string_view>

#include <unistd.h>

namespace {

[[gnu::constructor]] void reportInitialised() {
  constexpr std::string_view line = "dmconform: initialised\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace

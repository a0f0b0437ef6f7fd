// Which library code is in, as the dynamic linker tells.
#pragma once

#include <string>
#include <string_view>

#include <dlfcn.h>

namespace dmconform {

// The file name, without folders, of the library that has `address`.
inline std::string libraryOf(const void* address) {
  Dl_info info{};
  if (address == nullptr || dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
    return "none";
  }
  const std::string_view path = info.dli_fname;
  return std::string(path.substr(path.rfind('/') + 1)); // npos + 1 is 0
}

} // namespace dmconform

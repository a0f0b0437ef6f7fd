// What the filters that throw share.
#pragma once

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dmconform {

// What tells a connection's panic filters that they are meant.
inline constexpr std::string_view kPanicBytes = "dmconform panic";

[[noreturn]] inline void throwIn(std::string_view callback) {
  throw std::runtime_error("dmconform panic in " + std::string(callback));
}

// The configuration `text`, if it is one of `known`.
template <class Names> std::optional<std::string> oneOf(const Names& known, std::string_view text) {
  const bool found = std::find(known.begin(), known.end(), text) != known.end();
  return found ? std::optional<std::string>(text) : std::nullopt;
}

// The callback that a configuration of `panic` names, if it is one of `known`; for `configuration`, the panic is here.
template <class Names> std::optional<std::string> panicCallback(const Names& known, std::string_view text) {
  if (text == "configuration") {
    throwIn(text);
  }
  return oneOf(known, text);
}

} // namespace dmconform

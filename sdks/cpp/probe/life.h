// What the probe says of the things that a host has it make at an extension point: that they begin, are used, and end.
#pragma once

#include "handled.h"
#include "library.h"

#include <format>
#include <string>
#include <string_view>

#include <unistd.h>

namespace dmconform {

// Bytes as printable text, escaped as in a Rust byte string.
inline std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    switch (byte) {
    case '\t':
      text += "\\t";
      break;
    case '\r':
      text += "\\r";
      break;
    case '\n':
      text += "\\n";
      break;
    case '\'':
    case '"':
    case '\\':
      text += {'\\', byte};
      break;
    default:
      text += byte >= ' ' && byte <= '~' ? std::string(1, byte)
                                         : std::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return text;
}

// A thing with a beginning and an end: a configuration, or what a host makes with one.
class Life {
public:
  // `point` is the extension point, as the ABI's hooks call it, `what` what it is there, and `config` the configuration
  // that the host gave. Both names are literals.
  Life(std::string_view point, std::string_view what, std::string_view config)
      : Life(Escaped{escaped(config)}, point, what) {}

  // A thing that is made with the configuration that `whole` is the life of.
  Life(const Life& whole, std::string_view what) : Life(Escaped{whole.config_}, whole.point_, what) {}

  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() { tell("ends"); }

  // The configuration, as printable text.
  const std::string& config() const { return config_; }

  // Says that it does its work.
  void used() const {
    tell("used", std::format(" module={} responses={}", libraryOf(&handled), handled.load()));
  }

private:
  struct Escaped {
    std::string text;
  };

  Life(Escaped config, std::string_view point, std::string_view what)
      : point_(point), what_(what), config_(std::move(config.text)) {
    tell("begins");
  }

  // Writes a line, in one write.
  void tell(std::string_view event, std::string_view more = "") const {
    const std::string_view thread = gettid() == getpid() ? "main" : "worker";
    const std::string line =
        std::format("dmconform life {} {} cpp [{}] {} on={}{}\n", point_, what_, config_, event, thread, more);
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  }

  const std::string_view point_;
  const std::string_view what_;
  const std::string config_;
};

} // namespace dmconform

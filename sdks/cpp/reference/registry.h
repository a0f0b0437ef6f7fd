// The filter names of this module, one registry for each kind of filter.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace Envoy {
namespace DynamicModules {

template <class Factory> class Register;

template <class Factory> class Registry {
public:
  static const std::map<std::string_view, std::unique_ptr<Factory>>& getRegistry() { return mutableRegistry(); }

private:
  friend class Register<Factory>;

  // Made at its first use, as the order in which static objects of several files are made is not defined.
  static std::map<std::string_view, std::unique_ptr<Factory>>& mutableRegistry() {
    static std::map<std::string_view, std::unique_ptr<Factory>> factories;
    return factories;
  }
};

// Holds one name in the registry for as long as it lives.
template <class Factory> class Register {
public:
  Register(std::string_view name, std::unique_ptr<Factory> factory) : name_(name) {
    if (!Registry<Factory>::mutableRegistry().emplace(name_, std::move(factory)).second) {
      std::abort(); // two filters of one name: a mistake in the module's source
    }
  }
  ~Register() { Registry<Factory>::mutableRegistry().erase(name_); }
  Register(const Register&) = delete;
  Register& operator=(const Register&) = delete;

private:
  const std::string name_;
};

} // namespace DynamicModules
} // namespace Envoy

// Implementations register themselves in one line, which also declares their parameters:
//
//   const Registration<Policy, Pid> registered{"pid", "PID controller on smoothed latency", "own definition"};
//
// The implementation has a `struct Parameters` with `fields()` and a constructor that takes it. Every object file of
// the library is linked as an object, never from an archive, so that no linker drops a registration; a test lists them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "common/fields.hpp"

namespace dynasoc::manager {

/// A registered implementation, as lists show it.
struct Entry {
  std::string name;    ///< as files call it
  std::string doc;     ///< one line
  std::string source;  ///< publication or code, and whether it was read or is our reading of it
  Json schema;         ///< of the parameters
  /// Tells one state of an embedding program's code from another; empty for what is part of DynaSoC, whose build says
  /// it.
  std::string version = {};

  /// Names of the parameters that have no default.
  std::vector<std::string> required() const { return schema.value("required", std::vector<std::string>{}); }
};

/// What is registered for one interface: our own before main; embedding programs may `put` theirs later, from any
/// thread.
template <class Interface>
class Registry {
 public:
  using Factory = std::function<std::unique_ptr<Interface>(const Value*)>;

  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  void add(Entry entry, Factory factory) {
    const std::string name = entry.name;
    if (!implementations_.emplace(name, std::pair{std::move(entry), std::move(factory)}).second)
      throw InternalError("two implementations are called " + name);
  }

  /// The same while the program runs; replaces an older one of the name.
  void put(Entry entry, Factory factory) {
    std::pair one{std::move(entry), std::move(factory)};  // and then what it replaces: destroyed without our lock
    const std::unique_lock lock(mutex_);
    const std::string name = one.first.name;
    std::swap(implementations_[name], one);
  }

  /// Forgets what was `put`.
  void remove(const std::string& name) {
    std::pair<Entry, Factory> one;
    const std::unique_lock lock(mutex_);
    const auto at = implementations_.find(name);
    if (at == implementations_.end()) return;
    std::swap(at->second, one);
    implementations_.erase(at);
  }

  bool has(const std::string& name) const {
    const std::shared_lock lock(mutex_);
    return implementations_.contains(name);
  }

  /// `parameters` is the object that names the implementation (its `name` is skipped); null for all defaults.
  std::unique_ptr<Interface> make(const std::string& name, const Value* parameters) const {
    return factory(name)(parameters);
  }

  std::vector<std::string> names() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [name, unused] : implementations_) out.push_back(name);
    return out;
  }

  Entry entry(const std::string& name) const {
    const std::shared_lock lock(mutex_);
    return implementations_.at(name).first;
  }

 private:
  // A copy: what it calls may take locks of its own (Python's), and must not hold ours meanwhile.
  Factory factory(const std::string& name) const {
    const std::shared_lock lock(mutex_);
    return implementations_.at(name).second;
  }

  mutable std::shared_mutex mutex_;
  std::map<std::string, std::pair<Entry, Factory>> implementations_;  // sorted: listings do not depend on link order
};

template <class Interface, class Implementation>
struct Registration {
  Registration(std::string name, std::string doc, std::string source) {
    using Parameters = typename Implementation::Parameters;
    Registry<Interface>::instance().add(
        {std::move(name), std::move(doc), std::move(source), object_schema<Parameters>()},
        [](const Value* value) -> std::unique_ptr<Interface> {
          Parameters parameters;
          if (value != nullptr) read_fields(*value, parameters, {"name"});
          return std::make_unique<Implementation>(parameters);
        });
  }
};

/// `"schedutil"` or `{"name": "schedutil", "rate_limit_us": 500}` in a file: an implementation and its parameters,
/// checked when read.
template <class Interface>
struct Choice {
  std::string name;
  std::optional<Value> parameters;
  Where where;

  static Choice from_value(const Value& value) {
    Choice out;
    out.where = value.where();
    if (value.json().is_string()) {
      out.name = value.json().get<std::string>();
    } else if (value.json().is_object()) {
      out.name = read<std::string>(value["name"]);
      out.where = value["name"].where();
      out.parameters = value;
    } else {
      detail::wrong_kind(value, "a name, or an object with a name and parameters");
    }
    const auto& registry = Registry<Interface>::instance();
    if (!registry.has(out.name))
      throw out.where.error(std::string("unknown ") + Interface::what + " \"" + out.name + "\"" +
                            hint(out.name, registry.names()));
    const std::vector<std::string> needed = registry.entry(out.name).required();
    if (!out.parameters && !needed.empty())
      throw out.where.error(std::string(Interface::what) + " " + in_quotes(out.name) + " needs " +
                            in_quotes(needed[0]) + ": write an object, {\"name\": " + in_quotes(out.name) + ", " +
                            in_quotes(needed[0]) + ": …}");
    out.make();  // parameters are checked here, where their place is known
    return out;
  }

  std::unique_ptr<Interface> make() const {
    return Registry<Interface>::instance().make(name, parameters ? &*parameters : nullptr);
  }

  Json to_json() const { return parameters ? parameters->json() : Json(name); }

  static Json schema() {
    const auto& registry = Registry<Interface>::instance();
    Json names = registry.names(), objects = Json::array();
    objects.push_back({{"enum", names}});
    for (const std::string& name : registry.names()) {
      const auto entry = registry.entry(name);
      objects.push_back(detail::alternative_schema("name", name, entry.doc, entry.schema));
    }
    return {{"anyOf", std::move(objects)}};
  }
};

}  // namespace dynasoc::manager

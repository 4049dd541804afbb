// Mutants of JSON files that are still JSON: members dropped, renamed, copied and moved, values replaced by others of
// the file, of another one, or by what is hard to digest. Mutation of letters hardly ever gets past a schema.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_reader.hpp"

namespace dynasoc::test {

class JsonMutator {
 public:
  /// `words`: names and values of the format, from its schema.
  JsonMutator(std::uint64_t seed, const std::vector<std::string>& words) : random_(seed), words_(words) {}

  /// One to four changes to `text`, some of them with parts of `other`. A text that is no JSON comes back as one value
  /// of `other`.
  std::string operator()(const std::string& text, const std::string& other) {
    Json json = Json::parse(text, nullptr, false), more = Json::parse(other, nullptr, false);
    if (json.is_discarded()) json = more.is_discarded() ? Json::object() : more;
    if (more.is_discarded()) more = json;
    for (std::size_t changes = 1 + pick(4) * pick(2); changes > 0; --changes) change(json, more);
    return json.dump(pick(4) == 0 ? 2 : -1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  // Copying and writing go as deep as a value does.
  static constexpr int kDeepest = 80;

  std::size_t pick(std::size_t count) { return count == 0 ? 0 : static_cast<std::size_t>(random_() % count); }

  static void collect(Json& json, std::vector<Json*>& into, int depth = 0) {
    if (depth > kDeepest) return;
    into.push_back(&json);
    if (json.is_structured())
      for (Json& inner : json) collect(inner, into, depth + 1);
  }
  Json* any(Json& json) {
    std::vector<Json*> all;
    collect(json, all);
    return all[pick(all.size())];
  }

  std::string word() { return words_.empty() ? std::string("name") : words_[pick(words_.size())]; }

  Json strange() {
    static const std::array<const char*, 26> kNumbers{"0",
                                                      "-1",
                                                      "1",
                                                      "2",
                                                      "0.5",
                                                      "1e-9",
                                                      "1e9",
                                                      "1e18",
                                                      "1e308",
                                                      "1e-30",
                                                      "-1e9",
                                                      "3",
                                                      "64",
                                                      "65",
                                                      "1024",
                                                      "4294967296",
                                                      "9007199254740993",
                                                      "1e15",
                                                      "-0.0",
                                                      "0.1",
                                                      "1000",
                                                      "1e-3",
                                                      "999999999",
                                                      "2147483648",
                                                      "100000",
                                                      "18446744073709551615"};
    switch (pick(9)) {
      case 0: return nullptr;
      case 1: return pick(2) == 0;
      case 2: return word();
      case 3: return Json::array();
      case 4: return Json::object();
      case 5: return std::string(pick(3) * 70, 'x') + "\n\xc3\xa4/~";
      default: return Json::parse(kNumbers[pick(kNumbers.size())]);
    }
  }

  void change(Json& json, Json& more) {
    Json& at = *any(json);
    switch (pick(10)) {
      case 0: at = strange(); return;
      case 1: {  // a value of the same kind from elsewhere
        for (int tries = 0; tries < 8; ++tries)
          if (const Json& from = *any(pick(2) == 0 ? json : more); from.type() == at.type() && &from != &at) {
            const Json copy = from;
            at = copy;
            return;
          }
        return;
      }
      case 2: {
        const Json copy = *any(more);
        at = copy;
        return;
      }
      case 3:
      case 4:  // a number near the old one, or far
        if (at.is_number()) {
          static constexpr std::array<double, 10> kFactors{0.5, 2, 10, 0.1, -1, 1.001, 0, 1000, 1e6, 1e-6};
          const double x = at.get<double>() * kFactors[pick(kFactors.size())];
          if (at.is_number_integer() && std::abs(x) < 9e15)
            at = static_cast<std::int64_t>(x) + static_cast<std::int64_t>(pick(3)) - 1;
          else
            at = x;
        } else {
          at = at.is_string() ? Json(word()) : strange();
        }
        return;
      case 5:
      case 6:  // one member or element less
        if (at.is_structured() && !at.empty()) {
          const auto index = static_cast<std::ptrdiff_t>(pick(at.size()));
          at.erase(std::next(at.begin(), index));
        }
        return;
      case 7:  // one more
        if (at.is_object()) {
          const Json copy = pick(2) == 0 ? *any(more) : strange();
          at[word()] = copy;
        } else if (at.is_array()) {
          const Json copy = at.empty() || pick(2) == 0 ? *any(more) : at[pick(at.size())];
          at.push_back(copy);
        }
        return;
      case 8:  // another name
        if (at.is_object() && !at.empty()) {
          auto& members = static_cast<Json::object_t::Container&>(at.get_ref<Json::object_t&>());
          const std::size_t index = pick(members.size());
          Json value = std::move(members[index].second);
          at.erase(std::next(at.begin(), static_cast<std::ptrdiff_t>(index)));
          at[word()] = std::move(value);
        }
        return;
      default: {  // deeper
        Json copy = at;
        for (std::size_t levels = 1 + pick(3) * pick(25); levels > 0; --levels)
          copy = pick(2) == 0 ? Json::array({std::move(copy)}) : Json{{word(), std::move(copy)}};
        at = std::move(copy);
        return;
      }
    }
  }

  std::mt19937_64 random_;
  const std::vector<std::string>& words_;
};

}  // namespace dynasoc::test

// JSON itself: read or refused with a place, and what is read is what another reader (nlohmann's) reads.
#include "common/document.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace json_target {

std::vector<std::string> seeds() {
  std::vector<std::string> out = files("scenarios", ".json");
  for (const char* ending : {"network.json", "supernetwork.json"})
    for (std::string& more : files("models", ending)) out.push_back(std::move(more));
  for (std::string& more : files("platforms", ".json")) out.push_back(std::move(more));
  return out;
}

bool read(const std::string& text) {
  Json own;
  std::string refusal;
  const bool good = good_or_refused([&] {
    try {
      own = read_json(text, "text.json");
    } catch (const InputError& error) {
      refusal = error.what();
      throw;
    }
  });
  const Json other = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!good) {
    // Refused although JSON leaves it open; everything else both refuse.
    const auto says = [&](std::string_view words) { return refusal.find(words) != std::string::npos; };
    const bool meant = says("appears twice") || says("nested more") || says("it may have") ||
                       says("which is the most") || text.starts_with("\xef\xbb\xbf") ||
                       text.find('\0') != std::string::npos;  // to the other reader the end of the text
    if (!other.is_discarded() && !meant) throw Finding("only refused here: " + refusal);
    return false;
  }
  if (own != other) throw Finding("read differently: " + own.dump().substr(0, 200));
  if (read_json(own.dump(), "again") != own) throw Finding("not the same after being written");
  return true;
}

const Register registered{
    {.name = "json", .doc = "JSON texts", .form = Form::words, .seeds = seeds, .read = read, .mutants = 6000}};

}  // namespace json_target
}  // namespace dynasoc::fuzz

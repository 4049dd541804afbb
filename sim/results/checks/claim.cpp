#include "results/checks/claim.hpp"

#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "results/page.hpp"

namespace dynasoc::check {
namespace fs = std::filesystem;
namespace {

std::string with_unit(const std::string& number, const std::string& unit) {
  return unit.empty() ? number : number + (unit == "x" ? "" : " ") + unit;
}

std::string published_text(const Finding& one) {
  if (!one.published) return "-";
  return (one.up_to ? "up to " : "") + with_unit(plain_number(*one.published), one.unit);
}

std::string ours_text(const Finding& one) {
  std::string out = with_unit(fixed_text(one.ours, one.digits), one.unit);
  const std::string low = fixed_text(one.interval.low, one.digits), high = fixed_text(one.interval.high, one.digits);
  if (low != high) out += " [" + low + ", " + high + "]";
  return out;
}

std::string why(const Finding& one) {
  std::string out;
  if (one.standing) out = dynasoc::to_json(*one.standing).get<std::string>();
  return out + (out.empty() || one.reason.empty() ? "" : ": ") + one.reason;
}

// Least to most as bars, the published number marked below.
std::vector<std::string> strip(const Finding& one) {
  static constexpr std::array<const char*, 9> kBars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::size_t kBins = 40;
  const Distribution& of = *one.of;
  const auto counts = of.histogram(kBins);
  const auto [low, high] = of.range();
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  const std::string from = fixed_text(low, one.digits), to = fixed_text(high, one.digits);
  std::string bars;
  for (const std::size_t n : counts) bars += kBars[n == 0 ? 0 : 1 + (n - 1) * 7 / std::max<std::size_t>(most - 1, 1)];
  std::vector<std::string> out{from + " |" + bars + "| " + with_unit(to, one.unit)};
  if (of.mark && high > low) {
    const auto at = std::min(static_cast<std::size_t>((*of.mark - low) / (high - low) * kBins), kBins - 1);
    const auto glyphs =
        static_cast<std::size_t>(std::count_if(from.begin(), from.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    out.push_back(std::string(glyphs + 2 + at, ' ') + "^ " + plain_number(*of.mark) + " published");
  }
  std::string facts = std::to_string(of.values.size()) + " outcomes: min " + fixed_text(of.quantile(0), one.digits) +
                      ", quartiles " + fixed_text(of.quantile(0.25), one.digits) + ", " +
                      fixed_text(of.quantile(0.5), one.digits) + ", " + fixed_text(of.quantile(0.75), one.digits) +
                      ", max " + fixed_text(of.quantile(1), one.digits);
  if (of.mark) facts += "; " + fixed_text(100 * of.share_from(*of.mark), 0) + " % at least the published number";
  out.push_back(facts);
  return out;
}

// How many published numbers had a part in the model.
std::string tested(const std::vector<Finding>& findings) {
  std::size_t published = 0, known = 0;
  for (const Finding& one : findings) {
    if (!one.published || !one.standing) continue;
    ++published;
    known += *one.standing != Standing::predicted;
  }
  if (known == 0) return "";
  return std::to_string(known) + " of " + std::to_string(published) +
         " published numbers went in or were fitted: that they come out tests the plumbing and nothing else";
}

// A verdict as people should take it.
std::string verdict_text(const Checked& one) {
  bool any = false, all = true;
  for (const Finding& finding : one.findings) {
    if (!finding.published) continue;
    any = true;
    all = all && finding.standing && *finding.standing != Standing::predicted;
  }
  return std::string(name_of(one.verdict)) + (any && all ? ", by construction" : "");
}

}  // namespace

Claim load_claim(const fs::path& path) {
  const auto document = Document::load(path);
  Claim out;
  out.path = path;
  out.name = path.filename().string();
  if (out.name.ends_with(kClaimEnding)) out.name.resize(out.name.size() - kClaimEnding.size());
  out.file = read<ClaimFile>(Value(document));
  const Context context{path.parent_path(), 1, {}};
  std::visit([&](const auto& one) { one.validate(context); }, out.file.expectation);
  return out;
}

Checked evaluate(const Claim& claim, int jobs, const std::function<void(double)>& progress) {
  const Context context{claim.path.parent_path(), jobs, progress};
  Checked out;
  out.claim = claim;
  out.findings = std::visit([&](const auto& one) { return one.evaluate(context); }, claim.file.expectation);
  out.verdict = overall(out.findings);
  return out;
}

Json check_json(const std::vector<Checked>& checked) {
  Json claims = Json::array();
  bool all = true;
  for (const Checked& one : checked) {
    Json findings = Json::array();
    for (const Finding& finding : one.findings) findings.push_back(finding.to_json());
    all = all && one.as_stored();
    claims.push_back({{"name", one.claim.name},
                      {"title", one.claim.file.title},
                      {"source", one.claim.file.source},
                      {"set_up", one.claim.file.set_up},
                      {"verdict", std::string(name_of(one.verdict))},
                      {"stored", std::string(name_of(one.claim.file.verdict))},
                      {"as_stored", one.as_stored()},
                      {"because", one.claim.file.because},
                      {"findings", std::move(findings)}});
  }
  return {{"as_stored", all}, {"claims", std::move(claims)}};
}

std::string check_text(const std::vector<Checked>& checked, bool colour) {
  const Page page(100, colour);
  std::string out;
  std::array<std::size_t, EnumNames<Verdict>::names.size()> counts{};
  for (const Checked& one : checked) {
    ++counts[static_cast<std::size_t>(one.verdict)];
    out += page.bold(one.claim.name) + ": " + page.bold(verdict_text(one)) + "\n  " + one.claim.file.title + "\n";
    out += "  " + page.dim("source: " + one.claim.file.source) + "\n";
    if (!one.claim.file.set_up.empty()) out += "  " + page.dim("chosen by us: " + one.claim.file.set_up) + "\n";
    for (const Finding& finding : one.findings) {
      out += "    " + finding.quantity + ": published " + published_text(finding) + ", ours " + ours_text(finding) +
             ": " + std::string(name_of(finding.verdict)) + (why(finding).empty() ? "" : " (" + why(finding) + ")") +
             "\n";
      if (finding.of)
        for (const std::string& line : strip(finding)) out += "      " + line + "\n";
      for (const std::string& note : finding.notes) out += "      " + page.dim(note) + "\n";
    }
    if (const std::string text = tested(one.findings); !text.empty()) out += "    " + text + "\n";
    if (!one.claim.file.because.empty()) out += "    because: " + one.claim.file.because + "\n";
    out += "\n";
  }
  std::string sum;
  for (const auto& [text, verdict] : EnumNames<Verdict>::names)
    if (const std::size_t n = counts[static_cast<std::size_t>(verdict)]; n > 0)
      sum += (sum.empty() ? "" : ", ") + std::to_string(n) + " " + std::string(text);
  out += std::to_string(checked.size()) + (checked.size() == 1 ? " claim: " : " claims: ") + sum + "\n";
  return out;
}

std::string check_markdown(const std::vector<Checked>& checked) {
  std::string out;
  if (checked.size() > 1) {
    out += "| claim | verdict | what was claimed | published → ours |\n| --- | --- | --- | --- |\n";
    for (const Checked& one : checked) {
      std::string numbers;
      for (const Finding& finding : one.findings)
        if (finding.published)
          numbers += (numbers.empty() ? "" : "<br>") + published_text(finding) + " → " + ours_text(finding);
      out += "| `" + one.claim.name + "` | **" + verdict_text(one) + "** | " + markdown_cell(one.claim.file.title) +
             " | " + numbers + " |\n";
    }
    return out;
  }
  const Checked& one = checked.at(0);
  out += "**" + one.claim.file.title + ": " + verdict_text(one) + ".** " + one.claim.file.source + "\n\n";
  if (!one.claim.file.set_up.empty()) out += "*Chosen by us:* " + one.claim.file.set_up + "\n\n";
  out += "| quantity | published | ours [95 % interval] | verdict | why |\n| --- | --- | --- | --- | --- |\n";
  for (const Finding& finding : one.findings)
    out += "| " + markdown_cell(finding.quantity) + " | " + published_text(finding) + " | " + ours_text(finding) +
           " | " + std::string(name_of(finding.verdict)) + " | " + markdown_cell(why(finding)) + " |\n";
  std::string below;
  for (const Finding& finding : one.findings) {
    if (!finding.of && finding.notes.empty()) continue;
    below += (below.empty() ? "" : "\n") + finding.quantity + "\n";
    if (finding.of)
      for (const std::string& line : strip(finding)) below += "  " + line + "\n";
    for (const std::string& note : finding.notes) below += "  " + note + "\n";
  }
  if (!below.empty()) out += "\n```text\n" + below + "```\n";
  if (const std::string text = tested(one.findings); !text.empty()) out += "\n" + text + ".\n";
  if (!one.claim.file.because.empty()) out += "\n*Why:* " + one.claim.file.because + "\n";
  return out;
}

}  // namespace dynasoc::check

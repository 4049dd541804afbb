// dynasoc check: claims, and whether they still come out as they did.
#include <algorithm>

#include "cli/options.hpp"
#include "results/checks/claim.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;

int check_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc check FOLDER|FILE… [options]",
      "Evaluates claim files (*.claim.json): what was published, what we get, and whether that is the same.\n"
      "Status 0 if every verdict is the one stored in its file, 1 if one is not.");
  options.positional("files", -1);
  options.add()("only", po::value<std::vector<std::string>>()->composing(), "NAME: this claim alone; repeatable")(
      "json", "print one JSON object and nothing else")("markdown", "print tables for a document")(
      "quiet", "print only verdicts that changed")("jobs", po::value<std::string>(),
                                                   "runs at once (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("files")) throw InputError("a folder or a file is missing; usage: dynasoc check FOLDER|FILE…");

  std::vector<check::Claim> claims;
  std::vector<std::string> known;
  const auto only = options.get_or<std::vector<std::string>>("only", {});
  for (const std::string& file : options.get<std::vector<std::string>>("files"))
    for (const auto& path : check::claims_in(file)) {
      std::string name = path.filename().string();
      if (name.ends_with(check::kClaimEnding)) name.resize(name.size() - check::kClaimEnding.size());
      known.push_back(name);
      if (only.empty() || std::find(only.begin(), only.end(), name) != only.end())
        claims.push_back(check::load_claim(path));
    }
  for (const std::string& name : only)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError("--only: no claim " + in_quotes(name) + hint(name, known));

  const int jobs = jobs_of(options);
  std::vector<check::Checked> checked;
  {
    ProgressBar progress(console, options.has("quiet"));
    for (std::size_t i = 0; i < claims.size(); ++i)
      checked.push_back(check::evaluate(claims[i], jobs, [&](double share) {
        progress((static_cast<double>(i) + share) / static_cast<double>(claims.size()));
      }));
  }
  if (options.has("json"))
    console.out << check::check_json(checked).dump(2) << "\n";
  else if (options.has("markdown"))
    console.out << check::check_markdown(checked);
  else if (!options.has("quiet"))
    console.out << check::check_text(checked, console.colour);
  bool all = true;
  for (const check::Checked& one : checked) {
    if (one.as_stored()) continue;
    all = false;
    console.err << one.claim.path.string() << ": the verdict was `" << check::name_of(one.claim.file.verdict)
                << "` and is `" << check::name_of(one.verdict) << "` now\n";
  }
  return all ? kSuccess : kCheckFailed;
}

}  // namespace dynasoc::cli

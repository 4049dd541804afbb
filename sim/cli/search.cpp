// dynasoc search: sub-networks of a super-network, and which of them to ship.
#include "explore/search/search.hpp"

#include <chrono>
#include <optional>

#include "cli/options.hpp"
#include "common/text.hpp"
#include "explore/search/export.hpp"
#include "explore/search/report.hpp"
#include "results/output.hpp"
#include "version.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace {

bool is_of_network(const std::string& name) {
  return name == "network.json" || name == "README.md" || name.ends_with(".search.csv");
}

// A README.md alone may be anybody's.
void refuse_foreign_readme(const std::filesystem::path& folder) {
  std::error_code code;
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name, code); };
  if (has("README.md") && !has("network.json") && !has(DirectoryLock::kName))
    throw InputError({folder.string(), 0, 0, ""},
                     "holds a README.md, but no network.json: choose another directory for --export");
}

void write_network(const std::filesystem::path& folder, const search::ExportedNetwork& network) {
  begin_replacing(folder);
  write_file(folder / network.table_file, network.table_csv);
  write_file(folder / "README.md", network.readme);
  write_file(folder / "network.json", network.network_json);
}

}  // namespace

int search_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc search SEARCH [options]",
      "Searches a super-network for sub-networks that are fast and accurate: latency from a table of blocks on a\n"
      "declared calibration line, accuracy from the published predictor on a declared correction line. Prints the\n"
      "front, how far it may be from the best, and which few of it to ship. Or chooses among the sub-networks of a\n"
      "network that exists.");
  options.positional("search", 1);
  options.add()("seed", po::value<std::string>(), "seed of everything drawn (default: the file's)")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "path=value: change any field of the search file; repeatable")(
      "out", po::value<std::string>(), "directory for front.csv, generations.csv and search.json")(
      "force", "overwrite results in --out and --export")("export", po::value<std::string>(),
                                                          "directory for the network that was found")(
      "kernel", po::value<std::string>(),
      "instruction set of the predictor: baseline, avx2 or avx512 (default: the fastest here); each gives the same "
      "digits everywhere, another one other last digits and thereby another front")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "jobs", po::value<std::string>(), "threads (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("search")) throw InputError("a search file is missing; usage: dynasoc search SEARCH [options]");

  const std::filesystem::path path = options.get<std::vector<std::string>>("search")[0];
  const search::Prepared prepared =
      search::prepare(path, overrides_of(options.get_or<std::vector<std::string>>("set", {})),
                      options.get_or<std::string>("kernel", ""));
  search::RunOptions request;
  request.seed = static_cast<std::uint64_t>(whole_number(options, "seed", static_cast<std::int64_t>(prepared.file.seed),
                                                         0, static_cast<std::int64_t>(kMostSeed)));
  request.jobs = jobs_of(options);
  const bool write = options.has("out"), exports = options.has("export");
  if (exports) search::check_exportable(prepared);
  const auto inputs = hashes_of(prepared.inputs);
  if (write && exports) {
    std::error_code code;
    const auto of = [&](const char* name) {
      return std::filesystem::weakly_canonical(options.get<std::string>(name), code);
    };
    if (of("out") == of("export")) throw InputError("--out and --export must be two directories");
  }
  if (exports) refuse_foreign_readme(options.get<std::string>("export"));
  std::optional<OutputDirectory> directory, exported;
  if (write) directory.emplace(options.get<std::string>("out"), options.has("force"));
  if (exports) exported.emplace(options.get<std::string>("export"), options.has("force"), is_of_network);

  search::Result result;
  const auto began = std::chrono::steady_clock::now();
  {
    ProgressBar progress(console, options.has("quiet"));
    request.progress = [&](double share) { progress(share); };
    result = search::search(prepared, request);
  }
  const double elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();

  search::ExportedNetwork network;
  if (exports) {
    const std::filesystem::path folder = options.get<std::string>("export");
    network = search::export_network(prepared, result,
                                     std::filesystem::absolute(folder).lexically_normal().filename().string());
  }
  Json json = search::search_json(prepared, result);
  json["seed"] = request.seed;
  if (write) {
    const std::filesystem::path out = options.get<std::string>("out");
    begin_replacing(out);
    write_file(out / "front.csv", search::front_csv(prepared, result));
    if (!result.generations.empty()) write_file(out / "generations.csv", search::generations_csv(result));
    Json manifest = json;
    manifest["version"] = DYNASOC_VERSION;
    manifest["search"] = to_json(prepared.file);
    for (const auto& [file, hash] : inputs) manifest["inputs"].push_back({{"file", file.string()}, {"hash", hash}});
    write_file(out / "search.json", manifest.dump(2) + "\n");
  }
  if (exports) write_network(options.get<std::string>("export"), network);
  if (options.has("json")) {
    json["elapsed_s"] = elapsed_s;
    json["evaluations_per_s"] = static_cast<double>(result.evaluations) / elapsed_s;
    console.out << json.dump(2) << "\n";
  } else if (!options.has("quiet")) {
    console.out << search::search_text(prepared, result, console.columns, console.colour);
    if (exports)
      console.out << "\n  exported   " << network.points.size() << " sub-networks as "
                  << (std::filesystem::path(options.get<std::string>("export")) / "network.json").string() << "\n";
  }
  return kSuccess;
}

}  // namespace dynasoc::cli

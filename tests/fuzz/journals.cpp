// Lines that an interrupted search or sweep left on disk: whole, or not there.
#include <fstream>

#include "common/temporary_folder.hpp"
#include "explore/exploration/journal.hpp"
#include "explore/sweep/points.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace journals_target {

std::vector<std::string> seeds() {
  const explore::Evaluation evaluation{
      "0123456789abcdef", 3, {{"policy", "pid"}, {"gain", 0.5}}, {1.5, 2, std::nan("")}};
  const explore::PointRecord first{7, "0123456789abcdef", "0,1.5,nan;1,1.25,3"}, second{9, "fedcba9876543210", "0,2,3"};
  return {explore::journal_line(evaluation) + explore::journal_line({"another", 0, Json::object(), {0, 1, 2}}),
          explore::point_line(first) + explore::point_line(second)};
}

void lines(const std::string& text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (const auto one = explore::read_journal_line(line);
        one && explore::journal_line(*one) != std::string(line) + "\n")
      throw Finding("an evaluation is another after being written: " + explore::journal_line(*one));
    if (explore::PointRecord record;
        explore::parse_point_line(line, record) && explore::point_line(record) != std::string(line) + "\n")
      throw Finding("a point is another after being written: " + explore::point_line(record));
  }
}

bool read(const std::string& text) {
  static const TemporaryFolder folder;
  lines(text);
  for (const char* name : {"evaluations.tsv", "1.points"})
    std::ofstream(folder.path() / name, std::ios::binary | std::ios::trunc) << text;
  std::size_t evaluations = 0, points = 0;  // a file without a whole line is empty, and no good one
  good_or_refused([&] { evaluations = explore::Journal(folder.path()).read(); });
  good_or_refused([&] {
    explore::PointReader reader({folder.path()});
    for (explore::PointRecord record; reader.next(record);) ++points;
  });
  return evaluations + points > 0;
}

const Register registered{{.name = "journals",
                           .doc = "evaluations.tsv of explorations, .points of sweeps",
                           .seeds = seeds,
                           .read = read,
                           .mutants = 2000}};

}  // namespace journals_target
}  // namespace dynasoc::fuzz

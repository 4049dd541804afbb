#include "common/csv_rows.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kRowBytes = 16u << 20;  // of a row, which is held in memory

// Where in its cells a row is, read piece by piece: a quote opens a cell only where one begins, and is a character of
// it elsewhere.
enum class CellState { begins, plain, quoted, closed };

CellState behind(const char* at, const char* end, CellState cell) {
  if (cell != CellState::quoted && at < end) {  // most rows have no quote: memchr looks at many bytes at once
    const auto* const quote = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    const char* const next = quote != nullptr ? quote : end;
    if (next > at) cell = next[-1] == ',' ? CellState::begins : CellState::plain;
    at = next;
  }
  for (; at < end; ++at) {
    if (cell == CellState::quoted)
      cell = *at == '"' ? CellState::closed : CellState::quoted;
    else if (*at == ',')
      cell = CellState::begins;
    else
      cell = *at == '"' && cell != CellState::plain ? CellState::quoted : CellState::plain;
  }
  return cell;
}

}  // namespace

CsvRows::CsvRows(const std::filesystem::path& path) : name_(path.string()) {
  const Location here{name_, 0, 0, ""};
  // Without O_NONBLOCK, opening a pipe would wait for somebody to write to it.
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0)
    throw InputError(here, errno == ENOENT ? "no such file" : std::string("cannot be read: ") + std::strerror(errno));
  struct stat status {};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file_);
    throw InputError(here, "is not a file");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  try {
    if (!next())
      throw InputError({name_, 1, 1, "header"}, "the file is empty; a line with the columns' names is expected");
    if (cells_.size() > limits::kColumns)
      throw InputError({name_, 1, 1, "header"}, std::to_string(cells_.size()) + " columns; " +
                                                    std::to_string(limits::kColumns) + " are the most");
    for (const std::string_view cell : cells_) {
      if (cell.size() > limits::kNameBytes)
        throw InputError({name_, 1, 1, "header"}, "a column has a name of " + bytes_text(cell.size()));
      if (first_invalid_utf8(cell) < cell.size()) throw InputError({name_, 1, 1, "header"}, "not valid UTF-8");
      if (std::find(columns_.begin(), columns_.end(), cell) != columns_.end())
        throw InputError({name_, 1, 1, "header"}, "the column " + in_quotes(cell) + " appears twice");
      columns_.emplace_back(cell);
    }
  } catch (...) {
    ::close(file_);
    throw;
  }
}

CsvRows::~CsvRows() { ::close(file_); }

bool CsvRows::has(std::string_view column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

std::size_t CsvRows::column(std::string_view name) const {
  const auto it = std::find(columns_.begin(), columns_.end(), name);
  if (it == columns_.end()) throw InputError({name_, 1, 1, "header"}, "the column " + in_quotes(name) + " is missing");
  return static_cast<std::size_t>(it - columns_.begin());
}

// Reads more of the file behind what the buffer holds from `at_` on; false at its end.
bool CsvRows::fill() {
  if (end_of_file_) return false;
  buffer_.erase(0, at_);
  offset_ += at_;
  at_ = 0;
  const std::size_t held = buffer_.size();
  buffer_.resize(held + kBlock);
  ssize_t got = 0;
  do got = ::read(file_, buffer_.data() + held, kBlock);
  while (got < 0 && errno == EINTR);
  if (got < 0) throw InputError({name_, 0, 0, ""}, std::string("cannot be read: ") + std::strerror(errno));
  buffer_.resize(held + static_cast<std::size_t>(got));
  if (got == 0) end_of_file_ = true;
  return got > 0;
}

// Finds the next row, which may go over several lines where a quoted cell does.
bool CsvRows::read_line() {
  std::size_t searched = 0;  // of the row, from at_ on
  CellState cell = CellState::begins;
  line_number_ = lines_read_ + 1;
  for (;;) {
    const char* const begin = buffer_.data() + at_;
    const std::size_t left = buffer_.size() - at_;
    const auto* const newline =
        searched < left ? static_cast<const char*>(std::memchr(begin + searched, '\n', left - searched)) : nullptr;
    if (newline == nullptr) {
      cell = behind(begin + std::min(searched, left), begin + left, cell);
      searched = left;
      if (left > kRowBytes)
        throw InputError({name_, line_number_, 1, "row"}, "the row is longer than " + bytes_text(kRowBytes));
      if (fill()) continue;
      if (searched == 0) return false;
      if (cell == CellState::quoted)
        throw InputError({name_, line_number_, 1, "row"}, "a quote that is opened in this row is never closed");
      throw InputError({name_, line_number_, 1, "row"}, "the last line has no end: the file was cut");
    }
    const auto end = static_cast<std::size_t>(newline - begin);
    cell = behind(begin + searched, newline, cell);
    ++lines_read_;
    searched = end + 1;
    if (cell == CellState::quoted) continue;
    line_ = std::string_view(begin, end);
    at_ += end + 1;
    if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
    if (line_.empty()) {  // is no row
      searched = 0;
      cell = CellState::begins;
      line_number_ = lines_read_ + 1;
      continue;
    }
    return true;
  }
}

void CsvRows::split() {
  const char* at = line_.data();
  const char* const end = at + line_.size();
  for (;;) {
    const auto* const comma = static_cast<const char*>(std::memchr(at, ',', static_cast<std::size_t>(end - at)));
    cells_.emplace_back(at, static_cast<std::size_t>((comma != nullptr ? comma : end) - at));
    if (comma == nullptr) return;
    at = comma + 1;
  }
}

void CsvRows::split_quoted() {
  plain_.clear();
  plain_.reserve(static_cast<std::size_t>(std::count(line_.begin(), line_.end(), ',')) + 1);  // cells point into it
  for (std::size_t at = 0;;) {
    if (at < line_.size() && line_[at] == '"') {
      std::string cell;
      for (++at;; ++at) {
        const std::size_t quote = line_.find('"', at);
        if (quote == std::string_view::npos)
          throw InputError({name_, line_number_, 1, "row"}, "a quote that is opened in this row is never closed");
        cell += line_.substr(at, quote - at);
        at = quote + 1;
        if (at >= line_.size() || line_[at] != '"') break;
        cell += '"';
      }
      if (at < line_.size() && line_[at] != ',')
        throw InputError({name_, line_number_, at + 1, "row"}, "text follows a closing quote");
      plain_.push_back(std::move(cell));
      cells_.emplace_back(plain_.back());
    } else {
      const std::size_t end = std::min(line_.find(',', at), line_.size());
      cells_.push_back(line_.substr(at, end - at));
      at = end;
    }
    if (at >= line_.size()) return;
    ++at;
  }
}

bool CsvRows::next() {
  if (!read_line()) return false;
  cells_.clear();
  if (line_.find('"') == std::string_view::npos)
    split();
  else
    split_quoted();
  if (line_.size() > limits::kCellBytes)  // else no cell can be
    for (const std::string_view cell : cells_)
      if (cell.size() > limits::kCellBytes)
        throw InputError({name_, line_number_, 1, "row"}, "a cell of " + bytes_text(cell.size()) + "; " +
                                                              bytes_text(limits::kCellBytes) + " are the most");
  if (!columns_.empty() && cells_.size() != columns_.size())
    throw InputError({name_, line_number_, 1, "row"}, "the row has " + std::to_string(cells_.size()) +
                                                          " cells, the header " + std::to_string(columns_.size()));
  return true;
}

InputError CsvRows::error(std::size_t column, const std::string& message) const {
  const auto inside = cells_[column].data() >= line_.data() && cells_[column].data() <= line_.data() + line_.size();
  const std::size_t place = inside ? static_cast<std::size_t>(cells_[column].data() - line_.data()) + 1 : 1;
  return InputError(Location{name_, line_number_, place, columns_[column]}, message);
}

double CsvRows::number(std::size_t column) const {
  const std::string_view cell = cells_[column];
  double x = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), x);
  if (code != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(x))
    throw error(column,
                cell.empty() ? "a number is expected, the cell is empty" : in_quotes(cell) + " is not a number");
  return x;
}

double CsvRows::number_or_nan(std::size_t column) const {
  return cells_[column].empty() ? std::numeric_limits<double>::quiet_NaN() : number(column);
}

std::uint64_t CsvRows::whole(std::size_t column) const {
  const std::string_view cell = cells_[column];
  std::uint64_t x = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), x);
  if (code != std::errc{} || end != cell.data() + cell.size())
    throw error(column, in_quotes(cell) + " is not a whole number");
  return x;
}

}  // namespace dynasoc

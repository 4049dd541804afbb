// Text for a terminal: paint and aligned tables.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "common/outside.hpp"

namespace dynasoc {

class Page {
 public:
  Page(int columns, bool colour) : columns_(columns), colour_(colour) {}
  std::string paint(const char* code, const std::string& text) const {
    return colour_ ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
  }
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }
  // A name and what it stands for, as files have them: what a terminal would obey is not passed on.
  std::string heading(const std::string& name, const std::string& title) const {
    return bold(one_line(name)) + (title.empty() ? "" : " - " + one_line(title)) + "\n";
  }
  int columns() const { return columns_; }

  // Rows of cells, the first column to the left, the others to the right.
  std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t indent = 2) const {
    const std::vector<std::size_t> width = widths(rows);
    return block(rows, width, 1, width.size(), indent);
  }

  // The same on a page of limited width: columns that do not fit follow in blocks of their own, each after the first
  // column. A page of no width is unlimited.
  std::string blocks(const std::vector<std::vector<std::string>>& rows, std::size_t indent = 2) const {
    const std::vector<std::size_t> width = widths(rows);
    std::string out;
    for (std::size_t begin = 1; begin < std::max<std::size_t>(width.size(), 2);) {
      std::size_t end = begin, used = indent + (width.empty() ? 0 : width[0]);
      for (; end < width.size(); ++end) {
        used += 2 + width[end];
        if (end > begin && columns_ > 0 && used > static_cast<std::size_t>(columns_)) break;
      }
      out += (begin > 1 ? "\n" : "") + block(rows, width, begin, end, indent);
      begin = std::max(end, begin + 1);
    }
    return out;
  }

 private:
  static std::vector<std::size_t> widths(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> width;
    for (const auto& row : rows)
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c >= width.size()) width.push_back(0);
        width[c] = std::max(width[c], glyphs(row[c]));
      }
    return width;
  }

  // The first column, and those from `begin` to before `end`.
  std::string block(const std::vector<std::vector<std::string>>& rows, const std::vector<std::size_t>& width,
                    std::size_t begin, std::size_t end, std::size_t indent) const {
    std::string out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::string line(indent, ' ');
      if (!rows[r].empty()) line += rows[r][0] + std::string(width[0] - glyphs(rows[r][0]), ' ');
      for (std::size_t c = begin; c < std::min(end, rows[r].size()); ++c)
        line += "  " + std::string(width[c] - glyphs(rows[r][c]), ' ') + rows[r][c];
      line.erase(line.find_last_not_of(' ') + 1);
      out += (r == 0 ? dim(line) : line) + "\n";
    }
    return out;
  }

  // What a terminal shows of it: not the bytes that continue a letter, not the codes of colours.
  static std::size_t glyphs(const std::string& text) {
    std::size_t count = 0;
    bool code = false;
    for (const char c : text) {
      if (c == '\033') code = true;
      count += !code && (c & 0xC0) != 0x80;
      if (code && c == 'm') code = false;
    }
    return count;
  }
  int columns_;
  bool colour_;
};

/// A cell of a table in Markdown.
inline std::string markdown_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

}  // namespace dynasoc

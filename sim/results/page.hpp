// Text for a terminal: paint and aligned tables.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace dynasoc {

class Page {
 public:
  Page(int columns, bool colour) : columns_(columns), colour_(colour) {}
  std::string paint(const char* code, const std::string& text) const {
    return colour_ ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
  }
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }
  int columns() const { return columns_; }

  // Rows of cells, the first column to the left, the others to the right.
  std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t indent = 2) const {
    std::vector<std::size_t> width;
    for (const auto& row : rows)
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c >= width.size()) width.push_back(0);
        width[c] = std::max(width[c], glyphs(row[c]));
      }
    std::string out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::string line(indent, ' ');
      for (std::size_t c = 0; c < rows[r].size(); ++c) {
        const std::string pad(width[c] - glyphs(rows[r][c]), ' ');
        line += c == 0 ? rows[r][c] + pad : "  " + pad + rows[r][c];
      }
      out += (r == 0 ? dim(line) : line) + "\n";
    }
    return out;
  }

 private:
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

}  // namespace dynasoc

#include "results/report/page.hpp"

#include "common/error.hpp"

namespace dynasoc::report {

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  return out;
}

std::string script_json(const Json& json) {
  const std::string plain = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  out.reserve(plain.size() + plain.size() / 64);
  // These stand inside of strings only, where JSON knows them by number too. The last two are ends of lines to old
  // readers of JavaScript.
  for (std::size_t i = 0; i < plain.size(); ++i) switch (plain[i]) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      case '\xE2':
        if (plain.compare(i, 3, "\xE2\x80\xA8") == 0 || plain.compare(i, 3, "\xE2\x80\xA9") == 0) {
          out += plain[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
          i += 2;
          break;
        }
        [[fallthrough]];
      default: out += plain[i];
    }
  return out;
}

std::string fill_page(std::string_view page, const PageParts& parts) {
  std::string out;
  out.reserve(page.size() + parts.styles.size() + parts.library.size() + parts.scripts.size() + parts.data.size());
  for (std::size_t at = 0;;) {
    const std::size_t open = page.find("{{", at);
    out += page.substr(at, open - at);
    if (open == std::string_view::npos) return out;
    const std::size_t close = page.find("}}", open);
    if (close == std::string_view::npos) throw InternalError("the report's template has an open {{");
    const std::string_view name = page.substr(open + 2, close - open - 2);
    if (name == "title")
      out += html_text(parts.title);
    else if (name == "styles")
      out += parts.styles;
    else if (name == "library")
      out += parts.library;
    else if (name == "scripts")
      out += parts.scripts;
    else if (name == "data")
      out += parts.data;
    else
      throw InternalError("the report's template asks for {{" + std::string(name) + "}}");
    at = close + 2;
  }
}

std::string page_of(const Json& payload) {
  std::string_view page, library;
  std::string styles, scripts;
  for (const EmbeddedFile* file = kPageFiles; file->name != nullptr; ++file) {
    const std::string_view name = file->name, text(file->begin, static_cast<std::size_t>(file->end - file->begin));
    if (name == "page.html")
      page = text;
    else if (name == "echarts.min.js")
      library = text;
    else
      (name.ends_with(".css") ? styles : scripts).append(text);
  }
  return fill_page(page, {payload.value("title", ""), styles, library, scripts, script_json(payload)});
}

}  // namespace dynasoc::report

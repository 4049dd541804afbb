# Files inside the program: a C++ source whose assembler part includes their bytes, so that nothing is copied or quoted
# and a file of a megabyte costs no compile time. The source is compiled again when one of the files changes.
#
#   dynasoc_embed(OUTPUT source.cpp HEADER header.hpp NAMESPACE name::space TABLE kFiles FILES …)
#
# The header declares, in the namespace, `struct EmbeddedFile { const char *name, *begin, *end; }` and
# `extern const EmbeddedFile kFiles[]`, whose last element has no name.
function(dynasoc_embed)
  cmake_parse_arguments(PARSE_ARGV 0 embed "" "OUTPUT;HEADER;NAMESPACE;TABLE" "FILES")
  set(bytes "")
  set(symbols "")
  set(rows "")
  set(number 0)
  foreach(file ${embed_FILES})
    cmake_path(GET file FILENAME name)
    set(symbol "dynasoc_embedded_${embed_TABLE}_${number}")
    string(APPEND bytes "  \".balign 16\\n\"\n  \".globl ${symbol}, ${symbol}_end\\n.hidden ${symbol}, ${symbol}_end\\n\"\n  \"${symbol}: .incbin \\\"${file}\\\"\\n\"\n  \"${symbol}_end: .byte 0\\n\"\n")
    string(APPEND symbols "extern const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND rows "    {\"${name}\", ${symbol}, ${symbol}_end},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${embed_OUTPUT} CONTENT [[
// Made by cmake/embed.cmake.
#include "@embed_HEADER@"

asm(
  ".pushsection .rodata\n"
@bytes@  ".popsection\n");

// Global, so that link-time optimisation may put the assembler's part and the table into different objects; hidden, so
// that they stay in this library.
#pragma GCC visibility push(hidden)
extern "C" {
@symbols@}
#pragma GCC visibility pop

namespace @embed_NAMESPACE@ {

const EmbeddedFile @embed_TABLE@[] = {
@rows@    {nullptr, nullptr, nullptr}};

}  // namespace @embed_NAMESPACE@
]] @ONLY)
  set_source_files_properties(${embed_OUTPUT} PROPERTIES OBJECT_DEPENDS "${embed_FILES}")
endfunction()

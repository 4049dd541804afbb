// Weights for the agent's executors.
#include "board/agent/executors/safetensors.hpp"

#include <fstream>

#include "common/temporary_folder.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace safetensors_target {

std::string file(const std::string& header, std::size_t bytes) {
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(header.size() >> (8 * i));
  return out + header + std::string(bytes, '\x3f');
}

std::vector<std::string> seeds() {
  return {
      file(
          R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F16","shape":[4],"data_offsets":[24,32]}})",
          32),
      file(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4)};
}

bool read(const std::string& text) {
  static const TemporaryFolder folder;
  const std::string path = folder.path() / "weights.safetensors";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  try {
    const agent::SafeTensors tensors(path);
    for (const std::string& name : tensors.names())
      for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{2, 3}, {4}, {1}}) {
        try {
          tensors.read(name, shape);
        } catch (const agent::Refusal&) {
        }
      }
    return true;
  } catch (const agent::Refusal&) {
    return false;
  }
}

const Register registered{{.name = "safetensors",
                           .doc = "files of weights",
                           .form = Form::bytes,
                           .seeds = seeds,
                           .read = read,
                           .mutants = 2000}};

}  // namespace safetensors_target
}  // namespace dynasoc::fuzz

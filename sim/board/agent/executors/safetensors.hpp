// A .safetensors file: an 8-byte little-endian length, a JSON header of that length, and the tensors' bytes. It holds
// data and nothing that could run. Mapped, not read: only what is used is paged in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../refusal.hpp"

namespace dynasoc::agent {

/// Throws Refusal: `io` for a file that cannot be read, `bad_request` for one that is not what it should be.
class SafeTensors {
 public:
  explicit SafeTensors(const std::string& path);
  ~SafeTensors();
  SafeTensors(const SafeTensors&) = delete;
  SafeTensors& operator=(const SafeTensors&) = delete;

  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return tensors_.count(name) > 0; }

  /// Of type F32 or F16, and of exactly this shape.
  std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) const;

 private:
  struct Tensor {
    std::string type;
    std::vector<std::int64_t> shape;
    std::size_t begin = 0, end = 0;  // in the data
  };
  [[noreturn]] void refuse(const std::string& message) const;
  void read_header(const std::string& header, std::size_t data_size);

  std::string path_;
  const unsigned char* bytes_ = nullptr;
  std::size_t size_ = 0, data_ = 0;  // of the file; where the tensors' bytes begin
  std::map<std::string, Tensor> tensors_;
};

}  // namespace dynasoc::agent

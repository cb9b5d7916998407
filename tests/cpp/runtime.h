// ONNX Runtime, loaded while the program runs: nothing of it is linked, so that a test built with a
// sanitizer runs on the library that people install.
#pragma once

#include <onnxruntime_c_api.h>

#include <string>
#include <utility>
#include <vector>

#include "onnx_model.h"

namespace sr_ops::test {

/// Loads ONNX Runtime from the file `path`; a message and exit status 1 where that fails. Once a
/// process.
const OrtApi& LoadRuntime(const std::string& path);

/// The loaded runtime's.
const OrtApiBase& ApiBase();
/// What sessions without a library register the linked operators with, instead of ApiBase().
void RegisterThrough(const OrtApiBase& base);

/// A session and what went wrong with it. Not to be moved.
class Session {
 public:
  /// `library`: the file to register; empty: the operators linked into this program.
  Session(const std::string& model, const std::string& library, int threads = 1);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Empty where the session could be created.
  const std::string& error() const { return error_; }

  /// Null where an input is missing or a type is wrong, with `error` saying so.
  bool Run(const std::vector<std::pair<const char*, Tensor>>& feeds, Tensor* y,
           std::string* error) const;

 private:
  OrtSession* session_ = nullptr;
  std::string error_;
};

}  // namespace sr_ops::test

// The end of a call whose work was given up because a handler of a signal raised an exception.
#pragma once

#include <stdexcept>

namespace pybind11 {

/// As pybind11 declares it, with whose headers, of whatever version, torch's Python binding is
/// built: an exception that knows how to become one of Python's. This library has nothing else to
/// do with Python, and everyone but the binding takes it for a std::runtime_error.
class builtin_exception : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  virtual void set_error() const = 0;
};

}  // namespace pybind11

namespace sr_ops {

/// Becomes the handler's exception where it comes up to Python; a RuntimeError where C++ code of
/// torch's stands between that knows no other (TorchScript, AOTInductor), and the handler's
/// exception after that.
class Interruption : public pybind11::builtin_exception {
 public:
  Interruption();
  void set_error() const override;
};

}  // namespace sr_ops

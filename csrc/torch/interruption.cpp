#include "torch/interruption.h"

#include "threads/python_signals.h"

namespace sr_ops {

Interruption::Interruption()
    : pybind11::builtin_exception(
          "dynamic_upscale: interrupted by a handler of a signal, whose exception Python raises "
          "next") {}

void Interruption::set_error() const { RaiseExceptionOfHandler(what()); }

}  // namespace sr_ops

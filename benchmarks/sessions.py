"""Sessions of ONNX Runtime as contenders."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from measure import Contender, aligned_empty

import sr_ops


def session(model: onnx.ModelProto, threads: int, library: bool) -> onnxruntime.InferenceSession:
    """On the CPU, with our library or without."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if library:
        options.register_custom_ops_library(sr_ops.get_library_path())
    content = model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])


def bound_run(
    session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray]
) -> tuple[Contender, np.ndarray]:
    """A run whose buffers are bound once, so that only the session is timed; and its result."""
    binding = session.io_binding()
    for name, value in feeds.items():
        binding.bind_cpu_input(name, value)
    (result,) = session.run(None, feeds)
    output = aligned_empty(result.shape)
    binding.bind_output(
        session.get_outputs()[0].name, "cpu", 0, np.float32, result.shape, output.ctypes.data
    )
    keep = (output, feeds)
    return lambda: (session.run_with_iobinding(binding), keep)[0], result

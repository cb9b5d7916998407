"""One case through each front end: contiguous (N, C, H, W) in, the result in that form out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime
import torch
from cases import Array, Case
from onnx import TensorProto, helper

import sr_ops

_ONNX_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
}

#: What torch itself has no use for.
NOT_IN_TORCH = ("int8",)


def by_numpy(case: Case, x: Array, layout: str = "NCHW") -> Array:
    if layout == "NHWC":
        pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        y = sr_ops.numpy.dynamic_upscale(pixels, layout=layout, **case.keywords)
        return np.ascontiguousarray(y.transpose(0, 3, 1, 2))
    return sr_ops.numpy.dynamic_upscale(x, **case.keywords)


def to_torch(x: Array) -> torch.Tensor:
    """A copy; numpy and torch name bfloat16 differently."""
    if x.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(x.view(np.int16).copy()).view(torch.bfloat16)
    return torch.from_numpy(x.copy())


def from_torch(y: torch.Tensor) -> Array:
    if y.dtype == torch.bfloat16:
        return y.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return y.contiguous().numpy()


def by_torch(case: Case, x: Array, layout: str = "NCHW") -> Array:
    memory = torch.channels_last if layout == "NHWC" else torch.contiguous_format
    tensor = to_torch(x).contiguous(memory_format=memory)
    y = sr_ops.dynamic_upscale(tensor, **case.keywords)
    both = tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)
    assert both or y.numel() == 0 or y.is_contiguous(memory_format=memory), (layout, case)
    return from_torch(y)


@lru_cache(maxsize=256)
def _session(
    op_type: str, dtype: str, rank: int, threads: int, attributes: tuple[tuple[str, Any], ...]
) -> onnxruntime.InferenceSession:
    request, request_type = (
        ("scales", TensorProto.FLOAT)
        if op_type == "DynamicUpscale"
        else ("sizes", TensorProto.INT64)
    )
    element, shape = _ONNX_TYPES[dtype], [None] * rank
    node = helper.make_node(op_type, ["X", request], ["Y"], domain="sr_ops", **dict(attributes))
    graph = helper.make_graph(
        [node],
        "upscale",
        [
            helper.make_tensor_value_info("X", element, shape),
            helper.make_tensor_value_info(request, request_type, [None]),
        ],
        [helper.make_tensor_value_info("Y", element, shape)],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sr_ops.get_library_path())
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def by_onnxruntime(case: Case, x: Array, threads: int = 1) -> Array:
    """Any rank from 2 up. Without a function in the model, only the library can run it."""
    attributes = tuple(case.attributes.items())
    if case.size is None:
        name, request = "scales", np.array(case.scale, np.float32)
        session = _session("DynamicUpscale", case.dtype, x.ndim, threads, attributes)
    else:
        name, request = "sizes", np.array(case.size, np.int64)
        session = _session("DynamicUpscaleToSizes", case.dtype, x.ndim, threads, attributes)
    if case.dtype != "bfloat16":
        (y,) = session.run(None, {"X": x, name: request})
        return y
    y = np.zeros((*x.shape[:-2], *case.out_shape[-2:]), x.dtype)
    binding = session.io_binding()
    binding.bind_cpu_input(name, request)
    binding.bind_ortvalue_input("X", _bfloat16_value(x))
    binding.bind_ortvalue_output("Y", _bfloat16_value(y))
    session.run_with_iobinding(binding)
    return y


def _bfloat16_value(array: Array) -> onnxruntime.OrtValue:
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
        array.view(np.uint16), TensorProto.BFLOAT16
    )

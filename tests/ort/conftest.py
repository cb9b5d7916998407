"""Small models around our two operators, and sessions that run them with the library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import sr_ops


def make_model(
    op_type: str = "DynamicUpscale",
    *,
    elem_type: int = TensorProto.FLOAT,
    shape: list[Any] | None = None,
    rank: int = 4,
    constant: list[float] | None = None,
    name: str = "upscale",
    **attributes: Any,
) -> onnx.ModelProto:
    """One node X -> Y; its second input is fed, or an initializer if ``constant`` is given."""
    request = "scales" if op_type == "DynamicUpscale" else "sizes"
    request_type = TensorProto.FLOAT if request == "scales" else TensorProto.INT64
    shape = shape or [None] * rank
    inputs = [helper.make_tensor_value_info("X", elem_type, shape)]
    initializers = []
    if constant is None:
        inputs.append(helper.make_tensor_value_info(request, request_type, None))
    else:
        initializers.append(helper.make_tensor(request, request_type, [len(constant)], constant))
    node = helper.make_node(
        op_type, ["X", request], ["Y"], name=name, domain="sr_ops", **attributes
    )
    output = helper.make_tensor_value_info("Y", elem_type, [None] * len(shape))
    graph = helper.make_graph([node], "graph", inputs, [output], initializers)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def library_session(
    model: onnx.ModelProto, *, threads: int = 0, profile: Path | None = None
) -> onnxruntime.InferenceSession:
    """A plain onnxruntime session with our library registered."""
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sr_ops.get_library_path())
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # errors are asserted on, not read
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile / "profile")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def executed_operators(session: onnxruntime.InferenceSession) -> set[str]:
    """Operator types that a profiled session has run; ends its profile."""
    events = json.loads(Path(session.end_profiling()).read_text())
    return {event["args"]["op_name"] for event in events if "op_name" in event.get("args", {})}


@pytest.fixture
def build_model() -> Callable[..., onnx.ModelProto]:
    return make_model


@pytest.fixture
def open_session() -> Callable[..., onnxruntime.InferenceSession]:
    return library_session


@pytest.fixture
def operators_run() -> Callable[[onnxruntime.InferenceSession], set[str]]:
    return executed_operators

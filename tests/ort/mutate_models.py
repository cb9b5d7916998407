"""Open and run corrupted models; print how many were refused and how many ran.

    python mutate_models.py COUNT [SEED [provider]]

Each is a sound model with up to two random faults, fed well or badly: attributes of any type and
value, inputs missing, doubled or of other types, constants of any length and content, shapes that
lie. ONNX Runtime must refuse it with an error of its own or run it; the process must live, in
little more memory than it starts with. A sound model is run after every hundred. The number of each
model is printed to stderr before it is opened, so that the last one names the culprit of a crash.

With "provider", the node is a cubic Resize and the execution provider runs it.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

import sr_ops
from sr_ops import reference

Rng = np.random.Generator

TYPES = (
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.UINT8,
    TensorProto.INT8,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.BOOL,
    TensorProto.STRING,
    TensorProto.COMPLEX64,
)
ATTRIBUTES = (
    "coordinate_transformation_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "antialias",
    "mode",
    "unknown",
    "axes",
    "keep_aspect_ratio_policy",
)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e-40, 1e-9, 0.3, 2.7, 1e6, 1e30, np.inf, -np.inf, np.nan)
INTEGERS = (0, 1, -1, 2, 3, 7, 2**20, 2**31, 2**40, 2**62, -(2**63), 2**63 - 1)
#: Address space beyond what the process has after its imports: allocations fail early.
HEADROOM = 2**30


def sound_model(rng: Rng) -> onnx.ModelProto:
    """One node; the second input is fed or constant."""
    sizes = rng.random() < 0.5
    op, request = ("DynamicUpscaleToSizes", "sizes") if sizes else ("DynamicUpscale", "scales")
    request_type = TensorProto.INT64 if sizes else TensorProto.FLOAT
    values = [1, 3, 8, 9] if sizes else [1.0, 1.0, 2.7, 1.4]
    dims = [1, 3, 5, 6] if rng.random() < 0.5 else [None] * 4
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, dims)]
    constants = []
    if rng.random() < 0.5:
        constants.append(helper.make_tensor(request, request_type, [4], values))
    else:
        inputs.append(helper.make_tensor_value_info(request, request_type, None))
    node = helper.make_node(op, ["X", request], ["Y"], domain="sr_ops", name="node")
    output = helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "graph", inputs, [output], constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def sound_resize(rng: Rng) -> onnx.ModelProto:
    """The same request of ONNX's own operator, in any of its versions."""
    model = sound_model(rng)
    opset = int(choose(rng, (11, 12, 13, 17, 18, 19, 22)))
    model.opset_import[0].version = opset
    del model.opset_import[1]
    node = model.graph.node[0]
    request = node.input[1]
    empty = ""
    if opset < 13:
        empty = "roi"
        model.graph.initializer.append(helper.make_tensor("roi", TensorProto.FLOAT, [0], []))
    del node.input[1:]
    node.input.extend([empty, request] if request == "scales" else [empty, empty, request])
    node.op_type, node.domain = "Resize", ""
    for value in model.graph.input[1:]:  # else ONNX takes it for an empty one
        elem_type = value.type.tensor_type.elem_type
        value.CopyFrom(helper.make_tensor_value_info(request, elem_type, [4]))
    node.attribute.append(helper.make_attribute("mode", "cubic"))
    return model


def choose(rng: Rng, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def any_attribute_value(rng: Rng) -> Any:
    return choose(
        rng,
        (
            choose(rng, NUMBERS),
            choose(rng, INTEGERS),
            choose(rng, ("", "half_pixel", "asymmetric", "tf_crop_and_resize", "x" * 10000)),
            choose(rng, ([1, 2, 3], [2, 3], [-1, -2], [3], [0, 99], [2, 2], [1, 2], [-(2**63)])),
            [0.5],
            ["half_pixel"],
            helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0]),
            helper.make_graph([], "empty", [], []),
        ),
    )


def spoil_attribute(model: onnx.ModelProto, rng: Rng) -> None:
    name, value = choose(rng, ATTRIBUTES), any_attribute_value(rng)
    model.graph.node[0].attribute.append(helper.make_attribute(name, value))


def spoil_inputs(model: onnx.ModelProto, rng: Rng) -> None:
    node = model.graph.node[0]
    names = [choose(rng, ("X", "scales", "sizes", "", "Y")) for _ in range(rng.integers(5))]
    del node.input[:]
    node.input.extend(names)


def spoil_outputs(model: onnx.ModelProto, rng: Rng) -> None:
    del model.graph.node[0].output[:]
    model.graph.node[0].output.extend(["Y", "Z", ""][: rng.integers(4)])


def spoil_type(model: onnx.ModelProto, rng: Rng) -> None:
    value = choose(rng, [*model.graph.input, *model.graph.output])
    value.type.tensor_type.elem_type = choose(rng, TYPES)


def spoil_shape(model: onnx.ModelProto, rng: Rng) -> None:
    value = choose(rng, [*model.graph.input, *model.graph.output])
    dims = [choose(rng, (0, 1, 3, 5, 6, 2**40, -1, "N", None)) for _ in range(rng.integers(7))]
    elem_type = value.type.tensor_type.elem_type
    value.CopyFrom(helper.make_tensor_value_info(value.name, elem_type, dims))


def spoil_constant(model: onnx.ModelProto, rng: Rng) -> None:
    if not model.graph.initializer:
        return
    tensor = model.graph.initializer[0]
    length = int(rng.integers(7))
    dims = choose(rng, ([length], [length, 1], [1, length], [length] if length != 1 else []))
    values = NUMBERS if tensor.data_type == TensorProto.FLOAT else INTEGERS
    content = [choose(rng, values) for _ in range(length)]
    tensor.CopyFrom(helper.make_tensor(tensor.name, tensor.data_type, dims, content))


def spoil_operator(model: onnx.ModelProto, rng: Rng) -> None:
    model.graph.node[0].op_type = choose(
        rng, ("DynamicUpscale", "DynamicUpscaleToSizes", "DynamicDownscale", "Upsample", "")
    )


FAULTS: tuple[Callable[[onnx.ModelProto, Rng], None], ...] = (
    spoil_attribute,
    spoil_inputs,
    spoil_outputs,
    spoil_type,
    spoil_shape,
    spoil_constant,
    spoil_operator,
)
NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def feed(session: onnxruntime.InferenceSession, rng: Rng) -> dict[str, Any]:
    """Arrays of the types that the session asks for, with shapes and values as may be."""
    arrays = {}
    for value in session.get_inputs():
        dtype = NUMPY_TYPES.get(value.type, np.float32)
        if value.name == "X":
            shape = [1, 3, 5, 6]
            if rng.random() < 0.3:
                shape = [choose(rng, (0, 1, 3, 5, 6)) for _ in range(rng.integers(7))]
            arrays["X"] = np.ones(shape, dtype)
        else:
            values = INTEGERS if np.issubdtype(dtype, np.integer) else NUMBERS
            content = [1, 3, 8, 9] if value.name == "sizes" else [1, 1, 2.7, 1.4]
            if rng.random() < 0.5:
                content = [choose(rng, values) for _ in range(rng.integers(7))]
            with np.errstate(all="ignore"):
                arrays[value.name] = np.array(content).astype(dtype)
    return arrays


def open_session(model: onnx.ModelProto, provider: bool) -> onnxruntime.InferenceSession:
    """With the custom operators, or by the execution provider."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    if provider:
        providers.insert(0, sr_ops.onnx.register_provider())
    else:
        options.register_custom_ops_library(sr_ops.get_library_path())
    content = model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, providers, disable_fallback=["1"])


def outcome(model: onnx.ModelProto, rng: Rng, provider: bool) -> str:
    """ "refused" when loaded, "failed" when run, or "ran"."""
    try:
        session = open_session(model, provider)
    except Exception as error:
        expect_runtime_error(error)
        return "refused"
    try:
        session.run(None, feed(session, rng))
    except Exception as error:
        expect_runtime_error(error)
        return "failed"
    return "ran"


def expect_runtime_error(error: Exception) -> None:
    """ONNX Runtime's own exceptions, and what its Python layer raises about the feed."""
    if type(error).__module__.startswith("onnxruntime") or isinstance(
        error, (ValueError, RuntimeError)
    ):
        return
    raise error


def main(count: int, seed: int = 0, *, provider: bool = False) -> dict[str, int]:
    """Try ``count`` models."""
    outcomes = {"refused": 0, "failed": 0, "ran": 0}
    for number in range(count):
        print(number, file=sys.stderr, flush=True)
        rng = np.random.default_rng((seed, number))
        model = sound_resize(rng) if provider else sound_model(rng)
        for _ in range(rng.integers(3)):
            choose(rng, FAULTS)(model, rng)
        outcomes[outcome(model, rng, provider)] += 1
        if number % 100 == 99:
            check_sound_model(provider)
    return outcomes


def check_sound_model(provider: bool) -> None:
    """What came before has not spoilt the library."""
    op, request = ("Resize", ["X", "", "scales"]), [1, 1, 2.7, 2.7]
    if not provider:
        op, request = ("DynamicUpscale", ["X", "scales"]), [2.7]
    attributes = {"mode": "cubic"} if provider else {"domain": "sr_ops"}
    model = sound_model(np.random.default_rng(0))
    del model.graph.input[:], model.graph.initializer[:]
    model.graph.input.append(helper.make_tensor_value_info("X", TensorProto.FLOAT, None))
    model.graph.input.append(helper.make_tensor_value_info("scales", TensorProto.FLOAT, None))
    model.graph.node[0].CopyFrom(helper.make_node(*op, ["Y"], **attributes))
    x = np.random.default_rng(1).standard_normal((1, 3, 5, 6)).astype(np.float32)
    session = open_session(model, provider)
    (y,) = session.run(None, {"X": x, "scales": np.array(request, np.float32)})
    np.testing.assert_allclose(y, reference.dynamic_upscale(x, 2.7), atol=3e-6)


def limit_memory() -> None:
    """Let absurd allocations fail instead of filling the machine."""
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + HEADROOM, size + HEADROOM))


if __name__ == "__main__":
    limit_memory()
    numbers = [int(argument) for argument in sys.argv[1:3]]
    print(main(*numbers, provider="provider" in sys.argv[3:]))

"""Models, inputs and expected results for the runtime matrix, written into a folder.

The expected results come from the numpy front end: every ONNX Runtime has to give the same bits.
The models use IR version 8 and opset 19, which the oldest runtime of the matrix reads. bfloat16 is
cast inside the model, since numpy cannot hand it to a session.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper

import sr_ops.numpy
from sr_ops.onnx import add_functions

DTYPES = {
    "float32": np.float32,
    "float64": np.float64,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "uint8": np.uint8,
    "int8": np.int8,
}
ONNX_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
}
#: Of the function against the kernel: the runtime's Resize computes coordinates in float32, and
#: half-precision results may be rounded one step apart.
TOLERANCES = {
    "float32": 1e-4,
    "float64": 1e-4,
    "float16": 4e-3,
    "bfloat16": 4e-2,
    "uint8": 1,
    "int8": 1,
}
MODES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
)
SHAPES = {2: (11, 9), 3: (3, 11, 9), 4: (2, 3, 11, 9)}
SIZES = (29, 12)

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """One node in a model, and what to feed it.

    Attributes:
        constant: None, or the second input is an initializer and the image's shape is "dynamic" or
            "fixed".
        inside_if: the node stands in both branches of an If.
        half_scales: the scales are float16, as converters of finished files leave them.
    """

    op: str = "DynamicUpscale"
    dtype: str = "float32"
    rank: int = 4
    scales: tuple[float, float] = (2.7, 1.4)
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    constant: str | None = None
    inside_if: bool = False
    half_scales: bool = False

    @property
    def name(self) -> str:
        """Unique among the cases; a file name."""
        parts = [self.op, self.dtype, f"rank{self.rank}"]
        if self.constant:
            parts.append(f"constant_{self.constant}_shape")
        if self.inside_if:
            parts.append("inside_if")
        if self.half_scales:
            parts.append("half_scales")
        for key, value in self.attributes.items():
            parts += [value] if key == "coordinate_transformation_mode" else [key] if value else []
        return "-".join(parts)

    @property
    def request(self) -> tuple[str, Array]:
        """Name and value of the second input."""
        if self.op == "DynamicUpscale":
            dtype = np.float16 if self.half_scales else np.float32
            return "scales", np.array([1, 1, *self.scales][-self.rank :], dtype)
        return "sizes", np.array([*SHAPES[self.rank][:-2], *SIZES], np.int64)

    def image(self) -> Array:
        """Over the whole range of integers; floating-point numbers in -1 ... 1."""
        rng = np.random.default_rng(self.rank)
        shape, dtype = SHAPES[self.rank], DTYPES[self.dtype]
        if self.dtype in ("uint8", "int8"):
            limits = np.iinfo(dtype)
            return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        return rng.uniform(-1, 1, shape).astype(dtype)

    def arrays(self) -> dict[str, Array]:
        """The inputs by name, and "expected"."""
        x = self.image()
        target: dict[str, Any] = {"size": SIZES}
        if self.op == "DynamicUpscale":
            target = {"scale": self.scales}
        batch = x.reshape((1,) * (4 - self.rank) + x.shape)
        expected = sr_ops.numpy.dynamic_upscale(batch, **target, **self.attributes)
        expected = expected.reshape(x.shape[:-2] + expected.shape[-2:])
        if self.dtype == "bfloat16":
            x, expected = x.astype(np.float32), expected.astype(np.float32)
        arrays = {"X": x, "expected": expected}
        if not self.constant:
            arrays.update([self.request])
        if self.inside_if:
            arrays["condition"] = np.array(True)
        return arrays

    def model(self) -> onnx.ModelProto:
        """With its function."""
        casts = self.dtype == "bfloat16"
        outside = TensorProto.FLOAT if casts else ONNX_TYPES[self.dtype]
        request, values = self.request
        dims: list[Any] = [f"x{axis}" for axis in range(self.rank)]
        if self.constant == "fixed":
            dims = list(SHAPES[self.rank])
        inputs = [helper.make_tensor_value_info("X", outside, dims)]
        initializers = []
        request_type = helper.np_dtype_to_tensor_dtype(values.dtype)
        if self.constant:
            initializers.append(helper.make_tensor(request, request_type, values.shape, values))
        else:
            inputs.append(helper.make_tensor_value_info(request, request_type, values.shape))
        image, result = ("image", "result") if casts else ("X", "Y")
        attributes = {k: int(v) if isinstance(v, bool) else v for k, v in self.attributes.items()}
        node = helper.make_node(self.op, [image, request], [result], domain="sr_ops", **attributes)
        nodes = [node]
        if casts:
            nodes.insert(0, helper.make_node("Cast", ["X"], [image], to=TensorProto.BFLOAT16))
            nodes.append(helper.make_node("Cast", [result], ["Y"], to=TensorProto.FLOAT))
        outputs = [helper.make_tensor_value_info("Y", outside, [f"y{i}" for i in range(self.rank)])]
        graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers)
        opsets = [helper.make_opsetid("", 19), helper.make_opsetid("sr_ops", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return add_functions(_inside_if(model) if self.inside_if else model)

    def resize_model(self) -> onnx.ModelProto:
        """The same by the standard Resize, for the execution provider."""
        model = self.model()
        del model.functions[:]
        del model.opset_import[1:]
        graphs = [model.graph]
        graphs += [a.g for node in model.graph.node for a in node.attribute if a.HasField("g")]
        for graph in graphs:
            for node in graph.node:
                if node.domain == "sr_ops":
                    image, request = node.input
                    sizes = node.op_type == "DynamicUpscaleToSizes"
                    del node.input[:]
                    node.input.extend([image, "", "", request] if sizes else [image, "", request])
                    node.op_type, node.domain = "Resize", ""
                    node.attribute.append(helper.make_attribute("mode", "cubic"))
        if self.half_scales:  # which Resize does not take
            model.graph.node[0].input[2] = "widened"
            cast = helper.make_node("Cast", ["scales"], ["widened"], to=TensorProto.FLOAT)
            model.graph.node.insert(0, cast)
        return model


def all_cases() -> list[Case]:
    """Every dtype, rank, operator and combination of attributes."""
    cases = []
    for op in ("DynamicUpscale", "DynamicUpscaleToSizes"):
        cases += [Case(op, dtype, rank) for dtype in DTYPES for rank in SHAPES]
        cases += [Case(op, constant=constant) for constant in ("dynamic", "fixed")]
    for mode, antialias, exclude_outside in itertools.product(MODES, (False, True), (False, True)):
        attributes = {
            "coordinate_transformation_mode": mode,
            "antialias": antialias,
            "exclude_outside": exclude_outside,
            "cubic_coeff_a": -0.5,
        }
        cases.append(Case(scales=(0.6, 1.4), attributes=attributes))
    for dtype in ("float32", "float16", "uint8"):
        cases.append(Case(dtype=dtype, scales=(2.75, 1.5), half_scales=True))
    return [*cases, Case(inside_if=True)]


def write_cases(folder: Path) -> None:
    """Write ``manifest.json`` and, for each of its cases, a model and its arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for case in all_cases():
        onnx.save(case.model(), str(folder / f"{case.name}.onnx"))
        onnx.save(case.resize_model(), str(folder / f"{case.name}-resize.onnx"))
        np.savez(folder / f"{case.name}.npz", **case.arrays())  # type: ignore[arg-type]
        manifest.append({"name": case.name, "op": case.op, "tolerance": TOLERANCES[case.dtype]})
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


def write_web_cases(folder: Path) -> None:
    """Write ``web.json``: the manifest with every array in it, for a reader without numpy."""
    cases = json.loads((folder / "manifest.json").read_text())
    for case in cases:
        with np.load(folder / f"{case['name']}.npz") as data:
            case["feed"] = {name: _plain(data[name]) for name in data.files}
        case["expected"] = case["feed"].pop("expected")
    (folder / "web.json").write_text(json.dumps(cases))


def _plain(array: Array) -> dict[str, Any]:
    dtype = array.dtype.name
    values = array.view(np.uint16) if dtype == "float16" else array
    return {"dtype": dtype, "dims": list(array.shape), "data": values.ravel().tolist()}


def _inside_if(model: onnx.ModelProto) -> onnx.ModelProto:
    node = model.graph.node[0]
    branches = {}
    for name in ("then_branch", "else_branch"):
        inner = onnx.NodeProto()
        inner.CopyFrom(node)
        inner.output[0] = "inner"
        output = helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)
        branches[name] = helper.make_graph([inner], name, [], [output])
    model.graph.input.append(helper.make_tensor_value_info("condition", TensorProto.BOOL, []))
    del model.graph.node[:]
    model.graph.node.append(helper.make_node("If", ["condition"], ["Y"], **branches))
    return model

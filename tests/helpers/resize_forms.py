"""Ways to write a cubic Resize: what must convert, with the expected results."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr_ops import reference

OURS = {"DynamicUpscale", "DynamicUpscaleToSizes"}
RANGES = {TensorProto.UINT8: (0, 255), TensorProto.INT8: (-128, 127)}
#: Half a step of the type near its largest result; float32: ONNX Runtime's coordinates.
TOLERANCES = {
    TensorProto.FLOAT16: 0.07,
    TensorProto.BFLOAT16: 0.51,
    TensorProto.UINT8: 0.501,
    TensorProto.INT8: 0.501,
}
MODES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]


@dataclasses.dataclass
class Form:
    """One way to write a cubic Resize of (…, 9, 11) to (18, 33)."""

    name: str
    opset: int = 18
    scales: str | None = "constant"  # or "input", "node", "computed"
    sizes: str | None = None
    shape: tuple[int, ...] = (1, 3, 9, 11)
    dtype: int = TensorProto.FLOAT
    axes: tuple[int, ...] | None = None
    roi: bool = False
    attributes: dict = dataclasses.field(default_factory=dict)

    def __str__(self):
        return f"{self.opset}: {self.name}"

    @property
    def extent(self):
        factors = {-2: 2, -1: 3}
        axes = self.axes or range(-len(self.shape), 0)
        from_end = [axis if axis < 0 else axis - len(self.shape) for axis in axes]
        if self.sizes:
            return np.array([self.shape[a] * factors.get(a, 1) for a in from_end], np.int64)
        return np.array([factors.get(a, 1) for a in from_end], np.float32)


FORMS = [
    *(Form(f"constant scales, {mode}", attributes={"coordinate_transformation_mode": mode})
      for mode in MODES),
    Form("half_pixel_symmetric", 19, attributes={
        "coordinate_transformation_mode": "half_pixel_symmetric"}),
    *(Form(f"scales: {how}", opset, scales=how)
      for opset, how in itertools.product([11, 13, 18, 19, 22], ["constant", "input", "node"])),
    *(Form(f"sizes: {how}", opset, scales=None, sizes=how)
      for opset, how in itertools.product([11, 13, 18, 19], ["constant", "input", "computed"])),
    Form("roi is given and ignored", 11, roi=True),
    Form("roi is given and ignored", 13, roi=True),
    Form("cubic_coeff_a", attributes={"cubic_coeff_a": -0.5}),
    Form("exclude_outside", attributes={"exclude_outside": 1}),
    Form("antialias", attributes={"antialias": 1, "cubic_coeff_a": -0.5, "exclude_outside": 1}),
    Form("two axes", shape=(9, 11)),
    Form("axes from the end", axes=(-2, -1)),
    Form("axes from the front", axes=(2, 3)),
    Form("axes in the other order", axes=(3, 2)),
    Form("axes in the other order, fed", axes=(-1, -2), scales="input"),
    Form("all axes named", axes=(0, 1, 2, 3)),
    Form("more axes than needed", axes=(1, 2, 3)),
    Form("sizes for named axes", axes=(-2, -1), scales=None, sizes="input"),
    Form("sizes for named axes in the other order", axes=(3, 2), scales=None, sizes="constant"),
    Form("float16", dtype=TensorProto.FLOAT16),
    Form("float16, sizes", dtype=TensorProto.FLOAT16, scales=None, sizes="input"),
]  # fmt: skip

#: Forms that ONNX allows and ONNX Runtime's own Resize does not run.
OURS_ONLY = [
    Form("three axes", shape=(3, 9, 11)),
    Form("three axes, sizes", shape=(3, 9, 11), scales=None, sizes="input"),
    Form("one axis", axes=(3,)),
    Form("one axis, sizes", axes=(-2,), scales=None, sizes="constant"),
    Form("float64", dtype=TensorProto.DOUBLE),
    Form("bfloat16", dtype=TensorProto.BFLOAT16),
    Form("uint8", dtype=TensorProto.UINT8),
    Form("int8", dtype=TensorProto.INT8),
    Form("uint8, sizes", dtype=TensorProto.UINT8, scales=None, sizes="input"),
    Form("float64", 11, dtype=TensorProto.DOUBLE),
    Form("uint8", 11, dtype=TensorProto.UINT8),
]


def build(form: Form) -> onnx.ModelProto:
    """Cast to the form's type, Resize, and cast back to float32, so that numpy can feed all."""
    nodes = [helper.make_node("Cast", ["x"], ["cast"], to=form.dtype)]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * len(form.shape))]
    initializers = []
    how = form.scales or form.sizes
    if how == "constant":
        initializers.append(numpy_helper.from_array(form.extent, "extent"))
    elif how == "node":
        value = numpy_helper.from_array(form.extent)
        nodes.append(helper.make_node("Constant", [], ["extent"], value=value))
    elif how == "input":
        dtype = helper.np_dtype_to_tensor_dtype(form.extent.dtype)
        inputs.append(helper.make_tensor_value_info("extent", dtype, [len(form.extent)]))
    else:  # what exporters write: sizes = (image's own) * (1, 1, 2, 3)
        initializers.append(numpy_helper.from_array(np.array([1, 1, 2, 3]), "factors"))
        nodes.append(helper.make_node("Shape", ["cast"], ["shape"]))
        nodes.append(helper.make_node("Mul", ["shape", "factors"], ["extent"]))
    roi = empty = ""
    if form.opset < 13:
        initializers.append(numpy_helper.from_array(np.zeros(0, np.float32), "empty"))
        roi = empty = "empty"
    if form.roi:
        box = np.array([0, 0, 0.25, 0.25, 1, 1, 0.75, 0.75], np.float32)
        initializers.append(numpy_helper.from_array(box, "roi"))
        roi = "roi"
    names = ["cast", roi, "extent"] if form.scales else ["cast", roi, empty, "extent"]
    attributes = {**form.attributes, **({"axes": form.axes} if form.axes else {})}
    nodes.append(
        helper.make_node("Resize", names, ["resized"], name="resize", mode="cubic", **attributes)
    )
    nodes.append(helper.make_node("Cast", ["resized"], ["y"], to=TensorProto.FLOAT))
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * len(form.shape))
    graph = helper.make_graph(nodes, "graph", inputs, [output], initializers)
    imports = [helper.make_opsetid("", form.opset)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    return model


def feeds_of(form, rng):
    x = rng.uniform(0, 100, form.shape).astype(np.float32)
    if form.dtype in (TensorProto.UINT8, TensorProto.INT8):
        x = np.round(x)
    feeds = {"x": x}
    if "input" in (form.scales, form.sizes):
        feeds["extent"] = form.extent
    return feeds


def expected(form, x):
    stored = x.astype(helper.tensor_dtype_to_np_dtype(form.dtype)).astype(np.float64)
    shape = stored.shape
    scale_or_size = {"scale": (2, 3)}
    if form.sizes:
        scale_or_size = {"size": (shape[-2] * 2, shape[-1] * 3)}
    if form.axes and len(form.axes) == 1:
        last = form.axes[0] in (-1, len(shape) - 1)
        if form.sizes:
            size = (shape[-2], shape[-1] * 3) if last else (shape[-2] * 2, shape[-1])
            scale_or_size = {"size": size}
        else:
            scale_or_size = {"scale": (1, 3) if last else (2, 1)}
    y = reference.dynamic_upscale(stored, **scale_or_size, **form.attributes)
    return np.clip(y, *RANGES.get(form.dtype, (-np.inf, np.inf)))


def tolerance(form):
    return TOLERANCES.get(form.dtype, 1e-3)


def text_model(body, *, inputs="float[1,3,9,11] x", opset=18, initializers=""):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}]> graph ({inputs}) => (float[a,b,c,d] y) '
        f"<float[4] s = {{1, 1, 2, 2}} {initializers}> {{ {body} }}"
    )

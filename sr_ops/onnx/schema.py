"""The two ONNX operators of the domain ``sr_ops``: names, attributes, types, schemas.

Attributes, their defaults and their meaning are those of ONNX ``Resize`` (opset 19) with
``mode="cubic"``.
"""

from __future__ import annotations

import onnx
import onnx.defs

__all__ = [
    "ATTRIBUTES",
    "DOMAIN",
    "FLOAT_TYPES",
    "INTEGER_RANGES",
    "OPERATORS",
    "SCALES_OP",
    "SIZES_OP",
    "VERSION",
    "register_schemas",
]

DOMAIN = "sr_ops"
VERSION = 1

#: ``DynamicUpscale(X, scales)``: the output size follows from the scales.
SCALES_OP = "DynamicUpscale"
#: ``DynamicUpscaleToSizes(X, sizes)``: the scales follow from the output size.
SIZES_OP = "DynamicUpscaleToSizes"
OPERATORS = (SCALES_OP, SIZES_OP)

#: Attribute -> default.
ATTRIBUTES: dict[str, str | float | int] = {
    "coordinate_transformation_mode": "half_pixel",
    "cubic_coeff_a": -0.75,
    "exclude_outside": 0,
    "antialias": 0,
}

FLOAT_TYPES = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
)
#: Integer element type -> the range that results are clamped to.
INTEGER_RANGES = {onnx.TensorProto.UINT8: (0, 255), onnx.TensorProto.INT8: (-128, 127)}

_TYPE_STRINGS = [
    f"tensor({onnx.TensorProto.DataType.Name(dtype).lower()})"
    for dtype in (*FLOAT_TYPES, *INTEGER_RANGES)
]

_DOCUMENTATION = """\
Resamples the last two axes of X with the Keys cubic kernel: ONNX Resize (opset 19, mode "cubic")
in exact coordinates. X has 2, 3 or 4 axes. Integers are rounded half to even and clamped.
"""


def _schema(op: str) -> onnx.defs.OpSchema:
    parameter = onnx.defs.OpSchema.FormalParameter
    if op == SCALES_OP:
        extent = parameter(
            "scales",
            "tensor(float)",
            "1 element, 2 (height, width), or one for each axis of X, the leading ones being 1. "
            "The output size is trunc(float32(n) * scale), a float32 product.",
        )
    else:
        extent = parameter(
            "sizes",
            "tensor(int64)",
            "2 elements (height, width), or one for each axis of X, the leading ones being X's own.",
        )
    return onnx.defs.OpSchema(
        op,
        DOMAIN,
        VERSION,
        doc=_DOCUMENTATION,
        inputs=[parameter("X", "T", "The image."), extent],
        outputs=[parameter("Y", "T", "The resampled image.")],
        type_constraints=[("T", _TYPE_STRINGS, "What sr_ops resamples.")],
        attributes=[
            onnx.defs.OpSchema.Attribute(
                name, onnx.helper.make_attribute(name, default), "As in ONNX Resize."
            )
            for name, default in ATTRIBUTES.items()
        ],
    )


def _infer_type_and_rank(context: onnx.shape_inference.InferenceContext) -> None:
    """Y has X's element type and leading dimensions; its spatial dimensions stay open."""
    source = context.get_input_type(0)
    if source is None or not source.HasField("tensor_type"):
        return
    result = onnx.TypeProto()
    result.tensor_type.elem_type = source.tensor_type.elem_type
    if source.tensor_type.HasField("shape"):
        dims = source.tensor_type.shape.dim
        result.tensor_type.shape.dim.extend(dims[:-2])
        for _ in range(min(2, len(dims))):
            result.tensor_type.shape.dim.add()
    context.set_output_type(0, result)


def register_schemas() -> None:
    """Teach onnx's checker and shape inference the operators of the domain ``sr_ops``.

    For this process. Models that carry the function of the operator, as all models that sr_ops
    writes do, need no registration. Calling it again changes nothing.

    >>> register_schemas()
    >>> onnx.defs.get_schema("DynamicUpscale", 1, "sr_ops").min_input
    2
    """
    for op in OPERATORS:
        if onnx.defs.has(op, DOMAIN):
            continue
        schema = _schema(op)
        schema.set_type_and_shape_inference_function(_infer_type_and_rank)
        onnx.defs.register_schema(schema)

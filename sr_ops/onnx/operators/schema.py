"""The two ONNX operators of the domain ``sr_ops``: names, attributes, types, schemas.

Attributes, their defaults and their meaning are those of ONNX ``Resize`` (opset 19) with
``mode="cubic"``; ``rounding`` is our own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import onnx
import onnx.defs

from sr_ops import _arguments

__all__ = [
    "ATTRIBUTES",
    "DOMAIN",
    "FLOAT_TYPES",
    "INTEGER_RANGES",
    "OPERATORS",
    "SCALES_OP",
    "SCALE_TYPES",
    "SIZES_OP",
    "VERSION",
    "op_schema",
    "register_schemas",
    "registered_schemas",
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
    "cubic_coeff_a": _arguments.DEFAULT_CUBIC_COEFF_A,
    "exclude_outside": 0,
    "antialias": 0,
    "rounding": _arguments.DEFAULT_ROUNDING,
}
#: In the documentation of the schemas; of the others: as in ONNX Resize.
_ABOUT = {
    "rounding": "How integers come about. exact: rounded once, half to even, and clamped. pillow: "
    "the bytes of Pillow's Image.resize(BICUBIC), for uint8 and half_pixel; cubic_coeff_a -0.5, "
    "exclude_outside and antialias are implied, and coordinates follow from the sizes.",
}

FLOAT_TYPES: tuple[int, ...] = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
)
#: Of ``scales``. A scale is a float32; the others are what converters to half precision make of it.
SCALE_TYPES: tuple[int, ...] = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
)
#: Integer element type -> the range that results are clamped to.
INTEGER_RANGES: dict[int, tuple[int, int]] = {
    onnx.TensorProto.UINT8: (0, 255),
    onnx.TensorProto.INT8: (-128, 127),
}


def _type_strings(*dtypes: int) -> list[str]:
    return [f"tensor({onnx.TensorProto.DataType.Name(dtype).lower()})" for dtype in dtypes]


#: onnx.defs is one table for the whole process.
_registration = threading.RLock()

_DOCUMENTATION = """\
Resamples the last two axes of X with the Keys cubic kernel: ONNX Resize (opset 19, mode "cubic")
in exact coordinates. X has 2, 3 or 4 axes.
"""


def op_schema(op: str) -> onnx.defs.OpSchema:
    """The schema of one of ``OPERATORS``, not registered."""
    parameter = onnx.defs.OpSchema.FormalParameter
    if op == SCALES_OP:
        extent = parameter(
            "scales",
            "S",
            "1 element, 2 (height, width), or one for each axis of X, the leading ones being 1. "
            "The output size is trunc(float32(n) * scale), a float32 product.",
        )
        extent_types = [("S", _type_strings(*SCALE_TYPES), "A float32, or what becomes one.")]
    else:
        extent = parameter(
            "sizes",
            "tensor(int64)",
            "2 elements (height, width), or one for each axis of X, the leading ones being X's.",
        )
        extent_types = []
    return onnx.defs.OpSchema(
        op,
        DOMAIN,
        VERSION,
        doc=_DOCUMENTATION,
        inputs=[parameter("X", "T", "The image."), extent],
        outputs=[parameter("Y", "T", "The resampled image.")],
        type_constraints=[
            ("T", _type_strings(*FLOAT_TYPES, *INTEGER_RANGES), "What sr_ops resamples."),
            *extent_types,
        ],
        attributes=[
            onnx.defs.OpSchema.Attribute(
                name,
                onnx.helper.make_attribute(name, default),
                _ABOUT.get(name, "As in ONNX Resize."),
            )
            for name, default in ATTRIBUTES.items()
        ],
    )


def _infer(context: onnx.shape_inference.InferenceContext) -> None:
    """Y has X's element type and leading dimensions, and spatial ones where these are constants."""
    source = context.get_input_type(0)
    if source is None or not source.HasField("tensor_type"):
        return
    result = onnx.TypeProto()
    result.tensor_type.elem_type = source.tensor_type.elem_type
    if source.tensor_type.HasField("shape"):
        dims = source.tensor_type.shape.dim
        result.tensor_type.shape.dim.extend(dims[:-2])
        extent = context.get_input_data(1)
        for dim, factor_or_size in zip(dims[-2:], _last_two(extent), strict=True):
            known = _extent(dim, factor_or_size)
            result.tensor_type.shape.dim.add(dim_value=known)
    context.set_output_type(0, result)


def _last_two(extent: onnx.TensorProto | None) -> list[float | None]:
    values = [] if extent is None else onnx.numpy_helper.to_array(extent).reshape(-1).tolist()
    return [values[-min(2, len(values))], values[-1]] if values else [None, None]


def _extent(dim: onnx.TensorShapeProto.Dimension, factor_or_size: float | None) -> int | None:
    if isinstance(factor_or_size, int):
        return factor_or_size
    if factor_or_size is None or not dim.HasField("dim_value"):
        return None
    return _arguments.output_size(dim.dim_value, factor_or_size)


def register_schemas() -> None:
    """Teach onnx's checker and shape inference the operators of the domain ``sr_ops``.

    For this process. Models that carry the function of the operator, as all models that sr_ops
    writes do, need no registration. Calling it again changes nothing.

    >>> register_schemas()
    >>> onnx.defs.get_schema("DynamicUpscale", 1, "sr_ops").min_input
    2
    """
    with _registration:
        _register_missing()


def _register_missing() -> list[str]:
    missing = [op for op in OPERATORS if not onnx.defs.has(op, DOMAIN)]
    for op in missing:
        schema = op_schema(op)
        schema.set_type_and_shape_inference_function(_infer)
        onnx.defs.register_schema(schema)
    return missing


@contextlib.contextmanager
def registered_schemas() -> Iterator[None]:
    """The operators are known to onnx inside, and afterwards only if they were before."""
    with _registration:
        added = _register_missing()
        try:
            yield
        finally:
            for op in added:
                onnx.defs.deregister_schema(op, VERSION, DOMAIN)

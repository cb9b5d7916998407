"""What torch's default ONNX exporter writes for the torch operators of sr_ops.

The exporter calls a translation with symbolic tensors for tensor arguments and plain Python values
for the others, and records the onnxscript operators that it calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxscript
import torch
from onnx import TensorProto, numpy_helper

from sr_ops._torch import aten_bicubic, library
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.flavours import check_flavour
from sr_ops.onnx.operators.schema import (
    DOMAIN,
    OPERATORS,
    SCALES_OP,
    SIZES_OP,
    VERSION,
    op_schema,
)

__all__ = ["translation_table"]

#: The exporter's own operator library is written in this version; later ones understand it.
_OPSET = 18


def translation_table(op: str = SCALES_OP) -> dict[Callable[..., Any], Callable[..., Any]]:
    """What ``torch.onnx.export(..., custom_translation_table=...)`` needs for bicubic upscaling.

    It covers the operators of sr_ops, and those of torch behind ``torch.nn.functional.interpolate``
    with ``mode="bicubic"``, antialiased or not. A scale factor of these becomes a float32 factor of
    the model, and output sizes follow ONNX's rule, which differs for about one size in 400.

    A model with ``op="DynamicUpscale"`` runs without the sr_ops library only after
    ``sr_ops.onnx.add_functions``; ``sr_ops.onnx.export`` does both.

    Args:
        op: ``"DynamicUpscale"`` for the custom domain (``DynamicUpscale`` where the model gives a
            scale, ``DynamicUpscaleToSizes`` where it gives a size), ``"Resize"`` for the standard
            operator.

    Returns:
        torch operator -> onnxscript translation.

    Raises:
        InvalidArgumentError: another op.

    >>> len(translation_table("Resize"))
    7
    """
    check_flavour(op)
    write = _write_resize if op == "Resize" else _write_custom

    # The exporter reads an annotation of x, scale or size as an ONNX type.
    def dynamic_upscale(  # type: ignore[no-untyped-def]  # noqa: PLR0917
        x,
        scale,
        coordinate_transformation_mode: int,
        cubic_coeff_a: float,
        antialias: bool,
        exclude_outside: bool,
        rounding: int = 0,
    ):
        attributes = standard_form.attribute_values(
            coordinate_transformation_mode, cubic_coeff_a, antialias, exclude_outside, rounding
        )
        return write(x, _scales(scale), None, attributes)

    def dynamic_upscale_of_known_size(  # type: ignore[no-untyped-def]  # noqa: PLR0917
        x,
        scale,
        size,
        coordinate_transformation_mode: int,
        cubic_coeff_a: float,
        antialias: bool,
        exclude_outside: bool,
    ):
        return dynamic_upscale(
            x, scale, coordinate_transformation_mode, cubic_coeff_a, antialias, exclude_outside
        )

    def dynamic_upscale_to_size(  # type: ignore[no-untyped-def]  # noqa: PLR0917
        x,
        size,
        scale_h: float | None,
        scale_w: float | None,
        coordinate_transformation_mode: int,
        cubic_coeff_a: float,
        antialias: bool,
        exclude_outside: bool,
        rounding: int = 0,
    ):
        attributes = standard_form.attribute_values(
            coordinate_transformation_mode, cubic_coeff_a, antialias, exclude_outside, rounding
        )
        if scale_h is None or scale_w is None:
            return write(x, None, _sizes(x, size), attributes)
        scales = np.array([1, 1, scale_h, scale_w], dtype=np.float32)
        return write(x, _Writer().constant(scales), None, attributes)

    return {
        library.dynamic_upscale: dynamic_upscale,
        library.dynamic_upscale_to_size: dynamic_upscale_to_size,
        library.dynamic_upscale_of_known_size: dynamic_upscale_of_known_size,
        **_aten_table(write),
    }


def _aten_table(write: Callable[..., Any]) -> dict[Callable[..., Any], Callable[..., Any]]:
    """Translations of what ``torch.nn.functional.interpolate`` calls for bicubic."""

    def upscale(x: Any, size: Any, factors: Any, align_corners: bool, antialias: bool) -> Any:
        attributes = standard_form.attribute_values(
            *aten_bicubic.exportable(align_corners, antialias)
        )
        if factors is None or None in factors:
            return write(x, None, _sizes(x, size), attributes)
        scales = np.array([1, 1, *factors], dtype=np.float32)
        return write(x, _Writer().constant(scales), None, attributes)

    def vector(antialias: bool) -> Callable[..., Any]:
        def translate(  # type: ignore[no-untyped-def]
            x,
            output_size,
            align_corners: bool,
            scale_factors: Sequence[float] | None = None,
        ):
            return upscale(x, output_size, scale_factors, align_corners, antialias)

        return translate

    def default(antialias: bool) -> Callable[..., Any]:
        def translate(  # type: ignore[no-untyped-def]
            x,
            output_size,
            align_corners: bool,
            scales_h: float | None = None,
            scales_w: float | None = None,
        ):
            return upscale(x, output_size, (scales_h, scales_w), align_corners, antialias)

        return translate

    aten = torch.ops.aten
    return {
        aten.upsample_bicubic2d.vec: vector(antialias=False),
        aten.upsample_bicubic2d.default: default(antialias=False),
        aten._upsample_bicubic2d_aa.vec: vector(antialias=True),
        aten._upsample_bicubic2d_aa.default: default(antialias=True),
    }


class _Writer:
    """Calls onnxscript operators."""

    opset = _OPSET

    def op(self, op_type: str, *inputs: Any, **attributes: Any) -> Any:
        version = self.opset
        if attributes.get("coordinate_transformation_mode") == "half_pixel_symmetric":
            version = 19
        return getattr(getattr(onnxscript, f"opset{version}"), op_type)(*inputs, **attributes)

    def constant(self, array: np.ndarray[Any, Any]) -> Any:
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(array)))


def _scales(scale: Any) -> Any:
    """[1, 1, scale_h, scale_w] float32 from a tensor of any shape and type."""
    writer = _Writer()
    shape = scale.shape
    if scale.dtype is None or scale.dtype.value != TensorProto.FLOAT:
        scale = writer.op("Cast", scale, to=TensorProto.FLOAT)
    if shape is None or len(shape) > 1:
        scale = writer.op("Reshape", scale, writer.constant(np.array([-1], dtype=np.int64)))
    elements: int | None = 1
    for extent in shape if shape is not None else (None,):
        elements = elements * extent if elements and isinstance(extent, int) else None
    return standard_form.full_scales(writer, scale, elements)


def _sizes(x: Any, size: Any) -> Any:
    """Sizes of all four axes from a tensor or from a list of integers and 0-d tensors."""
    writer = _Writer()
    if isinstance(size, Sequence):
        if all(isinstance(extent, int) for extent in size):
            size = writer.constant(np.array(size, dtype=np.int64))
        else:
            one = np.array([1], dtype=np.int64)
            parts = [
                writer.constant(one * extent)
                if isinstance(extent, int)
                else writer.op("Reshape", extent, writer.constant(one))
                for extent in size
            ]
            size = writer.op("Concat", *parts, axis=0)
    return standard_form.full_sizes(writer, x, size)


def _write_resize(x: Any, scales: Any, sizes: Any, attributes: dict[str, Any]) -> Any:
    dtype = TensorProto.FLOAT if x.dtype is None else x.dtype.value
    return standard_form.upscale(
        _Writer(), x, scales=scales, sizes=sizes, dtype=dtype, attributes=attributes
    )


def _write_custom(x: Any, scales: Any, sizes: Any, attributes: dict[str, Any]) -> Any:
    if sizes is None:
        return _custom_operators()[SCALES_OP](x, scales, **attributes)
    return _custom_operators()[SIZES_OP](x, sizes, **attributes)


def _custom_operators() -> dict[str, Callable[..., Any]]:
    domain = onnxscript.values.Opset(DOMAIN, VERSION)
    return {op: onnxscript.values.Op(domain, op, op_schema(op)) for op in OPERATORS}

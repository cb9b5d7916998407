"""The operators of sr_ops for onnx's ReferenceEvaluator: exact, slow, numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx.reference.op_run import OpRun

from sr_ops import reference
from sr_ops.errors import InvalidArgumentError
from sr_ops.onnx.operators.schema import DOMAIN, INTEGER_RANGES, SCALES_OP, SIZES_OP, op_schema

__all__ = ["DynamicUpscale", "DynamicUpscaleToSizes", "reference_ops"]


def reference_ops() -> list[type[OpRun]]:
    """What ``onnx.reference.ReferenceEvaluator(model, new_ops=...)`` needs for sr_ops' operators.

    Computed in float64 by ``sr_ops.reference`` and rounded once to the element type of the image.

    >>> from onnx.reference import ReferenceEvaluator
    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
    ...     "(float[H,W] X, float[2] scales) => (float[h,w] Y) "
    ...     "{ Y = sr_ops.DynamicUpscale(X, scales) }"
    ... )
    >>> evaluator = ReferenceEvaluator(onnx.parser.parse_model(text), new_ops=reference_ops())
    >>> feeds = {"X": np.ones((1, 1), np.float32), "scales": np.array([1, 2], np.float32)}
    >>> evaluator.run(None, feeds)[0].tolist()
    [[1.0, 1.0]]
    """
    return [DynamicUpscale, DynamicUpscaleToSizes]


class _Upscale(OpRun):
    op_domain = DOMAIN

    def _resample(self, x: Any, attributes: dict[str, Any], **scale_or_size: Any) -> tuple[Any]:
        y = reference.dynamic_upscale(
            x,
            **scale_or_size,
            coordinate_transformation_mode=attributes["coordinate_transformation_mode"],
            cubic_coeff_a=attributes["cubic_coeff_a"],
            antialias=bool(attributes["antialias"]),
            exclude_outside=bool(attributes["exclude_outside"]),
            rounding=attributes["rounding"],
        )
        integer_range = INTEGER_RANGES.get(onnx.helper.np_dtype_to_tensor_dtype(x.dtype))
        if integer_range is not None:
            y = np.clip(np.rint(y), *integer_range)
        return (y.astype(x.dtype),)


class DynamicUpscale(_Upscale):
    """``sr_ops::DynamicUpscale(X, scales)``."""

    op_schema = op_schema(SCALES_OP)

    def _run(self, x: Any, scales: Any, **attributes: Any) -> tuple[Any]:
        *outer, height, width = np.resize(scales, max(2, len(scales))).tolist()
        if any(scale != 1 for scale in outer):
            raise InvalidArgumentError(
                f"scales: got {scales.tolist()}, but only the last two axes can be resampled"
            )
        return self._resample(x, attributes, scale=(height, width))


class DynamicUpscaleToSizes(_Upscale):
    """``sr_ops::DynamicUpscaleToSizes(X, sizes)``."""

    op_schema = op_schema(SIZES_OP)

    def _run(self, x: Any, sizes: Any, **attributes: Any) -> tuple[Any]:
        *outer, height, width = sizes.tolist()
        if outer and outer != list(x.shape[:-2]):
            raise InvalidArgumentError(
                f"sizes: got {sizes.tolist()} for an image of shape {list(x.shape)}, but only the "
                "last two axes can be resampled"
            )
        return self._resample(x, attributes, size=(height, width))

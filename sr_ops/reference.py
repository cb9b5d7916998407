"""The operator in float64 and numpy only: short, slow, and what every door is judged against.

Written from the contract (ONNX ``Resize`` opset 19, ``mode="cubic"``, in exact coordinates; Keys,
"Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29(6), 1981), not
from the C++ code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr_ops import _arguments

__all__ = ["axis_matrix", "dynamic_upscale", "source_coordinates"]

Float64Array = NDArray[np.float64]


def source_coordinates(n_in: int, n_out: int, scale: float, mode: str) -> Float64Array:
    """Source coordinate of each output index, in source pixels: (n_out,) float64.

    >>> source_coordinates(2, 4, 2.0, "half_pixel").tolist()
    [-0.25, 0.25, 0.75, 1.25]
    """
    _arguments.parse_mode(mode)  # raises for one that does not exist
    i = np.arange(n_out, dtype=np.float64)
    if mode == "half_pixel":
        return (i + 0.5) / scale - 0.5
    if mode == "half_pixel_symmetric":
        adjustment = n_out / (scale * n_in)
        return n_in / 2 * (1 - adjustment) + (i + 0.5) / scale - 0.5
    if mode == "pytorch_half_pixel":
        return (i + 0.5) / scale - 0.5 if n_out > 1 else np.zeros(1)
    if mode == "align_corners":
        return i * (n_in - 1) / (n_out - 1) if n_out > 1 else np.zeros(1)
    return i / scale  # asymmetric


def _keys(x: Float64Array, a: float) -> Float64Array:
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def axis_matrix(
    n_in: int,
    n_out: int,
    scale: float,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    antialias: bool = False,
    exclude_outside: bool = False,
) -> Float64Array:
    """The resampling matrix of one axis: (n_out, n_in) float64; y = matrix @ x.

    Its transpose is the gradient. ``scale`` is the factor of the coordinate transformation.

    >>> axis_matrix(2, 2, 1.0).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    a = float(np.float32(cubic_coeff_a))
    stretched = antialias and scale < 1
    shrink = scale if stretched else 1.0
    reach = int(np.ceil(2 / shrink)) + 1  # source pixels; the kernel is zero beyond
    centres = source_coordinates(n_in, n_out, scale, coordinate_transformation_mode)[:, np.newaxis]
    taps = np.floor(centres).astype(np.int64) + np.arange(-reach, reach + 1)
    weights = _keys((centres - taps) * shrink, a)
    if exclude_outside:
        weights[(taps < 0) | (taps >= n_in)] = 0
    if exclude_outside or stretched:
        weights /= weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((n_out, n_in))
    rows = np.arange(n_out)[:, np.newaxis]
    np.add.at(matrix, (rows, np.clip(taps, 0, n_in - 1)), weights)
    return matrix


def dynamic_upscale(
    x: ArrayLike,
    scale: Any = None,
    *,
    size: Any = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    antialias: bool = False,
    exclude_outside: bool = False,
) -> Float64Array:
    """Resample the last two axes of ``x`` in float64, without rounding or clamping the result.

    Args:
        x: (..., H, W), any numeric dtype.
        scale: a number or (scale_h, scale_w), rounded to float32; or
        size: (H_out, W_out).

    Returns:
        (..., H_out, W_out) float64.

    >>> dynamic_upscale([[1.0, 1.0]], 2).tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """
    array = np.asarray(x, dtype=np.float64)
    height, width = array.shape[-2:]
    out_h, out_w, scale_h, scale_w = _arguments.resolve(height, width, scale, size)
    keywords: dict[str, Any] = {
        "coordinate_transformation_mode": coordinate_transformation_mode,
        "cubic_coeff_a": cubic_coeff_a,
        "antialias": antialias,
        "exclude_outside": exclude_outside,
    }
    rows = axis_matrix(height, out_h, scale_h, **keywords)
    columns = axis_matrix(width, out_w, scale_w, **keywords)
    return np.asarray(rows @ array @ columns.T)

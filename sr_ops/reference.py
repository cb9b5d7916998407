"""The operator in float64 and numpy only: short, slow, and what every front end is judged against.

Written from the contract (ONNX ``Resize`` opset 19, ``mode="cubic"``, in exact coordinates; Keys,
"Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29(6), 1981), not
from the C++ code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr_ops import _arguments
from sr_ops._arguments import DEFAULT_CUBIC_COEFF_A, DEFAULT_ROUNDING
from sr_ops._plain_arrays import plain_array
from sr_ops.errors import InvalidArgumentError

__all__ = ["axis_matrix", "dynamic_upscale", "pillow_axis_matrix", "source_coordinates"]

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


def _taps(
    n_in: int,
    n_out: int,
    scale: float,
    *,
    coordinate_transformation_mode: str,
    cubic_coeff_a: float,
    antialias: bool,
    exclude_outside: bool,
) -> tuple[NDArray[np.int64], Float64Array]:
    """What each output of an axis reads: source indices and weights, both (n_out, taps).

    Where taps are clamped to an edge, its index stands several times.
    """
    a = float(np.float32(cubic_coeff_a))
    stretched = antialias and scale < 1
    shrink = scale if stretched else 1.0
    reach = int(np.ceil(2 / shrink))  # source pixels; the kernel is zero beyond
    centres = source_coordinates(n_in, n_out, scale, coordinate_transformation_mode)[:, np.newaxis]
    taps = np.floor(centres).astype(np.int64) + np.arange(1 - reach, reach + 1)
    weights = _keys((centres - taps) * shrink, a)
    if exclude_outside:
        weights[(taps < 0) | (taps >= n_in)] = 0
    if exclude_outside or stretched:
        weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(taps, 0, n_in - 1), weights


def axis_matrix(
    n_in: int,
    n_out: int,
    scale: float,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = DEFAULT_CUBIC_COEFF_A,
    antialias: bool = False,
    exclude_outside: bool = False,
) -> Float64Array:
    """The resampling matrix of one axis: (n_out, n_in) float64; y = matrix @ x.

    Its transpose is the gradient. ``scale`` is the factor of the coordinate transformation.

    >>> axis_matrix(2, 2, 1.0).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    taps, weights = _taps(
        n_in,
        n_out,
        scale,
        coordinate_transformation_mode=coordinate_transformation_mode,
        cubic_coeff_a=cubic_coeff_a,
        antialias=antialias,
        exclude_outside=exclude_outside,
    )
    matrix = np.zeros((n_out, n_in))
    np.add.at(matrix, (np.arange(n_out)[:, np.newaxis], taps), weights)
    return matrix


def pillow_axis_matrix(n_in: int, n_out: int) -> NDArray[np.int64]:
    """The resampling matrix of one axis in Pillow's arithmetic: (n_out, n_in) int64.

    In units of 2**-22. Source: Pillow, ``src/libImaging/Resample.c``.

    >>> pillow_axis_matrix(1, 2).tolist()
    [[4194304], [4194304]]
    """
    a = -0.5
    scale = n_in / n_out  # source pixels per output pixel
    stretch = max(scale, 1.0)
    centres = (np.arange(n_out)[:, np.newaxis] + 0.5) * scale  # pixel i has its centre at i + 0.5
    first = np.maximum((centres - 2 * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((centres + 2 * stretch + 0.5).astype(np.int64), n_in)
    taps = first + np.arange((end - first).max())
    x = np.abs((taps - centres + 0.5) * (1 / stretch))
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    weights[taps >= end] = 0
    weights /= weights.cumsum(axis=1)[:, -1:]
    units = np.trunc(weights * 2**22 + np.copysign(0.5, weights)).astype(np.int64)
    matrix: NDArray[np.int64] = np.zeros((n_out, n_in), dtype=np.int64)
    np.add.at(matrix, (np.arange(n_out)[:, np.newaxis], np.minimum(taps, n_in - 1)), units)
    return matrix


def _pillow_pass(matrix: NDArray[np.int64], x: NDArray[np.int64]) -> NDArray[np.int64]:
    levels: NDArray[np.int64] = np.clip((matrix @ x + 2**21) >> 22, 0, 255)
    return levels


def _pillow_upscale(x: NDArray[Any], out_h: int, out_w: int) -> Float64Array:
    height, width = x.shape[-2:]
    rows, columns = pillow_axis_matrix(height, out_h), pillow_axis_matrix(width, out_w)
    turned = x.astype(np.int64).swapaxes(-1, -2)
    # Of a picture that loses many more rows than columns, Pillow resamples the rows first.
    if height > out_h and height - out_h > 2 * (width - out_w):
        rows_done = _pillow_pass(rows, turned.swapaxes(-1, -2))
        levels: NDArray[np.int64] = _pillow_pass(columns, rows_done.swapaxes(-1, -2))
        levels = levels.swapaxes(-1, -2)
    else:
        levels = _pillow_pass(rows, _pillow_pass(columns, turned).swapaxes(-1, -2))
    return levels.astype(np.float64)


def dynamic_upscale(
    x: ArrayLike,
    scale: Any = None,
    *,
    size: Any = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = DEFAULT_CUBIC_COEFF_A,
    antialias: bool = False,
    exclude_outside: bool = False,
    rounding: str = DEFAULT_ROUNDING,
) -> Float64Array:
    """Resample the last two axes of ``x`` in float64, without rounding or clamping the result.

    Args:
        x: (..., H, W), any numeric dtype.
        scale: a number or (scale_h, scale_w), rounded to float32; or
        size: (H_out, W_out).
        rounding: ``"exact"``, or ``"pillow"``, whose result is whole: Pillow's arithmetic rounds
            and clamps after each pass; for uint8 alone.

    Returns:
        (..., H_out, W_out) float64.

    Raises:
        InvalidArgumentError, InvalidTypeError: an argument that no front end accepts.

    >>> dynamic_upscale([[1.0, 1.0]], 2).tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """
    array = plain_array("x", x)
    if array.ndim < 2:
        raise InvalidArgumentError(f"x: got shape {list(array.shape)}, expected (..., H, W)")
    height, width = array.shape[-2:]
    out_h, out_w, scale_h, scale_w = _arguments.resolve(height, width, scale, size)
    _arguments.check_elements((*array.shape[:-2], out_h, out_w))
    rounded = _arguments.parse_rounding(rounding)
    mode = _arguments.parse_mode(coordinate_transformation_mode)
    _arguments.check_rounding(rounded, array.dtype.name, mode, cubic_coeff_a)
    if rounding == "pillow":
        return _pillow_upscale(array, out_h, out_w)
    array = array.astype(np.float64)
    keywords: dict[str, Any] = {
        "coordinate_transformation_mode": coordinate_transformation_mode,
        "cubic_coeff_a": cubic_coeff_a,
        "antialias": antialias,
        "exclude_outside": exclude_outside,
    }
    taps, weights = _taps(height, out_h, scale_h, **keywords)
    rows = _weighted_sum(array, -2, taps, weights[..., np.newaxis])
    return _weighted_sum(rows, -1, *_taps(width, out_w, scale_w, **keywords))


def _weighted_sum(
    array: Float64Array, axis: int, taps: NDArray[np.int64], weights: Float64Array
) -> Float64Array:
    """The matrix product along an axis, tap by tap: a long axis's matrix would take gigabytes."""
    terms = (weights[:, t] * array.take(taps[:, t], axis) for t in range(taps.shape[1]))
    return np.asarray(sum(terms))

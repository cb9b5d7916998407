"""Dynamic bicubic upscaling of numpy arrays; needs no torch.

>>> import numpy, sr_ops
>>> sr_ops.numpy.dynamic_upscale(numpy.zeros((1, 3, 4, 6), numpy.float32), 2.7).shape
(1, 3, 10, 16)
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr_ops import _arguments
from sr_ops._arguments import DEFAULT_CUBIC_COEFF_A, DEFAULT_ROUNDING
from sr_ops._diagnosis import why_not_loaded
from sr_ops._masked import refuse_masked
from sr_ops._plain_arrays import plain_array
from sr_ops.errors import InvalidArgumentError, InvalidTypeError, LibraryLoadError

try:
    import sr_ops._native as _native  # noqa: PLR0402
except ImportError as error:
    raise LibraryLoadError(
        why_not_loaded(error.path or os.path.join(os.path.dirname(__file__), "_native"), error)
    ) from error

__all__ = [
    "dynamic_upscale",
    "get_limits",
    "get_num_threads",
    "set_flush_denormal",
    "set_limits",
    "set_num_threads",
    "source_rectangle",
]

Array = NDArray[Any]

#: Position in the native enumeration of element types. bfloat16 has no numpy dtype of its own: it
#: is known by the name that ml_dtypes gives it.
_DTYPES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8", "uint16")
_DEFAULT_MODE = "half_pixel"
_LAYOUTS = ("NCHW", "NHWC", "HWC", "HW")

_MAX_THREADS = 1024

_num_threads: int | None = None


def dynamic_upscale(
    array: ArrayLike,
    scale: Any = None,
    *,
    size: Any = None,
    layout: str = "NCHW",
    out: Array | None = None,
    window: Any = None,
    crop: Any = None,
    source_size: Any = None,
    coordinate_transformation_mode: str = _DEFAULT_MODE,
    cubic_coeff_a: float = DEFAULT_CUBIC_COEFF_A,
    antialias: bool = False,
    exclude_outside: bool = False,
    rounding: str = DEFAULT_ROUNDING,
) -> Array:
    """Resample the two spatial axes of an array with the Keys cubic kernel.

    The meaning is ONNX ``Resize`` (opset 19, ``mode="cubic"``), in exact coordinates; the result
    has the same bits as that of the torch and ONNX Runtime front ends. It is computed by
    ``get_num_threads()`` threads, without the interpreter lock. A long call on the main thread lets
    handlers of signals run about every tenth of a second: Ctrl-C ends it, with ``out`` written in
    part.

    Args:
        array: float32, float64, float16, uint8, int8, uint16, or bfloat16 (of the ml_dtypes
            package), with the axes that ``layout`` says and any strides. N and C may be 0.
        scale: a number, a pair (scale_h, scale_w), or 1, 2 or 4 numbers as a list or array, the
            four being ``[1, 1, scale_h, scale_w]``; finite and > 0, rounded to float32. An axis of
            n becomes ``trunc(float32(n) * float32(scale))``; or
        size: (H_out, W_out).
        layout: ``"NCHW"``, ``"NHWC"``, ``"HWC"`` or ``"HW"``.
        out: where to put the result: an array of the result's shape and of ``array``'s dtype, rows
            contiguous, that shares no memory with ``array``.
        window: (top, left, height, width), in pixels of the result: compute this part alone. It
            has the bits that it has in the whole.
        crop: (top, left), in pixels of the source: ``array`` is not the whole source but a part of
            it that begins there. It must hold what the window reads (``source_rectangle``).
            Goes with
        source_size: (H, W) of the whole source. Scale and size keep the whole's meaning.
        coordinate_transformation_mode: ``"half_pixel"``, ``"half_pixel_symmetric"``,
            ``"pytorch_half_pixel"``, ``"align_corners"`` or ``"asymmetric"``.
        cubic_coeff_a: Keys' a: -0.75 (torch, OpenCV, ONNX) or -0.5 (Pillow), or any other.
        antialias: stretch the kernel by 1 / scale where scale < 1.
        exclude_outside: give no weight to what lies outside the image, instead of repeating its
            edge.
        rounding: ``"exact"``: integers are rounded once, half to even. ``"pillow"``: the bytes of
            Pillow's ``Image.resize(BICUBIC)``, for uint8 alone: its fixed-point arithmetic, with 8
            bits between the passes. That has a = -0.5, antialias and exclude_outside by itself,
            and coordinates that follow from the sizes, whatever the scale.

    Returns:
        ``out`` if given, else a new C-contiguous array; same dtype and layout as ``array``. Of the
        window's size where there is one.
        Integers are clamped to their range.

    Raises:
        InvalidArgumentError: a value outside of the above (a ValueError).
        InvalidTypeError: a dtype or type outside of the above (a TypeError).
        MemoryError: no memory for the result.

    Source: R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans.
    ASSP 29(6), 1981.

    >>> dynamic_upscale(np.array([[0, 90]], np.uint8), (1, 2), layout="HW")
    array([[ 0, 20, 70, 99]], dtype=uint8)
    """
    if (
        window is None
        and crop is None
        and source_size is None
        and coordinate_transformation_mode is _DEFAULT_MODE
        and rounding is DEFAULT_ROUNDING
        and isinstance(layout, str)
        and layout in _LAYOUTS
    ):
        result: Array | None = _native.fast_path(
            array, scale, size, _LAYOUTS.index(layout), out,
            cubic_coeff_a, antialias, exclude_outside, _num_threads or 0,
        )  # fmt: skip
        if result is not None:
            return result
    x, dtype = _checked_array(array, layout)
    attributes = (
        _arguments.parse_mode(coordinate_transformation_mode),
        _arguments.parse_cubic_coeff_a(cubic_coeff_a),
        _checked_flag("antialias", antialias),
        _checked_flag("exclude_outside", exclude_outside),
    )
    rounded = _arguments.parse_rounding(rounding)
    _arguments.check_rounding(rounded, x.dtype.name, *attributes[:2])
    planes = _to_nchw(x, layout)
    batch, channels, height, width = planes.shape
    top, left, height, width = _source(crop, source_size, height, width)
    out_h, out_w, scale_h, scale_w = _arguments.resolve(
        height, width, _without_numpy(scale), _without_numpy(size)
    )
    _arguments.check_elements((batch, channels, out_h, out_w))
    rectangle = _window(window, out_h, out_w)
    shape = _output_shape(x.shape, layout, *rectangle[2:])
    is_new = out is None
    if out is None:
        out = _native.new_array(shape, x.dtype)
    else:
        _check_out(out, shape, x)
    if out.size:
        threads = min(get_num_threads(), max(1, out.size // _native.elements_per_thread))
        to = _to_nchw(out, layout)
        part = (height, width, out_h, out_w, *rectangle[:2], top, left)
        _native.resample(
            planes, to, dtype, scale_h, scale_w, *attributes, False, threads, is_new, part, rounded
        )
    return out


def source_rectangle(
    source_size: Any,
    scale: Any = None,
    *,
    size: Any = None,
    window: Any,
    coordinate_transformation_mode: str = _DEFAULT_MODE,
    cubic_coeff_a: float = DEFAULT_CUBIC_COEFF_A,
    antialias: bool = False,
    exclude_outside: bool = False,
    rounding: str = DEFAULT_ROUNDING,
) -> tuple[int, int, int, int]:
    """Which part of the source a window of the result reads.

    That part is all that ``dynamic_upscale`` needs to compute the window.

    Args:
        source_size: (H, W) of the whole source, in pixels.
        scale, size: as in ``dynamic_upscale``.
        window: (top, left, height, width), in pixels of the result.
        coordinate_transformation_mode, cubic_coeff_a, antialias, exclude_outside, rounding:
            likewise.

    Returns:
        (top, left, height, width), in pixels of the source.

    Raises:
        InvalidArgumentError: a value outside of the above (a ValueError).
        InvalidTypeError: a type outside of the above (a TypeError).

    >>> source_rectangle((100, 100), 2, window=(50, 0, 2, 200))
    (23, 0, 5, 100)
    """
    height, width = _arguments.parse_pixels("source_size", _without_numpy(source_size), "(H, W)", 1)
    out_h, out_w, scale_h, scale_w = _arguments.resolve(
        height, width, _without_numpy(scale), _without_numpy(size)
    )
    top, left, height_read, width_read = _native.source_rectangle(
        (height, width, out_h, out_w),
        scale_h,
        scale_w,
        _arguments.parse_mode(coordinate_transformation_mode),
        _arguments.parse_cubic_coeff_a(cubic_coeff_a),
        _checked_flag("antialias", antialias),
        _checked_flag("exclude_outside", exclude_outside),
        _window(window, out_h, out_w),
        _arguments.parse_rounding(rounding),
    )
    return top, left, height_read, width_read


def _source(crop: Any, source_size: Any, height: int, width: int) -> tuple[int, int, int, int]:
    """Where the array begins in the source, and the source's size: (top, left, H, W)."""
    if (crop is None) != (source_size is None):
        what = "crop" if source_size is None else "source_size"
        raise InvalidArgumentError(f"crop, source_size: got {what} alone, expected both or neither")
    if crop is None:
        return 0, 0, height, width
    top, left = _arguments.parse_pixels("crop", _without_numpy(crop), "(top, left)", 0)
    whole_h, whole_w = _arguments.parse_pixels(
        "source_size", _without_numpy(source_size), "(H, W)", 1
    )
    if top + height > whole_h or left + width > whole_w:
        raise InvalidArgumentError(
            f"crop: an array of {height} x {width} pixels that begins at ({top}, {left}) does not "
            f"lie inside a source of {whole_h} x {whole_w}"
        )
    return top, left, whole_h, whole_w


def _window(window: Any, out_height: int, out_width: int) -> tuple[int, int, int, int]:
    """The window as integers, inside the result; all of the result where there is none."""
    if window is None:
        return 0, 0, out_height, out_width
    expected = "(top, left, height, width)"
    values = _arguments.parse_pixels("window", _without_numpy(window), expected, 0)
    top, left, height, width = values
    if height < 1 or width < 1 or top + height > out_height or left + width > out_width:
        raise InvalidArgumentError(
            f"window: got {expected} = {values}, expected at least one pixel, inside the result of "
            f"{out_height} x {out_width}"
        )
    return top, left, height, width


def set_num_threads(num_threads: int) -> None:
    """Set how many threads ``dynamic_upscale`` may use, its caller included; for all callers.

    The result does not depend on it, bit for bit.

    Args:
        num_threads: 1 to 1024.

    Raises:
        InvalidArgumentError: not in that range.
        InvalidTypeError: not an integer.

    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    """
    global _num_threads  # noqa: PLW0603
    if isinstance(num_threads, bool) or not hasattr(num_threads, "__index__"):
        raise InvalidTypeError(
            f"num_threads: got {_arguments.shown(num_threads)}, expected an integer"
        )
    value = num_threads.__index__()
    if not 1 <= value <= _MAX_THREADS:
        raise InvalidArgumentError(
            f"num_threads: got {_arguments.shown(value)}, expected 1 to {_MAX_THREADS}"
        )
    _num_threads = value


def get_num_threads() -> int:
    """How many threads ``dynamic_upscale`` may use, its caller included.

    At first the number that the environment variable ``SR_OPS_NUM_THREADS`` gives, else the number
    of cores that this process may run on.

    Raises:
        InvalidArgumentError: ``SR_OPS_NUM_THREADS`` is set, but not to an integer from 1 to 1024.

    >>> get_num_threads() >= 1
    True
    """
    global _num_threads  # noqa: PLW0603
    if _num_threads is None:
        _num_threads = _default_num_threads()
    return _num_threads


def set_limits(*, work: int | None = None, table_bytes: int | None = None) -> None:
    """Set what one call of ``dynamic_upscale`` may cost, for all callers.

    More is refused before anything is allocated. The torch and ONNX Runtime front ends have limits
    of their own, which the environment variables set.

    Args:
        work: multiply-adds; at first 2**41 (some minutes on one core), or what the environment
            variable ``SR_OPS_MAX_WORK`` says.
        table_bytes: memory while the tables of the two axes are made; at first 2**32, or what
            ``SR_OPS_MAX_TABLE_BYTES`` says. None leaves a limit as it is.

    Raises:
        InvalidArgumentError: a limit that is not above 0.
        InvalidTypeError: not an integer.

    >>> set_limits(work=2**40)
    >>> get_limits()["work"] == 2**40
    True
    >>> set_limits(work=2**41)
    """
    limits = get_limits()
    for name, value in (("work", work), ("table_bytes", table_bytes)):
        if value is not None:
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise InvalidTypeError(
                    f"{name}: got {_arguments.shown(value)}, expected an integer"
                )
            if not 1 <= value.__index__() < 2**63:
                raise InvalidArgumentError(
                    f"{name}: got {_arguments.shown(value)}, expected 1 to 2**63 - 1"
                )
            limits[name] = value.__index__()
    _native.set_limits(limits["work"], limits["table_bytes"])


def get_limits() -> dict[str, int]:
    """What one call may cost: "work" and "table_bytes", see ``set_limits``.

    Raises:
        InvalidArgumentError: an environment variable that holds no integer above 0.

    >>> sorted(get_limits())
    ['table_bytes', 'work']
    """
    work, table_bytes = _native.get_limits()
    return {"work": work, "table_bytes": table_bytes}


def set_flush_denormal(mode: bool) -> None:
    """Take denormal numbers (float32: below 1.2e-38) for zero in ``dynamic_upscale``, or do not.

    Off at first; for all callers. Many processors compute with denormal numbers up to a hundred
    times more slowly; images hardly ever hold any, but what a network leaves behind may. The torch
    front end obeys ``torch.set_flush_denormal``, the ONNX Runtime front end the session option
    ``session.set_denormal_as_zero``.

    Args:
        mode: whether to do so.

    Raises:
        InvalidTypeError: not True or False.

    >>> set_flush_denormal(False)
    """
    _native.set_flush_denormal(_checked_flag("mode", mode))


def _default_num_threads() -> int:
    text = os.environ.get("SR_OPS_NUM_THREADS", "")
    if text:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_THREADS):
            raise InvalidArgumentError(
                f"SR_OPS_NUM_THREADS: the environment variable is {text!r}, expected an integer "
                f"from 1 to {_MAX_THREADS}"
            )
        return int(text)
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, _MAX_THREADS)


def _checked_array(array: ArrayLike, layout: str) -> tuple[Array, int]:
    """The array in a form that native code can read, and its dtype's native position."""
    if not isinstance(layout, str) or layout not in _LAYOUTS:
        raise InvalidArgumentError(f"layout: got {layout!r}, expected one of {', '.join(_LAYOUTS)}")
    x = plain_array("array", array)
    name = x.dtype.name
    if name not in _DTYPES:
        raise InvalidTypeError(
            f"array: got dtype {x.dtype}, expected {', '.join(_DTYPES)}; convert it with "
            "array.astype first"
        )
    if x.ndim != len(layout):
        raise InvalidArgumentError(
            f"array: got shape {list(x.shape)}, expected {len(layout)} axes for layout {layout!r}"
        )
    height, width = x.shape[layout.index("H")], x.shape[layout.index("W")]
    if height < 1 or width < 1:
        raise InvalidArgumentError(
            f"array: got shape {list(x.shape)}, but height and width must be at least 1"
        )
    regular = all(stride % x.itemsize == 0 for stride in x.strides)
    if not (x.flags.aligned and x.dtype.isnative and regular):
        x = x.astype(x.dtype.newbyteorder("="), order="C")
    return x, _DTYPES.index(name)


def _checked_flag(name: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidTypeError(f"{name}: got {value!r}, expected True or False")
    return bool(value)


def _without_numpy(value: Any) -> Any:
    """Numpy arrays as Python numbers and lists, which is what the argument parser reads."""
    refuse_masked("scale, size, window", value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def _to_nchw(array: Array, layout: str) -> Array:
    """A view with the axes (N, C, H, W)."""
    view: Array = array
    if layout == "NHWC":
        view = array.transpose(0, 3, 1, 2)
    elif layout == "HWC":
        view = array.transpose(2, 0, 1)[np.newaxis]
    elif layout == "HW":
        view = array[np.newaxis, np.newaxis]
    return view


def _output_shape(
    shape: tuple[int, ...], layout: str, out_height: int, out_width: int
) -> tuple[int, ...]:
    extents = dict(zip(layout, shape, strict=True))
    extents.update(H=out_height, W=out_width)
    return tuple(extents.values())


def _check_out(out: Array, shape: tuple[int, ...], x: Array) -> None:
    refuse_masked("out", out)
    if not isinstance(out, np.ndarray):
        raise InvalidTypeError(f"out: got {type(out).__name__}, expected a numpy array")
    if out.dtype != x.dtype:
        raise InvalidTypeError(f"out: got dtype {out.dtype}, expected that of array, {x.dtype}")
    if out.shape != shape:
        raise InvalidArgumentError(
            f"out: got shape {list(out.shape)}, expected the result's shape {list(shape)}"
        )
    regular = all(stride % out.itemsize == 0 for stride in out.strides)
    if not (out.flags.writeable and out.flags.aligned and regular):
        raise InvalidArgumentError("out: got an array that is read-only or not aligned in memory")
    if _share_memory(x, out):
        raise InvalidArgumentError("out: shares memory with array; pass another array")


def _share_memory(x: Array, out: Array) -> bool:
    """False only where it is certain; deciding it for every pair of strides could take forever."""
    try:
        return np.shares_memory(x, out, max_work=100_000)  # type: ignore[arg-type]
    except RuntimeError:  # numpy's TooHardError
        return True


def _native_info() -> dict[str, Any]:
    return {
        "version": _native.version,
        "target": _native.chosen_target(),
        "available_targets": _native.available_targets(),
        "threads": get_num_threads(),
        "cuda_targets": _native.cuda_targets.split(),
    }


def _choose_target(name: str) -> None:
    """Switch the instruction set for arrays upscaled from now on; for tests.

    Raises:
        InvalidArgumentError: this machine or build does not have it.
    """
    if not _native.choose_target(name):
        raise InvalidArgumentError(
            f"target: got {name!r}, expected one of {', '.join(_native.available_targets())}"
        )

"""The execution provider, which runs the cubic Resize nodes of untouched models on our kernel.

It lies in the library of the custom operators. ONNX Runtime asks it which nodes it takes, so the
model stays as it is.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Sequence
from typing import Any

import onnx
import onnxruntime  # type: ignore[import-untyped]

from sr_ops import _arguments
from sr_ops._diagnosis import why_not_loaded
from sr_ops._libraries import get_library_path
from sr_ops.errors import InvalidArgumentError, LibraryLoadError
from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.operators.schema import FLOAT_TYPES, INTEGER_RANGES

__all__ = ["register_provider"]

PROVIDER = "SrOpsExecutionProvider"
#: The first ONNX Runtime whose providers may bring kernels for single operators.
OLDEST_RUNTIME = (1, 24)
#: The first that finds them by name, in ``providers=[…]``.
FIRST_BY_NAME = (1, 25)

_lock = threading.Lock()


def register_provider() -> str:
    """Make the execution provider known to ONNX Runtime, for all sessions of this process.

    Then ``InferenceSession(model, providers=[sr_ops.onnx.register_provider(),
    "CPUExecutionProvider"])`` runs every cubic ``Resize`` of any model on our kernel, also uint8,
    int8, float64 and bfloat16, which ONNX Runtime's own does not take. On ONNX Runtime 1.24, which
    does not find it by name, use :func:`sr_ops.onnx.make_session` with ``accelerate="provider"``.
    Calling it again is harmless.

    Returns:
        Its name, ``"SrOpsExecutionProvider"``.

    Raises:
        LibraryLoadError: ONNX Runtime is older than 1.24, or the library is not built or does not
            load.

    >>> register_provider()
    'SrOpsExecutionProvider'
    """
    if runtime_version() < OLDEST_RUNTIME:
        raise LibraryLoadError(
            "the execution provider of sr_ops needs onnxruntime 1.24 or newer, this is "
            f"{onnxruntime.__version__}: pip install --upgrade onnxruntime; or convert the model "
            "with sr_ops.onnx.accelerate"
        )
    path = get_library_path()
    with _lock:
        if not devices():
            try:
                onnxruntime.register_execution_provider_library(PROVIDER, path)
            except Exception as error:  # onnxruntime's own exceptions have no common base but this
                raise LibraryLoadError(
                    f"{why_not_loaded(path, error)} (into onnxruntime {onnxruntime.__version__})"
                ) from error
    return PROVIDER


def devices() -> list[Any]:
    """What ONNX Runtime 1.24 wants instead of a name: one, unless someone registered it twice."""
    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER][:1]


def runtime_version() -> tuple[int, ...]:
    """Major and minor."""
    return tuple(int(part) for part in re.findall(r"\d+", onnxruntime.__version__)[:2])


def with_provider(providers: Sequence[Any]) -> list[Any]:
    """``providers`` with ours before the CPU's: devices come first, they keep what they have."""
    result = list(providers)
    names = [item if isinstance(item, str) else item[0] for item in result]
    if PROVIDER not in names:
        cpu = "CPUExecutionProvider"
        result.insert(names.index(cpu) if cpu in names else len(names), PROVIDER)
    return result


def use_device(options: onnxruntime.SessionOptions, providers: Sequence[Any]) -> None:
    """As ONNX Runtime 1.24 has it.

    Raises:
        InvalidArgumentError: other providers are asked for, which that release cannot combine.
    """
    others = [p for p in providers if p not in (PROVIDER, "CPUExecutionProvider")]
    if others:
        raise InvalidArgumentError(
            f"providers: onnxruntime {onnxruntime.__version__} runs the execution provider of "
            f"sr_ops beside CPUExecutionProvider only, got {others}; 1.25 and newer take any"
        )
    options.add_provider_for_devices(devices(), {})


def refusal(node: onnx.NodeProto, elem_type: int | None) -> str | None:
    """Why the provider leaves a cubic Resize to others; None: it takes it."""
    attributes = literal_attributes(node)
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    policy = attributes.get("keep_aspect_ratio_policy", "stretch")
    if mode not in _arguments.COORDINATE_TRANSFORMATION_MODES:
        return f"coordinate_transformation_mode {mode} is not one of sr_ops'"
    if policy != "stretch":
        return f"keep_aspect_ratio_policy {policy} changes the sizes that are asked for"
    if not math.isfinite(attributes.get("cubic_coeff_a", _arguments.DEFAULT_CUBIC_COEFF_A)):
        return "cubic_coeff_a is not finite"
    for name in ("antialias", "exclude_outside"):
        if attributes.get(name, 0) not in (0, 1):
            return f"{name} is {attributes[name]}, neither 0 nor 1"
    if elem_type is not None and elem_type not in (*FLOAT_TYPES, *INTEGER_RANGES):
        return f"X is {onnx.TensorProto.DataType.Name(elem_type)}, which sr_ops does not take"
    return None

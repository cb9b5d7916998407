"""How an exported file spells the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sr_ops.errors import InvalidArgumentError
from sr_ops.onnx.operators.schema import SCALES_OP

__all__ = [
    "CONSTANT_SCALES_ONLY",
    "FILE_FLAVOURS",
    "FLAVOURS",
    "NAMED_SIZES_CLASH",
    "STANDARD_FLAVOURS",
    "TARGETS",
    "check_flavour",
    "flavour_for",
]

#: The custom domain (with a node for scales and one for sizes), or the standard operator.
FLAVOURS = (SCALES_OP, "Resize")


#: Of standard operators alone: a Resize, or banded matrix products.
STANDARD_FLAVOURS = ("Resize", "MatMul")

#: What a finished file can hold; torch's exporters themselves write ``FLAVOURS``.
FILE_FLAVOURS = (*FLAVOURS, "MatMul")


def check_flavour(op: Any, flavours: Sequence[str] = FLAVOURS) -> None:
    """Raise InvalidArgumentError for what is not one of ``flavours``."""
    if op not in flavours:
        raise InvalidArgumentError(f"op: got {op!r}, expected one of {', '.join(flavours)}")


#: Runtime -> flavour that it does not run, or runs wrong -> what it does. As measured by
#: scripts/runtime_matrix/flavours.py.
TARGETS: dict[str, dict[str, str]] = {
    "onnxruntime": {},
    "onnxruntime-web": {},
    "openvino": {
        SCALES_OP: "OpenVINO does not use the functions of a model",
        "Resize": "OpenVINO ignores antialias and exclude_outside of a cubic Resize without a word",
    },
    "tract": {SCALES_OP: "tract does not use the functions of a model"},
}

#: Runtimes that refuse a size which follows from the value of an input, however it is spelt.
CONSTANT_SCALES_ONLY = ("tract",)

#: Runtimes that are told the extents of the inputs, and find them at odds with the names of the
#: same extents in the shapes of inner values.
NAMED_SIZES_CLASH = ("tract",)


def flavour_for(op: Any, target: Any) -> str:
    """The flavour to write: ``op``, or where that is None the first that the target runs right.

    Raises:
        InvalidArgumentError: not a flavour, not a known target, or a pair that does not go.
    """
    if target is not None and target not in TARGETS:
        raise InvalidArgumentError(
            f"target: got {target!r}, expected None or one of {', '.join(TARGETS)}"
        )
    faults = TARGETS[target] if target is not None else {}
    right = next(flavour for flavour in (SCALES_OP, "MatMul") if flavour not in faults)
    if op is None:
        return right
    check_flavour(op, FILE_FLAVOURS)
    if op in faults:
        raise InvalidArgumentError(
            f"op: got {op!r} with target={target!r}, but {faults[op]}; leave op out, or use "
            f"{right!r}"
        )
    return str(op)

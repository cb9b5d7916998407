"""Which of torch's exporters writes a network of spandrel's: what works is found by trying."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

import sr_ops.onnx
from sr_ops.errors import ExportError

__all__ = ["example_sides", "first_that_works", "second_examples"]

#: Exporter, and whether the batch is open. The first takes seconds, and drops decisions that
#: windows of attention make by sizes (the wrapper fills pictures up to whole windows). Some
#: networks make a number of the batch. The last one writes operators that the first lacks.
_ATTEMPTS = (("torchscript", True), ("torchscript", False), ("dynamo", True))
_SMALLEST = 24  # pixels: of an example
_SAME = 1e-5  # of the largest value
_WIDER = 16  # pixels: so that no size of an example means the other side, too


def example_sides(network: Any) -> tuple[int, int]:
    """(H, W) that a network takes as they are.

    Args:
        network: with attributes ``multiple`` and ``smallest``.
    """
    step = int(network.multiple)

    def whole(side: int) -> int:
        return -(-side // step) * step

    height = whole(max(_SMALLEST, int(network.smallest)))
    return height, whole(height + _WIDER)


def second_examples(network: Any, *, batch: int) -> list[tuple[Tensor, Tensor]]:
    """At which an exported file is compared with the network: other sides, and other scales."""
    height, width = example_sides(network)
    return [
        (torch.rand(batch, network.channels, height + 5, width + 3), torch.tensor([1.5, 2.7])),
        (torch.rand(1, network.channels, width, height), torch.tensor([3.0, 1.0])),
        (torch.rand(1, network.channels, height + 7, height + 2), torch.tensor([2.0, 2.0])),
    ]


def first_that_works(
    network: Any, export: Callable[[str, bool], onnx.ModelProto], exporter: str | None
) -> onnx.ModelProto:
    """The first file that is proven.

    Args:
        network: a :class:`sr_ops.models.spandrel_networks.SpandrelNetwork`.
        export: by an exporter, with an open batch or with a batch of one.
        exporter: the only one to try, or None.

    Raises:
        ExportError: none works; it says why, and what works instead.
    """
    reasons: dict[str, str] = {}
    for name, any_batch in _ATTEMPTS:
        if exporter not in (None, name):
            continue
        try:
            with warnings.catch_warnings():
                # Of the trace: what they fear is proven after it. That a proof failed is said.
                warnings.simplefilter("ignore", Warning)
                warnings.simplefilter("default", RuntimeWarning)
                model = export(name, any_batch)
            is_open = _batch_is_open(model, example_sides(network))
        except ExportError as error:
            reasons[name] = " ".join(str(error).split())
            continue
        if not any_batch or is_open:
            return model
        reasons[name] = "the batch is dynamic in name only"
    why = "; ".join(f"{name}: {reason[:300]}" for name, reason in reasons.items())
    raise ExportError(
        f"{network.architecture} cannot be exported with open sizes ({why}); the checkpoint itself "
        "works at every size and scale: give it to sr-ops upscale --model, or to model= with "
        "backend='torch'"
    )


def _batch_is_open(model: onnx.ModelProto, sides: tuple[int, int]) -> bool:
    """Whether two pictures at once give what each gives alone.

    The comparison with the network itself allows for rounding, in which a mixture of pictures by
    weak attention could hide; a file agrees with itself to the last bits.

    Raises:
        ExportError: the file does not run with one picture.
    """
    dims = model.graph.input[0].type.tensor_type.shape.dim
    if len(dims) != 4 or importlib.util.find_spec("onnxruntime") is None:
        return True
    session = sr_ops.onnx.make_session(model)
    pictures = np.random.default_rng(0).random((2, dims[1].dim_value, *sides), np.float32)
    names = [value.name for value in session.get_inputs()]

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        feed = dict(zip(names, (x, np.array([2, 2], np.float32)), strict=True))
        return np.asarray(session.run(None, feed)[0])

    try:
        alone = np.concatenate([run(pictures[:1]), run(pictures[1:])])
    except Exception as error:  # the runtime's own classes share no base but this one
        raise ExportError(f"the file does not run: {error}") from error
    try:
        both = run(pictures)
    except Exception:  # the runtime's own classes share no base but this one
        return False
    return bool(np.abs(both - alone).max() <= _SAME * max(1.0, float(np.abs(alone).max())))

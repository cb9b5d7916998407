"""A network as an .onnx file that says what it is, so that the picture pipeline can cut tiles."""

from __future__ import annotations

from typing import Any

import onnx
import torch

import sr_ops.onnx
from sr_ops.models.traits import Traits

__all__ = ["to_onnx"]


def to_onnx(network: Any, **options: Any) -> onnx.ModelProto:
    """Export with inputs ``x`` (N, C, H, W) and ``scale`` (2: height, width), and output ``y``.

    Args:
        network: a module with an attribute ``channels`` whose ``forward`` takes (x, scale).
        **options: of :func:`sr_ops.onnx.export`.

    Raises:
        ExportError, InvalidArgumentError: as :func:`sr_ops.onnx.export`.
    """
    example = (torch.zeros(1, network.channels, 16, 16), torch.tensor([2.0, 2.0]))
    model = sr_ops.onnx.export(
        network, example, input_names=["x", "scale"], output_names=["y"], **options
    )
    onnx.helper.set_model_props(model, Traits.of(network).to_metadata())
    return model

"""Networks as .onnx files: from tensor to tensor, or from picture file to picture file.

The first says in its metadata what the picture pipeline must know to cut tiles. The second takes
the bytes of a picture and a scale, and gives those of a PNG.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

import sr_ops.onnx
from sr_ops._torch.ops import dynamic_upscale
from sr_ops.errors import InvalidArgumentError
from sr_ops.models.export_attempts import example_sides, first_that_works, second_examples
from sr_ops.models.onnx_choice import chosen_by_scale
from sr_ops.models.spandrel_networks import SpandrelNetwork
from sr_ops.models.torchscript import TorchScriptNetwork
from sr_ops.models.traits import Traits
from sr_ops.models.ycbcr import CHROMA_CENTRE, RGB_TO_YCBCR

__all__ = ["to_onnx", "to_picture_onnx"]

EXTENSIONS = "com.microsoft.extensions"
COLOURS = ("rgb", "bgr", "bgr255")


def to_onnx(network: Any, *, exporter: str | None = None, **options: Any) -> onnx.ModelProto:
    """Export with inputs ``x`` (N, C, H, W) and ``scale`` (2: height, width), and output ``y``.

    A network of several factors becomes a graph that chooses by the scale when it runs.

    Args:
        network: a module with an attribute ``channels`` whose ``forward`` takes (x, scale).
        exporter: "dynamo" or "torchscript"; None: "dynamo", of TorchScript archives "torchscript",
            and of spandrel's networks the first that works, with a batch of one where the batch
            cannot be open.
        **options: of :func:`sr_ops.onnx.export`.

    Returns:
        The model, with what :func:`sr_ops.upscale_image` needs to know in its metadata.

    Raises:
        ExportError, InvalidArgumentError: as :func:`sr_ops.onnx.export`; or a TorchScript archive
            does not tell where the operator stands.

    >>> from sr_ops.models import SRCNN
    >>> [value.name for value in to_onnx(SRCNN(1, (4, 4))).graph.input]
    ['x', 'scale']
    """
    if isinstance(network, TorchScriptNetwork):
        network.check_placed()
        exporter = exporter or "torchscript"
    if isinstance(network, (SpandrelNetwork, TorchScriptNetwork)):
        model = _by_trying(network, exporter, options)
    else:
        example = (torch.zeros(1, network.channels, 16, 16), torch.tensor([2.0, 2.0]))

        def export(part: Any) -> onnx.ModelProto:
            return sr_ops.onnx.export(
                part,
                example,
                exporter=exporter or "dynamo",
                input_names=["x", "scale"],
                output_names=["y"],
                **options,
            )

        model = _for_every_factor(network, export)
    onnx.helper.set_model_props(model, Traits.of(network).to_metadata())
    return model


def _by_trying(
    network: SpandrelNetwork | TorchScriptNetwork, exporter: str | None, options: Mapping[str, Any]
) -> onnx.ModelProto:
    example = torch.rand(1, network.channels, *example_sides(network)), torch.tensor([2.0, 2.0])

    def export(name: str, any_batch: bool) -> onnx.ModelProto:
        axes = {2: "height", 3: "width", **({0: "batch"} if any_batch else {})}
        settings: dict[str, Any] = {
            "dynamic_axes": {"x": axes},
            "verify_args": second_examples(network, batch=2 if any_batch else 1),
            **options,
        }
        part: nn.Module = network
        if isinstance(network, TorchScriptNetwork):  # torch's exporter takes a program as a whole
            part = network.traced(example)
        return sr_ops.onnx.export(
            part,
            example,
            exporter=name,
            input_names=["x", "scale"],
            output_names=["y"],
            **settings,
        )

    return first_that_works(network, export, exporter)


def _for_every_factor(network: Any, export: Callable[[Any], onnx.ModelProto]) -> onnx.ModelProto:
    factors = getattr(network, "factors", ())
    if len(factors) < 2:
        return export(network)
    return chosen_by_scale({factor: export(network.only(factor)) for factor in factors})


def to_picture_onnx(
    network: Any, *, colours: str = "rgb", exporter: str | None = None, **options: Any
) -> onnx.ModelProto:
    """Export with inputs ``image`` (bytes of a file) and ``scale`` (2), and output ``png`` (bytes).

    Decoding and encoding are the operators of onnxruntime-extensions; colour is handled as
    :func:`sr_ops.upscale_image` does, in 8 bits and without transparency. Give such
    a model what :func:`sr_ops.imaging.to_png` makes of a file: other bytes may end the process.

    Args:
        network: a module of one channel (luma) or three whose ``forward`` takes (x, scale).
        colours: how a network of three channels wants its input: "rgb" or "bgr" in 0..1, or
            "bgr255", BGR in 0..255.
        exporter: as in :func:`to_onnx`.
        **options: of :func:`sr_ops.onnx.export`.

    Raises:
        InvalidArgumentError: another number of channels, or other colours.
        ExportError: as :func:`sr_ops.onnx.export`.

    >>> from sr_ops.models import SRCNN
    >>> [value.name for value in to_picture_onnx(SRCNN()).graph.input]
    ['image', 'scale']
    """
    if network.channels not in (1, 3):
        raise InvalidArgumentError(
            f"network: got {network.channels} channels, expected 1 (luma) or 3 (RGB)"
        )
    if colours not in COLOURS:
        raise InvalidArgumentError(
            f"colours: got {colours!r}, expected one of {', '.join(COLOURS)}"
        )

    spandrels = isinstance(network, SpandrelNetwork)
    sides = example_sides(network) if spandrels else (16, 17)

    def export(part: Any, name: str) -> onnx.ModelProto:
        return sr_ops.onnx.export(
            _Picture(part, colours),
            (torch.zeros(*sides, 3, dtype=torch.uint8), torch.tensor([2.0, 2.0])),
            exporter=name,
            input_names=["pixels", "scale"],
            output_names=["result"],
            dynamic_axes={"pixels": {0: "height", 1: "width"}},
            **options,
        )

    if spandrels:
        model = first_that_works(network, lambda name, _: export(network, name), exporter)
    else:
        model = _for_every_factor(network, lambda part: export(part, exporter or "dynamo"))
    _decode_and_encode(model)
    return model


class _Picture(nn.Module):
    """(H, W, 3) uint8 RGB and a scale to (H_out, W_out, 3): colour handling around a network."""

    forth: Tensor
    centre: Tensor
    back: Tensor
    back_offset: Tensor

    def __init__(self, network: nn.Module, colours: str) -> None:
        super().__init__()
        self.network = network
        self.bgr = colours != "rgb"
        self.white = 255 if colours == "bgr255" else 1
        forth = torch.tensor(RGB_TO_YCBCR, dtype=torch.float64)
        centre = torch.tensor(CHROMA_CENTRE, dtype=torch.float64)
        back = torch.linalg.inv(forth)
        self.register_buffer("forth", forth.float()[..., None, None])
        self.register_buffer("centre", centre.float())
        self.register_buffer("back", back.float()[..., None, None])
        self.register_buffer("back_offset", (-back @ centre).float())

    def forward(self, pixels: Tensor, scale: Tensor) -> Tensor:
        rgb = pixels.permute(2, 0, 1)[None].contiguous().to(torch.float32) / 255
        result = self._enlarged(rgb, scale)
        levels = torch.round(torch.clamp(result * 255, 0, 255)).to(torch.uint8)
        return levels[0].permute(1, 2, 0)

    def _enlarged(self, rgb: Tensor, scale: Tensor) -> Tensor:
        if self.network.channels == 3:
            if self.bgr:
                bgr = torch.flip(rgb, [1]) * self.white
                return torch.flip(self.network(bgr, scale), [1]) / self.white
            result: Tensor = self.network(rgb, scale)
            return result
        ycbcr = nn.functional.conv2d(rgb, self.forth, self.centre)
        luma = self.network(ycbcr[:, :1], scale)
        chroma = dynamic_upscale(ycbcr[:, 1:], scale, antialias=True)
        return nn.functional.conv2d(torch.cat([luma, chroma], 1), self.back, self.back_offset)


def _decode_and_encode(model: onnx.ModelProto) -> None:
    """Put the operators on files before and after a model of pixels."""
    graph = model.graph
    decoding = [
        helper.make_node(
            "DecodeImage", ["image"], ["decoded"], domain=EXTENSIONS, color_space="rgb"
        ),
        # A gray JPEG is decoded to a single channel.
        helper.make_node("Expand", ["decoded", "three_channels"], ["pixels"]),
    ]
    encoding = helper.make_node(
        "EncodeImage", ["result"], ["png"], domain=EXTENSIONS, format="png", color_space="rgb"
    )
    nodes = [*decoding, *graph.node, encoding]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.append(
        helper.make_tensor("three_channels", TensorProto.INT64, [3], [1, 1, 3])
    )
    graph.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.UINT8, ["bytes"]))
    graph.output[0].CopyFrom(helper.make_tensor_value_info("png", TensorProto.UINT8, ["png_bytes"]))
    model.opset_import.append(helper.make_opsetid(EXTENSIONS, 1))

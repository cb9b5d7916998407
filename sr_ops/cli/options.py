"""Options that several commands have."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sr_ops.imaging.treatment import Treatment

__all__ = [
    "Backend",
    "Codec",
    "Colours",
    "ColoursOption",
    "Enlarge",
    "EnlargeOption",
    "Layout",
    "LayoutOption",
    "OverlapOption",
    "TrustOption",
    "ValueRangeOption",
    "treated",
]


class Backend(str, enum.Enum):
    """Who computes."""

    auto = "auto"
    torch = "torch"
    ort = "ort"


class Codec(str, enum.Enum):
    """How a video's pictures are coded."""

    h264 = "h264"
    hevc = "hevc"
    vp9 = "vp9"
    av1 = "av1"


class Colours(str, enum.Enum):
    """How a network of three channels wants its input."""

    rgb = "rgb"
    bgr = "bgr"
    bgr255 = "bgr255"


class Layout(str, enum.Enum):
    """Axes of the picture that a network takes."""

    nchw = "NCHW"
    nhwc = "NHWC"
    chw = "CHW"
    hwc = "HWC"


class Enlarge(str, enum.Enum):
    """Where the operator stands beside a network that keeps the size."""

    before = "before"
    after = "after"


ColoursOption = Annotated[
    Colours, typer.Option(help="What a network of three channels was trained on.")
]
LayoutOption = Annotated[
    Layout | None,
    typer.Option(
        case_sensitive=False,
        help="Axes of an .onnx file's picture, where its shapes do not tell.",
    ),
]
ValueRangeOption = Annotated[
    int | None,
    typer.Option(
        metavar="1|255",
        help="The value of white in the network, where an .onnx file does not tell; 1 else.",
    ),
]
EnlargeOption = Annotated[
    Enlarge | None,
    typer.Option(help="For a network that keeps the size and takes no scale: before or after it."),
]
OverlapOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="PIXELS",
        help="By which tiles are grown for the network; as far as it sees if not given.",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-torchscript",
        help="MODEL may be a TorchScript archive, which is a program, and is run.",
    ),
]


def treated(
    layout: Layout | None,
    value_range: int | None,
    enlarge: Enlarge | None,
    overlap: int | None,
    trust_torchscript: bool,
) -> Treatment:
    """What the options say of a network.

    Raises:
        InvalidArgumentError: a value that is not accepted.
    """
    from sr_ops.imaging.treatment import Treatment

    return Treatment(
        layout and layout.value,
        value_range,
        enlarge and enlarge.value,
        overlap,
        trust_torchscript,
    ).checked()

"""Options that several commands have."""

from __future__ import annotations

import enum

__all__ = ["Backend", "Codec", "Colours", "Enlarge", "Layout"]


class Backend(str, enum.Enum):
    """Who computes."""

    auto = "auto"
    torch = "torch"
    ort = "ort"


class Codec(str, enum.Enum):
    """How a film's pictures are coded."""

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

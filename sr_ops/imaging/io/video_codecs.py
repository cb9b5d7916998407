"""How videos are written: codecs, the containers that take them, and the forms of their pixels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from sr_ops.errors import ImageError, InvalidArgumentError, MissingDependencyError

__all__ = ["WRITABLE", "Encoder", "check_choice", "choose", "pyav"]

#: Endings of videos that are written -> the codecs that FFmpeg puts there and players look for.
WRITABLE = {
    ".mp4": ("h264", "hevc", "av1", "vp9"),
    ".mkv": ("h264", "hevc", "av1", "vp9"),
    ".webm": ("vp9", "av1"),
    ".mov": ("h264", "hevc"),
}
#: Subsampling of chroma, from the least: how many pixels share one, across and down.
_CHROMA = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}


class _Codec(NamedTuple):
    """A codec, and FFmpeg's encoder of it.

    Attributes:
        encoder: its name.
        crf: quality where none is asked for: 42 dB and more against the frames that it is given.
        worst: the highest number, of the lowest quality.
        options: more of the encoder's.
    """

    encoder: str
    crf: int
    worst: int
    options: dict[str, str]


_CODECS = {
    "h264": _Codec("libx264", 12, 51, {}),
    "hevc": _Codec("libx265", 14, 51, {"x265-params": "log-level=none"}),
    "vp9": _Codec("libvpx-vp9", 18, 63, {"row-mt": "1", "cpu-used": "2"}),
    "av1": _Codec("libsvtav1", 24, 63, {"preset": "6"}),
}


class Encoder(NamedTuple):
    """What writes the frames of one video.

    Attributes:
        name: FFmpeg's name.
        codec: the codec's.
        pixels: FFmpeg's name of the form of its pixels.
        options: for FFmpeg.
    """

    name: str
    codec: str
    pixels: str
    options: dict[str, str]


def pyav() -> Any:
    """The module av.

    Raises:
        MissingDependencyError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f"videos need PyAV ({error}): pip install 'sr-ops[video]'"
        ) from error
    return av


def check_choice(output: Path, codec: str | None, crf: int | None) -> None:
    """Whether a video can be written so, before it is opened.

    Raises:
        ImageError: no video's name ends as ``output``.
        InvalidArgumentError: another codec, one that the container does not take, or another
            quality than the codec has.
    """
    taken = WRITABLE.get(output.suffix.lower())
    if taken is None:
        raise ImageError(f"{output}: no video format ends so; use {', '.join(WRITABLE)}")
    if codec is not None and codec not in _CODECS:
        raise InvalidArgumentError(f"codec: got {codec!r}, expected one of {', '.join(_CODECS)}")
    if codec is not None and codec not in taken:
        raise InvalidArgumentError(
            f"codec: {output.suffix} takes no {codec}; use {', '.join(taken)}, or .mkv"
        )
    worst = _CODECS[codec or taken[0]].worst
    if crf is not None and not 0 <= crf <= worst:
        raise InvalidArgumentError(f"crf: got {crf}, expected 0 (best) to {worst}")


def choose(source: str, output: Path, form: Any, codec: str | None, crf: int | None) -> Encoder:
    """The encoder for frames of a form (FFmpeg's pixel format), that loses no bits and no chroma.

    Args:
        source: what errors call the video.
        output: where the result goes.
        form: PyAV's VideoFormat of the source.
        codec: the one that is asked for; None for the container's first that holds the bits.
        crf: its quality; None for a good one.

    Raises:
        ImageError: no codec, or not the one that is asked for, holds such frames.
        MissingDependencyError: this PyAV has no such encoder.
    """
    av = pyav()
    bits = max(component.bits for component in form.components)

    def takes(name: str) -> str | None:
        return _pixels(av, name, form, bits)

    wanted = WRITABLE[output.suffix.lower()] if codec is None else (codec,)
    if codec is None and bits > 8:  # few players decode h264 of more
        wanted = tuple(name for name in wanted if name != "h264")
    for name in wanted:
        pixels = takes(name)
        if pixels is not None:
            chosen = _CODECS[name]
            if name == "av1":  # else it tells stderr about itself
                os.environ.setdefault("SVT_LOG", "1")
            options = {"crf": str(chosen.crf if crf is None else crf), **chosen.options}
            return Encoder(chosen.encoder, name, pixels, options)
    others = [name for name in _CODECS if takes(name)]
    advice = f"; --codec {others[0]} and .mkv hold them" if others else ""
    raise ImageError(
        f"{source}: frames of {bits} bits ({form.name}), which {' and '.join(wanted)} cannot hold "
        f"here{advice}"
    )


def _pixels(av: Any, codec: str, form: Any, bits: int) -> str | None:
    """The form with the least chroma that a codec's encoder takes and that loses nothing."""
    name = _CODECS[codec].encoder
    try:
        taken = {taken.name for taken in av.codec.Codec(name, "w").video_formats or ()}
    except av.codec.codec.UnknownCodecError as error:
        raise MissingDependencyError(
            f"this PyAV has no encoder {name} for {codec}: pip install --upgrade av"
        ) from error
    chroma = (1, 1) if form.is_rgb else (64 // form.chroma_width(64), 64 // form.chroma_height(64))
    if len(form.components) == 1:  # gray
        chroma = (2, 2)
    for depth in (8, 10, 12):
        for label, shared in _CHROMA.items():
            pixels = f"yuv{label}p" + (f"{depth}le" if depth > 8 else "")
            holds = depth >= bits and shared[0] <= chroma[0] and shared[1] <= chroma[1]
            if holds and pixels in taken:
                return pixels
        if depth >= bits:
            return None
    return None

"""A video's frames as arrays and back, with what their numbers mean."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import ImageError
from sr_ops.imaging.io import video_codecs

__all__ = [
    "TRANSPARENCY",
    "Frame",
    "Meaning",
    "check_frame",
    "meaning_of",
    "stored_matrix",
    "stored_range",
    "to_array",
    "to_frame",
    "unkept",
]

Frame = NDArray[Any]

_UNNAMED = 2  # in the tags of ITU-T H.273
_RGB, _BT709, _BT601 = 0, 1, 6
_MATRICES = frozenset({_RGB, _BT709, 4, 5, _BT601, 7, 9})
_LIMITED, _FULL = 1, 2
_TRANSFERS = {8: "linear light", 16: "PQ (HDR)", 18: "HLG (HDR)"}

#: Why such videos are refused.
TRANSPARENCY = (
    "a video with transparency, which is not kept here; make one without it first, for example "
    "with ffmpeg -i IN -pix_fmt yuv420p OUT"
)

#: FFmpeg's swscale: bicubic chroma, at full resolution, rounded accurately.
_EXACTLY = 4 | 0x2000 | 0x4000 | 0x40000

#: What frames carry besides pixels, and PyAV hands to no encoder.
_BESIDE = {
    "MASTERING_DISPLAY_METADATA": "the mastering display (HDR10)",
    "CONTENT_LIGHT_LEVEL": "the content light level (HDR10)",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "A53_CC": "closed captions",
    "STEREO3D": "stereo 3D",
    "SPHERICAL": "the mark of a spherical video",
    "ICC_PROFILE": "the colour profile",
    "S12M_TIMECODE": "timecodes in frames",
}

#: The display matrix's (a, b, c, d) -> the orientation of EXIF that means the same.
_ORIENTATIONS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


class Meaning(NamedTuple):
    """What the numbers of a video's frames mean: tags of ITU-T H.273, FFmpeg's range, EXIF's turn.

    Attributes:
        matrix: from RGB to what is stored; always named.
        primaries, transfer: 2 where the video does not say.
        full: whether the values use all levels.
        orientation: how the rows and columns lie, in the numbers of EXIF.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool
    orientation: int

    def misread(self) -> str | None:
        """What a network, which expects the values of sRGB, would take for something else."""
        return _TRANSFERS.get(self.transfer)


def meaning_of(frame: Any, source: str) -> Meaning:
    """What a video's first frame says.

    A video that does not name its matrix has the one that players take for its size, by lines.

    Raises:
        ImageError: a matrix that FFmpeg does not convert, or an oblique turn.
    """
    form, matrix = frame.format, int(frame.colorspace)
    if form.is_rgb:
        return Meaning(_RGB, frame.color_primaries, frame.color_trc, True, _turn(frame, source))
    if matrix == _UNNAMED:
        matrix = _BT709 if frame.height > 576 or frame.width >= 1280 else _BT601
    if matrix not in _MATRICES:
        raise ImageError(
            f"{source}: its colours have the matrix {matrix} of ITU-T H.273, which is not "
            "converted here; convert them first, for example with "
            "ffmpeg -i IN -vf colorspace=bt709 OUT"
        )
    full = frame.color_range == _FULL or form.name.startswith("yuvj")
    turn = _turn(frame, source)
    return Meaning(matrix, int(frame.color_primaries), int(frame.color_trc), full, turn)


def _turn(frame: Any, source: str) -> int:
    matrix = _side_data(frame).get("DISPLAYMATRIX")
    if matrix is None:
        return 1
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    unit = tuple(round(value / 65536) for value in (a, b, c, d))
    if unit not in _ORIENTATIONS:
        raise ImageError(
            f"{source}: shown turned by {frame.rotation} degrees; expected 0, 90, 180 or 270"
        )
    return _ORIENTATIONS[unit]


def _side_data(frame: Any) -> dict[str, Any]:
    """What a frame carries beside pixels, by its name.

    PyAV's frame keeps its container of these, and the container keeps the frame: none would be
    freed before the garbage collector comes by, which counts objects and not their megabytes. So
    the container gets an empty frame to keep.
    """
    container = frame.side_data
    found = {item.type.name: item for item in container}
    container.__init__(video_codecs.pyav().VideoFrame())
    return found


def check_frame(frame: Any, number: int, first: Any, source: str) -> None:
    """Refuse what would be upscaled into something else.

    Args:
        frame: of the video.
        number: of the frame, from 1.
        first: the video's first frame.
        source: what errors call the video.

    Raises:
        ImageError: damage that the decoder has concealed, transparency, fields of two moments, or
            another size than the frames before.
    """
    if frame.is_corrupt:
        raise ImageError(
            f"{source}: damaged: parts of frame {number} are made up by the decoder; if they will "
            "do, accept them with ffmpeg -i IN OUT, and upscale OUT"
        )
    if any(component.is_alpha for component in frame.format.components):
        raise ImageError(f"{source}: {TRANSPARENCY}")
    if frame.interlaced_frame:
        raise ImageError(
            f"{source}: interlaced (frame {number}); deinterlace it first, for example with "
            "ffmpeg -i IN -vf bwdif OUT"
        )
    if (frame.width, frame.height) != (first.width, first.height):
        raise ImageError(
            f"{source}: frame {number} has {frame.width} x {frame.height} pixels, those before it "
            f"{first.width} x {first.height}; cut the video there"
        )


def unkept(frame: Any) -> set[str]:
    """Names of what a frame carries and its result does not."""
    return {_BESIDE[name] for name in _side_data(frame) if name in _BESIDE}


def to_array(frame: Any, meaning: Meaning) -> Frame:
    """(H, W, 3) RGB of a frame, as it is stored; uint16 where it has more than 8 bits."""
    deep = max(component.bits for component in frame.format.components) > 8
    if meaning.matrix != _RGB:
        frame.colorspace, frame.color_range = meaning.matrix, _FULL if meaning.full else _LIMITED
    rgb = frame.reformat(
        format="rgb48le" if deep else "rgb24", dst_color_range=_FULL, interpolation=_EXACTLY
    )
    return np.asarray(rgb.to_ndarray())


def to_frame(image: Frame, meaning: Meaning, pixels: str) -> Any:
    """A frame for an encoder, of a picture as :func:`to_array` gives them; even in its sides."""
    av = video_codecs.pyav()
    even = np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])
    rgb = av.VideoFrame.from_ndarray(even, "rgb48le" if even.dtype == np.uint16 else "rgb24")
    matrix = stored_matrix(meaning)
    frame = rgb.reformat(
        format=pixels,
        dst_colorspace={_BT601: 5}.get(matrix, matrix),  # swscale's number of it
        dst_color_range=stored_range(meaning),
        interpolation=_EXACTLY,
    )
    frame.colorspace, frame.color_primaries = matrix, meaning.primaries
    frame.color_trc = meaning.transfer
    return frame


def stored_matrix(meaning: Meaning) -> int:
    """The matrix of the result: frames in RGB are stored by that of BT.709."""
    return _BT709 if meaning.matrix == _RGB else meaning.matrix


def stored_range(meaning: Meaning) -> int:
    """FFmpeg's number of the result's range."""
    return _FULL if meaning.full and meaning.matrix != _RGB else _LIMITED

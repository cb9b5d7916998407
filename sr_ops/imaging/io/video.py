"""Videos through PyAV (FFmpeg), a frame at a time."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from sr_ops._files import replacing
from sr_ops.errors import FileError, ImageError
from sr_ops.imaging.io import video_codecs, video_frames, video_streams
from sr_ops.imaging.io.files import turned
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS
from sr_ops.imaging.io.places import check_apart, place
from sr_ops.imaging.io.scheduling import kept_scheduling
from sr_ops.imaging.io.video_codecs import pyav
from sr_ops.imaging.io.video_frames import Frame, Meaning

__all__ = ["SUFFIXES", "VideoInfo", "probe", "upscale_video"]

#: Endings of videos that are read.
SUFFIXES = (*video_codecs.WRITABLE, ".avi", ".m4v")
#: The formats that these are, and no lists of files elsewhere.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
#: How much earlier than announced a whole video may end, in seconds.
_SLACK = 0.25
_NEVER_TURNED = (1, 2, 3, 4)
#: The finest unit of time that is made up for an exact frame rate.
_FINEST = 1_000_000


class VideoInfo(NamedTuple):
    """A video, as its file and its first frame tell.

    Attributes:
        frames: how many pictures the file holds.
        width, height: of a frame, upright.
        rate: frames per second, on average.
        bits: of a channel.
    """

    frames: int
    width: int
    height: int
    rate: Fraction
    bits: int


class Result(NamedTuple):
    """What was written.

    Attributes:
        frames, width, height: of it.
        notes: what a user should know of it.
    """

    frames: int
    width: int
    height: int
    notes: list[str]


def probe(
    source: str | os.PathLike[str], max_pixels: int | None = DEFAULT_MAX_PIXELS
) -> tuple[VideoInfo, Any, Meaning]:
    """Read a video through without decoding it; and its first frame.

    Returns:
        What it is, PyAV's first frame, and what that one's numbers mean.

    Raises:
        FileError, ImageError, MissingDependencyError: as :func:`upscale_video`.
    """
    name = os.fspath(source)
    with _opened(source) as container:
        video = _pictures(container, name, max_pixels)
        frames, first = 0, None
        end = Fraction(0)
        for packet in _packets(container, name):
            if packet.pts is not None:
                last = (packet.pts + (packet.duration or 0)) * packet.time_base
                end = max(end, last)
            if packet.stream.index != video.index:
                continue
            frames += packet.size > 0
            if first is None:
                first = next(iter(_decoded(packet, name)), None)
        if first is None:
            raise ImageError(f"{name}: a video without frames that can be decoded")
        _check_whole(container, name, float(end))
        _check_pixels(first.width, first.height, name, max_pixels)
        video_frames.check_frame(first, 1, first, name)
        meaning = video_frames.meaning_of(first, name)
        upright = (first.width, first.height)
        if meaning.orientation not in _NEVER_TURNED:
            upright = upright[::-1]
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        bits = max(component.bits for component in first.format.components)
        return VideoInfo(frames, *upright, rate, bits), first, meaning


def upscale_video(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    upscale: Callable[[Frame], Frame],
    size: Callable[[int, int], tuple[int, int]],
    progress: Callable[[int, int], None] | None = None,
    *,
    codec: str | None = None,
    crf: int | None = None,
    strip: bool = False,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> Result:
    """Upscale a video's frames; all else of it is copied.

    Memory does not grow with its length. Times of frames, shape of pixels, colour tags and bits are
    kept; frames are turned upright. Sides are even: an odd one loses a pixel.

    Args:
        source: an MP4, MOV, MKV, WebM or AVI file.
        output: ends in .mp4, .mkv, .webm or .mov; there whole or not at all.
        upscale: from an (H, W, 3) RGB frame, uint8 or uint16, to its result.
        size: (height, width) of the result of a frame of (height, width).
        progress: called as progress(done, total) after each frame.
        codec: "h264", "hevc", "vp9" or "av1"; None for the first that the container takes and that
            holds the frames' bits.
        crf: quality, 0 is the best; None for a good one.
        strip: whether the result says nothing of date, place and words.
        max_pixels: width times height of frames that are decoded; None for no limit.

    Raises:
        FileError: a file that cannot be read or written.
        InvalidArgumentError: ``output`` is ``source``; a codec or a quality that there is not.
        ImageError: not a video, cut short, damaged, interlaced, transparent, of changing size, or
            with what the container cannot hold; or a result smaller than a codec takes.
        MissingDependencyError: PyAV is not installed.
    """
    av = pyav()
    name, output = os.fspath(source), Path(output)
    _check_places(source, output, codec, crf)
    about, first, meaning = probe(source, max_pixels)
    encoder = video_codecs.choose(name, output, first.format, codec, crf)
    sides = size(about.height, about.width)
    height, width = (side // 2 * 2 for side in sides)
    if 0 in (height, width):
        raise ImageError(f"{output}: {width} x {height} is smaller than any codec takes")
    notes = _notes(meaning, encoder.codec, sides)
    with _draft(output) as draft, _opened(source) as container:
        video = _pictures(container, name, max_pixels)
        with _written(av, draft, output) as result:
            clock = _Clock(video)
            writer = _add_pictures(result, encoder, video, meaning, (width, height), clock=clock)
            copies, lost = video_streams.copy_streams(container, video, result, output)
            video_streams.copy_words(container, video, result, writer, strip)
            count = 0
            for item in _items(container, video, name):
                if isinstance(item, av.Packet):
                    _copy(result, item, copies)
                    continue
                count += 1
                video_frames.check_frame(item, count, first, name)
                lost += video_frames.unkept(item) - set(lost)
                image = turned(video_frames.to_array(item, meaning), meaning.orientation)
                frame = video_frames.to_frame(upscale(image), meaning, encoder.pixels)
                clock.set(item, frame)
                # The first frame opens the encoder.
                with kept_scheduling() if count == 1 else contextlib.nullcontext():
                    packets = writer.encode(frame)
                result.mux(packets)
                if progress is not None:
                    progress(count, max(about.frames, count))
            result.mux(writer.encode(None))
        with _opened(draft) as written:
            lost += [] if strip else video_streams.lost_words(container, written)
    notes += [f"not kept: {', '.join(lost)}"] if lost else []
    return Result(count, width, height, notes)


def _check_places(
    source: str | os.PathLike[str], output: Path, codec: str | None, crf: int | None
) -> None:
    video_codecs.check_choice(output, codec, crf)
    if not Path(source).is_file():
        raise FileError(f"{source}: cannot be read: no such file")
    check_apart(source, output)
    place(output)


def _notes(meaning: Meaning, codec: str, sides: tuple[int, int]) -> list[str]:
    notes = [codec]
    if any(side % 2 for side in sides):
        notes.append("an odd side lost a pixel")
    if meaning.orientation != 1:
        notes.append("turned upright")
    if meaning.misread() is not None:
        notes.append(f"its values are {meaning.misread()}, upscaled as if they were sRGB")
    return notes


@contextlib.contextmanager
def _opened(source: str | os.PathLike[str]) -> Iterator[Any]:
    """A video for reading. Through a file of Python's: a name is no address."""
    av = pyav()
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(source, "rb"))
        except OSError as error:
            raise FileError(f"{source}: cannot be read: {error.strerror or error}") from error
        try:
            container = av.open(
                file, options={"format_whitelist": _FORMATS}, metadata_errors="surrogateescape"
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ImageError(f"{source}: not a video that can be read: {reason}") from error
        with container:
            yield container


def _pictures(container: Any, source: str, max_pixels: int | None) -> Any:
    """The stream of moving pictures."""
    moving = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    if not moving:
        raise ImageError(f"{source}: not a video: there are no moving pictures in it")
    video = moving[0]
    if video.codec_context is None:
        raise ImageError(f"{source}: this PyAV has no decoder for its pictures")
    if video.metadata.get("alpha_mode") == "1":  # VP8 and VP9: the decoder does not show it
        raise ImageError(f"{source}: {video_frames.TRANSPARENCY}")
    _check_pixels(video.codec_context.width, video.codec_context.height, source, max_pixels)
    video.thread_type = "AUTO"
    return video


def _check_pixels(width: int, height: int, source: str, max_pixels: int | None) -> None:
    if max_pixels is not None and width * height > max_pixels:
        raise ImageError(
            f"{source}: {width} x {height} pixels are more than max_pixels={max_pixels} allows; "
            "raise it (--max-pixels) for videos that you trust"
        )


def _check_whole(container: Any, source: str, end: float) -> None:
    """A file that was cut off ends before the time that it announces."""
    if container.duration is None:
        return
    announced = ((container.start_time or 0) + container.duration) / 1e6
    if end < announced - _SLACK:
        raise ImageError(
            f"{source}: cut short: it ends at {end:.2f} s of {announced:.2f} s; ffmpeg -i IN -c "
            "copy OUT makes a whole video of what is there"
        )


def _packets(container: Any, source: str) -> Iterator[Any]:
    """All that is in the video, in the order of the file."""
    av = pyav()
    try:
        for packet in container.demux():
            if packet.is_corrupt:
                raise ImageError(f"{source}: damaged or cut short")
            yield packet
    except av.FFmpegError as error:
        raise ImageError(f"{source}: damaged or cut short: {error.strerror}") from error
    except OSError as error:
        raise FileError(f"{source}: cannot be read: {error.strerror or error}") from error


def _items(container: Any, video: Any, source: str) -> Iterator[Any]:
    """Frames of the pictures; packets of everything else."""
    for packet in _packets(container, source):
        if packet.stream.index == video.index:
            yield from _decoded(packet, source)
        elif packet.size:
            yield packet


def _decoded(packet: Any, source: str) -> list[Any]:
    try:
        return list(packet.decode())
    except pyav().FFmpegError as error:
        raise ImageError(f"{source}: damaged: {error.strerror}") from error


def _copy(result: Any, packet: Any, copies: dict[int, Any]) -> None:
    if packet.stream.index in copies:
        packet.stream = copies[packet.stream.index]
        result.mux(packet)


@contextlib.contextmanager
def _draft(output: Path) -> Iterator[Path]:
    try:
        with replacing(output) as draft:
            yield draft
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{output}: cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def _written(av: Any, draft: Path, output: Path) -> Iterator[Any]:
    """A video for writing; closed before it takes its place, so that a full disk is noticed."""
    moved = {"movflags": "faststart"} if output.suffix.lower() in (".mp4", ".mov") else {}
    try:
        result = av.open(
            os.fspath(draft.absolute()),
            "w",
            format={".mkv": "matroska"}.get(output.suffix.lower(), output.suffix.lower()[1:]),
            options=moved,
            metadata_errors="surrogateescape",
        )
        try:
            yield result
        except BaseException:
            with contextlib.suppress(av.FFmpegError):
                result.close()
            raise
        result.close()
    except av.FFmpegError as error:
        raise FileError(f"{output}: cannot be written: {error.strerror or error}") from error


def _add_pictures(
    result: Any,
    encoder: video_codecs.Encoder,
    video: Any,
    meaning: Meaning,
    sides: tuple[int, int],
    *,
    clock: _Clock,
) -> Any:
    """The result's stream of pictures."""
    writer = result.add_stream(encoder.name, rate=clock.rate, options=encoder.options)
    context = writer.codec_context
    context.width, context.height = sides
    context.pix_fmt = encoder.pixels
    context.time_base = writer.time_base = clock.unit
    shape = video.sample_aspect_ratio
    if shape:
        upright = meaning.orientation in _NEVER_TURNED
        context.sample_aspect_ratio = shape if upright else 1 / shape
    matrix = video_frames.stored_matrix(meaning)
    context.colorspace, context.color_primaries = matrix, meaning.primaries
    context.color_trc = meaning.transfer
    context.color_range = video_frames.stored_range(meaning)
    if encoder.codec == "hevc" and result.format.name in ("mp4", "mov"):
        writer.codec_tag = "hvc1"  # the one that Apple's players open
    return writer


class _Clock:
    """Times of the result's frames: those of the video.

    Some containers round times to milliseconds. Where the video has one frame rate, its frames get
    the times of that rate again, if they are no further off than that rounding.
    """

    def __init__(self, video: Any) -> None:
        self.rate: Fraction = video.average_rate or video.guessed_rate or Fraction(25)
        self._unit: Fraction = video.time_base
        fine = math.lcm(self._unit.denominator, self.rate.numerator)
        self._steady = video.average_rate == video.base_rate and fine <= _FINEST
        self.unit = Fraction(1, fine) if self._steady else self._unit
        self._last: int | None = None

    def set(self, source: Any, frame: Any) -> None:
        """Give a frame the time of its source."""
        if source.pts is None:
            step = round(1 / self.rate / self.unit)
            time = 0 if self._last is None else self._last + step
        else:
            time = self._exactly(source.pts * self._unit)
        if self._last is not None and time <= self._last:
            time = self._last + 1  # encoders want them to grow
        self._last = time
        frame.pts, frame.time_base = time, self.unit
        frame.duration = round((source.duration or 0) * self._unit / self.unit)

    def _exactly(self, seconds: Fraction) -> int:
        if self._steady:
            nearest = round(seconds * self.rate) / self.rate
            if abs(nearest - seconds) <= self._unit:
                seconds = nearest
        return round(seconds / self.unit)

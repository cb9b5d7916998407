"""Small films for tests, written and read with PyAV."""

from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

RATE = Fraction(30000, 1001)


def picture(number, size=(64, 48)):
    """A frame: (H, W, 3) uint8 RGB, brighter with each number, green on its left half."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[..., 0] = 20 * number % 256
    image[:, : size[0] // 2, 1] = 128
    return image


def add_pictures(result, *, codec="libx264", rate=RATE, size=(64, 48), pixels="yuv420p", **tags):
    """A stream for pictures; more keywords are set on its codec context."""
    options = tags.pop("options", {})
    if codec == "libx265":
        options = {"x265-params": "log-level=none", **options}
    stream = result.add_stream(codec, rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = pixels
    for name, value in tags.items():
        setattr(stream.codec_context, name, value)
    return stream


def encode(result, stream, images, times=None, unit=None):
    """Write pictures; at times in units where they are given."""
    for index, image in enumerate(images):
        form = "rgb48le" if image.dtype == np.uint16 else "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), form)
        if times is not None:
            frame.pts, frame.time_base = times[index], unit
        result.mux(stream.encode(frame))
    result.mux(stream.encode(None))


def add_sound(result, codec="aac"):
    return result.add_stream(codec, rate=48000)


def encode_sound(result, stream, seconds):
    """A tone."""
    count = int(seconds * 48000)
    wave = np.sin(np.arange(count) / 20).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
    frame.sample_rate, frame.pts = 48000, 0
    resampler = av.AudioResampler(stream.codec_context.format.name, "stereo", 48000, 960)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        result.mux(stream.encode(part))
    result.mux(stream.encode(None))


def write_film(path, frames=6, *, sound=None, size=(64, 48), metadata=None, **keywords):
    """A film of :func:`picture`'s; more keywords as :func:`add_pictures`."""
    with av.open(str(path), "w") as result:
        result.metadata.update(metadata or {})
        stream = add_pictures(result, size=size, **keywords)
        heard = add_sound(result, sound) if sound else None
        encode(result, stream, [picture(number, size) for number in range(frames)])
        if heard is not None:
            encode_sound(result, heard, frames / keywords.get("rate", RATE))


class Probe(NamedTuple):
    """What PyAV sees in a film."""

    codec: str
    rate: Fraction
    shape: Fraction | None
    pixels: str
    tags: tuple[int, int, int, int]  # range, matrix, primaries, transfer
    turned: int
    seconds: list[float]  # when frames are shown, from the first
    sides: tuple[int, int]
    metadata: dict[str, str]
    chapters: list[tuple[float, str]]
    others: dict[tuple[int, str, str], list[bytes]]  # packets by number, type and codec


def frames_of(path):
    """(N, H, W, 3) RGB, as FFmpeg converts them by their tags."""
    with av.open(str(path)) as film:
        return np.array([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])


def probe(path):
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        frames, others, times = [], {}, []
        for packet in film.demux():
            if packet.stream.index == video.index:
                for frame in packet.decode():
                    frames.append(frame)
                    times.append(float(frame.pts * frame.time_base))
            elif packet.size:
                context = packet.stream.codec_context
                key = (packet.stream.index, packet.stream.type, context.name if context else "")
                others.setdefault(key, []).append(bytes(packet))
        first = frames[0]
        return Probe(
            video.codec_context.name,
            video.average_rate,
            video.sample_aspect_ratio,
            first.format.name,
            (first.color_range, first.colorspace, first.color_primaries, first.color_trc),
            first.rotation,
            [time - times[0] for time in times],
            (first.width, first.height),
            {key.lower(): value for key, value in film.metadata.items()},
            [
                (float(c["start"] * c["time_base"]), c["metadata"].get("title", ""))
                for c in film.chapters()
            ],
            others,
        )

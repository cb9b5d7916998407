"""Films that are refused: one error, and nothing written."""

import os
import struct
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from films import add_pictures, encode, encode_sound, picture, write_film

from sr_ops.errors import FileError, ImageError, InvalidArgumentError, MissingDependencyError
from sr_ops.imaging.io import video, video_codecs


def twice(image):
    return image.repeat(2, axis=0).repeat(2, axis=1)


def double(source, output, **keywords):
    return video.upscale_video(source, output, twice, lambda h, w: (2 * h, 2 * w), **keywords)


def refused(folder, source, part, kind=ImageError, output="out.mkv", **keywords):
    before = sorted(os.listdir(folder))
    with pytest.raises(kind, match=part) as caught:
        double(folder / source, folder / output, **keywords)
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(folder)) == before


def test_not_a_film(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "noise.mkv").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\n/etc/hosts\n")
    (tmp_path / "script.avi").write_text("ffconcat version 1.0\nfile '/etc/hosts'\n")
    for name in ("empty.mp4", "noise.mkv", "list.mp4", "script.avi"):
        refused(tmp_path, name, "not a video that can be read")
    refused(tmp_path, "none.mp4", "no such file", FileError)


def test_sound_alone(tmp_path):
    with av.open(str(tmp_path / "in.mp4"), "w") as result:
        stream = result.add_stream("aac", rate=48000)
        encode_sound(result, stream, 0.2)
    refused(tmp_path, "in.mp4", "no moving pictures")


@pytest.mark.parametrize("container", ["mp4", "mkv", "mov", "avi"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_cut_short(tmp_path, container, part):
    options = {"movflags": "faststart"} if container in ("mp4", "mov") else {}
    with av.open(str(tmp_path / f"in.{container}"), "w", options=options) as result:
        stream = add_pictures(result, rate=10, codec="mpeg4", size=(160, 120))
        noise = np.random.default_rng(0).integers(0, 256, (30, 120, 160, 3), np.uint8)
        encode(result, stream, noise)
    data = (tmp_path / f"in.{container}").read_bytes()
    (tmp_path / f"in.{container}").write_bytes(data[: int(len(data) * part)])
    refused(tmp_path, f"in.{container}", "cut short|damaged")


def test_announced_numbers_are_not_believed(tmp_path):
    """A longer film than there is; a frame of another size than the header's."""
    write_film(tmp_path / "in.mp4", 30, codec="mpeg4", rate=10)
    data = (tmp_path / "in.mp4").read_bytes()
    long = bytearray(data)
    for box, offset in ((b"mdhd", 16), (b"elst", 8), (b"tkhd", 20), (b"mvhd", 16)):
        place = data.index(box) + 4 + offset
        long[place : place + 4] = struct.pack(">I", 2**30)
    (tmp_path / "long.mp4").write_bytes(long)
    place = data.index(b"mp4v") + 4 + 24
    (tmp_path / "wide.mp4").write_bytes(
        data[:place] + struct.pack(">HH", 65535, 65535) + data[place + 4 :]
    )
    write_film(tmp_path / "in.mkv", 30, codec="mpeg4", rate=10)
    data = bytearray((tmp_path / "in.mkv").read_bytes())
    place = data.index(b"\x44\x89\x88") + 3
    data[place : place + 8] = struct.pack(">d", 1e9)
    (tmp_path / "long.mkv").write_bytes(data)
    write_film(tmp_path / "in.avi", 30, codec="mpeg4", rate=10)
    data = bytearray((tmp_path / "in.avi").read_bytes())
    for chunk, offset in ((b"avih", 20), (b"strh", 36)):
        place = data.index(chunk) + 4 + offset
        data[place : place + 4] = struct.pack("<I", 2**30)
    (tmp_path / "long.avi").write_bytes(data)
    refused(tmp_path, "long.mkv", "cut short: it ends at 3.00 s of 1000000.00 s")
    refused(tmp_path, "long.avi", "cut short: it ends at 3.00 s of")
    seen = []
    double(tmp_path / "long.mp4", tmp_path / "out.mp4", progress=lambda *n: seen.append(n))
    assert seen[-1] == (30, 30)
    os.remove(tmp_path / "out.mp4")
    assert double(tmp_path / "wide.mp4", tmp_path / "out.mp4").width == 128
    os.remove(tmp_path / "out.mp4")
    refused(tmp_path, "in.mp4", "64 x 48 pixels are more than max_pixels", max_pixels=64)


def test_damage_in_the_middle(tmp_path):
    write_film(tmp_path / "in.avi", 9, codec="png", pixels="rgb24")
    data = bytearray((tmp_path / "in.avi").read_bytes())
    place = data.index(b"IDAT", len(data) // 2)
    data[place : place + 40] = bytes(40)
    (tmp_path / "in.avi").write_bytes(data)
    refused(tmp_path, "in.avi", "damaged")


@pytest.mark.parametrize(("codec", "at"), [("mpeg4", 0.66), ("mpeg2video", 0.3), ("libx264", 0.8)])
def test_damage_that_the_decoder_conceals(tmp_path, codec, at):
    """FFmpeg takes what stood there before, or around it, and raises no error."""
    write_film(tmp_path / "in.mkv", 9, codec=codec)
    data = bytearray((tmp_path / "in.mkv").read_bytes())
    place = int(len(data) * at)
    data[place : place + 30] = bytes(range(0, 240, 8))
    (tmp_path / "in.mkv").write_bytes(data)
    refused(tmp_path, "in.mkv", "damaged")


def test_no_decoder(tmp_path):
    write_film(tmp_path / "in.mp4")
    data = (tmp_path / "in.mp4").read_bytes()
    (tmp_path / "in.mp4").write_bytes(data.replace(b"avc1", b"zzz1"))
    refused(tmp_path, "in.mp4", "no decoder")


def test_no_encoder(tmp_path, monkeypatch):
    write_film(tmp_path / "in.mp4")
    gone = video_codecs._CODECS["h264"]._replace(encoder="libnone")
    monkeypatch.setitem(video_codecs._CODECS, "h264", gone)
    refused(tmp_path, "in.mp4", "no encoder libnone", MissingDependencyError)


def test_no_pyav(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    refused(tmp_path, "in.mp4", r"pip install 'sr-ops\[video\]'", MissingDependencyError)


def test_interlaced(tmp_path):
    write_film(tmp_path / "in.mp4", options={"x264-params": "tff=1"})
    refused(tmp_path, "in.mp4", "interlaced .frame 1.*bwdif")


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [("in.mov", "png", "rgba"), ("in.webm", "libvpx-vp9", "yuva420p")],
)
def test_transparent(tmp_path, name, codec, pixels):
    write_film(tmp_path / name, codec=codec, pixels=pixels)
    refused(tmp_path, name, "transparency")


def test_a_size_that_changes(tmp_path):
    parts = []
    for size in ((64, 48), (80, 48)):
        context = av.CodecContext.create("mjpeg", "w")
        context.width, context.height = size
        context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 10)
        frame = av.VideoFrame.from_ndarray(picture(1, size), "rgb24")
        parts += [bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]]
    with av.open(str(tmp_path / "in.avi"), "w") as result:
        stream = add_pictures(result, codec="mjpeg", pixels="yuvj420p", rate=10)
        encode(result, stream, [picture(0)])
        for number, part in enumerate(parts, start=1):
            packet = av.Packet(part)
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base, packet.is_keyframe = Fraction(1, 10), True
            result.mux(packet)
    refused(tmp_path, "in.avi", "frame 3 has 80 x 48 pixels, those before it 64 x 48")


def test_what_the_container_cannot_hold(tmp_path):
    write_film(tmp_path / "in.mp4", sound="aac")
    refused(tmp_path, "in.mp4", "cannot hold audio stream 1 .aac.; use .mkv",
                 output="out.webm")  # fmt: skip
    write_film(tmp_path / "deep.mkv", codec="libx265", pixels="yuv422p12le")
    refused(tmp_path, "deep.mkv", "12 bits.*vp9 and av1 cannot.*--codec hevc and .mkv",
                 output="out.webm")  # fmt: skip


def test_arguments(tmp_path):
    write_film(tmp_path / "in.mp4")
    bad = InvalidArgumentError
    refused(tmp_path, "in.mp4", "codec: .webm takes no h264; use vp9, av1, or .mkv", bad,
                 output="out.webm", codec="h264")  # fmt: skip
    refused(tmp_path, "in.mp4", "codec: got 'x'", bad, codec="x")
    refused(tmp_path, "in.mp4", "crf: got 52, expected 0 .best. to 51", bad, crf=52)
    refused(tmp_path, "in.mp4", "would replace its source", bad, output="in.mp4")
    refused(tmp_path, "in.mp4", r"no video format ends so; use .mp4", output="out.avi")


def test_a_result_without_pixels(tmp_path):
    write_film(tmp_path / "in.mp4")
    with pytest.raises(ImageError, match="smaller than any codec"):
        video.upscale_video(
            tmp_path / "in.mp4", tmp_path / "out.mp4", lambda i: i[:1, :1], lambda *_: (1, 1)
        )

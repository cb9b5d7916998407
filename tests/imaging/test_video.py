"""Films: what was in the file before is there after."""

import contextlib
import gc
import itertools
import os
import struct
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from films import RATE, add_pictures, encode, frames_of, picture, probe, write_film

from sr_ops.errors import ImageError
from sr_ops.imaging.io import video, video_frames

TAGS = {"color_range": 1, "colorspace": 1, "color_primaries": 1, "color_trc": 1}


def twice(image):
    return image.repeat(2, axis=0).repeat(2, axis=1)


def double(source, output, **keywords):
    return video.upscale_video(source, output, twice, lambda h, w: (2 * h, 2 * w), **keywords)


class TestKept:
    """The probe before and after."""

    @pytest.mark.parametrize("rate", [RATE, Fraction(25), Fraction(24000, 1001), Fraction(10)])
    @pytest.mark.parametrize("container", ["mp4", "mkv", "mov"])
    def test_the_exact_rate(self, tmp_path, rate, container):
        write_film(tmp_path / "in.mp4", rate=rate)
        result = double(tmp_path / "in.mp4", tmp_path / f"out.{container}")
        before, after = probe(tmp_path / "in.mp4"), probe(tmp_path / f"out.{container}")
        assert (result.frames, result.width, result.height) == (6, 128, 96)
        assert after.sides == (128, 96)
        assert before.rate == after.rate == rate
        unit = 0.001 if container == "mkv" else 1e-9
        assert after.seconds == pytest.approx(before.seconds, abs=unit)

    def test_the_exact_rate_out_of_milliseconds(self, tmp_path):
        write_film(tmp_path / "in.mkv", 40)
        double(tmp_path / "in.mkv", tmp_path / "out.mp4")
        after = probe(tmp_path / "out.mp4")
        assert after.rate == RATE
        assert after.seconds == pytest.approx([n / float(RATE) for n in range(40)], abs=1e-9)

    @pytest.mark.parametrize(("source", "target"), [("mp4", "mkv"), ("mkv", "mp4"), ("mp4", "mov")])
    def test_variable_timing(self, tmp_path, source, target):
        unit = Fraction(1, 600)
        times = [*range(0, 600, 60), *range(600, 1200, 20)]  # ten and thirty frames a second
        with av.open(str(tmp_path / f"in.{source}"), "w") as result:
            stream = add_pictures(result, rate=30, time_base=unit)
            stream.time_base = unit
            encode(result, stream, [picture(n % 12) for n in range(len(times))], times, unit)
        double(tmp_path / f"in.{source}", tmp_path / f"out.{target}")
        after = probe(tmp_path / f"out.{target}")
        assert after.seconds == pytest.approx([time / 600 for time in times], abs=0.0011)
        assert after.seconds[-1] > 1.9

    @pytest.mark.parametrize("shape", [Fraction(4, 3), Fraction(16, 11)])
    @pytest.mark.parametrize("container", ["mp4", "mkv", "mov"])
    def test_the_shape_of_pixels(self, tmp_path, shape, container):
        write_film(tmp_path / "in.mp4", sample_aspect_ratio=shape)
        double(tmp_path / "in.mp4", tmp_path / f"out.{container}")
        assert probe(tmp_path / f"out.{container}").shape == pytest.approx(shape, abs=0.01)

    @pytest.mark.parametrize("container", ["mp4", "mkv", "mov"])
    @pytest.mark.parametrize("tags", [(1, 1, 1, 1), (1, 6, 6, 6), (2, 1, 1, 13), (1, 5, 5, 6)])
    def test_colour_tags(self, tmp_path, container, tags):
        names = ("color_range", "colorspace", "color_primaries", "color_trc")
        write_film(tmp_path / "in.mp4", **dict(zip(names, tags, strict=True)))
        double(tmp_path / "in.mp4", tmp_path / f"out.{container}")
        assert probe(tmp_path / "in.mp4").tags == tags
        assert probe(tmp_path / f"out.{container}").tags == tags

    @pytest.mark.parametrize("lines", [48, 720])
    def test_the_matrix_that_players_take_for_the_size_is_named(self, tmp_path, lines):
        write_film(tmp_path / "in.mp4", 2, size=(64, lines))
        double(tmp_path / "in.mp4", tmp_path / "out.mp4")
        assert probe(tmp_path / "out.mp4").tags[:2] == (1, 1 if lines > 576 else 6)

    @pytest.mark.parametrize("tags", [TAGS, {**TAGS, "colorspace": 6}, {**TAGS, "color_range": 2}])
    @pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
    def test_colours(self, tmp_path, tags, pixels):
        write_film(tmp_path / "in.mp4", pixels=pixels, **tags)
        double(tmp_path / "in.mp4", tmp_path / "out.mp4")
        assert probe(tmp_path / "out.mp4").pixels.replace("yuvj", "yuv") == pixels
        before, after = frames_of(tmp_path / "in.mp4"), frames_of(tmp_path / "out.mp4")
        assert np.abs(after[:, ::2, ::2].mean((1, 2)) - before.mean((1, 2))).max() <= 2

    @pytest.mark.parametrize(
        ("codec", "pixels", "target", "said"),
        [
            ("libx264", "yuv420p10le", "mp4", "hevc"),
            ("libx265", "yuv422p10le", "mkv", "hevc"),
            ("libx265", "yuv420p12le", "mkv", "hevc"),
            ("libx264", "yuv420p10le", "webm", "av1"),
        ],
    )
    def test_bits_and_hdr_tags(self, tmp_path, codec, pixels, target, said):
        tags = {"color_range": 1, "colorspace": 9, "color_primaries": 9, "color_trc": 16}
        with av.open(str(tmp_path / "in.mkv"), "w") as result:
            stream = add_pictures(result, codec=codec, pixels=pixels, options={"crf": "5"}, **tags)
            ramp = np.linspace(16000, 20000, 64, dtype=np.uint16)
            image = np.broadcast_to(ramp[None, :, None], (48, 64, 3)).copy()
            encode(result, stream, [image] * 3)
        seen = []

        def look(image):
            seen.append(image)
            return twice(image)

        made = video.upscale_video(
            tmp_path / "in.mkv", tmp_path / f"out.{target}", look, lambda h, w: (2 * h, 2 * w)
        )
        after = probe(tmp_path / f"out.{target}")
        assert (after.pixels, after.tags) == (pixels, (1, 9, 9, 16))
        assert said in made.notes
        assert "its values are PQ (HDR), upscaled as if they were sRGB" in made.notes
        assert seen[0].dtype == np.uint16
        assert len(np.unique(seen[0][..., 1])) > 40  # eight bits have sixteen here

    @pytest.mark.parametrize(
        ("transfer", "named"), [(8, "linear light"), (16, "PQ (HDR)"), (18, "HLG (HDR)")]
    )
    def test_values_that_a_network_misreads_are_named(self, tmp_path, transfer, named):
        write_film(tmp_path / "in.mkv", 2, pixels="yuv420p10le", color_trc=transfer)
        made = double(tmp_path / "in.mkv", tmp_path / "out.mkv")
        assert f"its values are {named}, upscaled as if they were sRGB" in made.notes
        assert probe(tmp_path / "out.mkv").tags[3] == transfer

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    @pytest.mark.parametrize("flip", [False, True])
    def test_turned_upright(self, tmp_path, degrees, flip):
        with av.open(str(tmp_path / "in.mp4"), "w") as result:
            stream = add_pictures(result, sample_aspect_ratio=Fraction(4, 3))
            stream.set_display_rotation(degrees, hflip=flip)
            encode(result, stream, [picture(n) for n in range(3)])
        made = double(tmp_path / "in.mp4", tmp_path / "out.mp4")
        after = probe(tmp_path / "out.mp4")
        assert after.turned == 0
        assert "turned upright" in made.notes
        shown = np.rot90(picture(2), degrees // 90)
        shown = shown[:, ::-1] if flip else shown
        assert after.sides == (2 * shown.shape[1], 2 * shown.shape[0])
        assert after.shape == (Fraction(4, 3) if degrees == 180 else Fraction(3, 4))
        last = frames_of(tmp_path / "out.mp4")[-1, ::2, ::2].astype(int)
        assert np.abs(last - shown).mean() < 6

    @pytest.mark.parametrize(
        ("source", "target", "sound"),
        [("mp4", "mp4", "aac"), ("mp4", "mkv", "aac"), ("mkv", "webm", "libopus"),
         ("mkv", "mov", "pcm_s16le"), ("mov", "mkv", "pcm_s16le"), ("mkv", "mkv", "flac")],
    )  # fmt: skip
    def test_sound_is_copied(self, tmp_path, source, target, sound):
        write_film(tmp_path / f"in.{source}", 20, sound=sound)
        double(tmp_path / f"in.{source}", tmp_path / f"out.{target}")
        before, after = probe(tmp_path / f"in.{source}"), probe(tmp_path / f"out.{target}")
        (key, packets), (copy, copies) = *before.others.items(), *after.others.items()
        assert key[1:] == copy[1:]
        assert b"".join(packets) == b"".join(copies)

    def test_subtitles_languages_and_chapters(self, tmp_path):
        with av.open(str(tmp_path / "in.mkv"), "w") as result:
            stream = add_pictures(result, rate=10)
            words = result.add_mux_stream("subrip", time_base=Fraction(1, 1000))
            words.metadata["language"] = "fin"
            words.disposition = av.stream.Disposition.forced
            result.metadata["title"] = "Päiväkirja"
            unit = Fraction(1, 1000)
            chapters = [(1, 0, 400, "one"), (2, 400, 900, "two")]
            result.set_chapters(
                [
                    {"id": i, "start": a, "end": b, "time_base": unit, "metadata": {"title": t}}
                    for i, a, b, t in chapters
                ]
            )
            packet = av.Packet("Hyvää päivää".encode())
            packet.stream, packet.pts, packet.dts, packet.duration = words, 100, 100, 500
            packet.time_base = unit
            encode(result, stream, [picture(n) for n in range(10)])
            result.mux(packet)
        double(tmp_path / "in.mkv", tmp_path / "out.mkv")
        before, after = probe(tmp_path / "in.mkv"), probe(tmp_path / "out.mkv")
        assert before.others == after.others
        assert next(iter(after.others.values())) == ["Hyvää päivää".encode()]
        assert before.chapters == after.chapters == [(0.0, "one"), (0.4, "two")]
        assert after.metadata["title"] == "Päiväkirja"
        with av.open(str(tmp_path / "out.mkv")) as film:
            assert film.streams.subtitles[0].language == "fin"
            assert film.streams.subtitles[0].disposition & av.stream.Disposition.forced

    @pytest.mark.parametrize("container", ["mp4", "mkv", "mov"])
    def test_words_and_what_becomes_of_them(self, tmp_path, container):
        said = {"title": "T", "comment": "C", "creation_time": "2020-01-02T03:04:05.000000Z"}
        write_film(tmp_path / "in.mkv", metadata={**said, "odd_word": "x"})
        made = double(tmp_path / "in.mkv", tmp_path / f"out.{container}")
        after = probe(tmp_path / f"out.{container}")
        assert said.items() <= after.metadata.items()
        lost = "odd_word" not in after.metadata
        assert lost == any("odd_word" in note.lower() for note in made.notes)
        assert lost == (container != "mkv")
        made = double(tmp_path / "in.mkv", tmp_path / f"out.{container}", strip=True)
        assert not set(said) & set(probe(tmp_path / f"out.{container}").metadata)
        assert made.notes == ["h264"]

    def test_attachments_and_covers_are_kept_or_named(self, tmp_path):
        with av.open(str(tmp_path / "in.mkv"), "w") as result:
            stream = add_pictures(result)
            result.add_attachment("font.ttf", "application/x-truetype-font", b"font" * 9)
            encode(result, stream, [picture(n) for n in range(3)])
        made = double(tmp_path / "in.mkv", tmp_path / "out.mkv")
        with av.open(str(tmp_path / "out.mkv")) as film:
            assert [a.data for a in film.streams.attachments] == [b"font" * 9]
        assert made.notes == ["h264"]
        made = double(tmp_path / "in.mkv", tmp_path / "out.mp4")
        assert made.notes[-1] == "not kept: attachment stream 1 (font.ttf)"

    def test_odd_sides(self, tmp_path):
        write_film(tmp_path / "in.mp4")
        made = video.upscale_video(
            tmp_path / "in.mp4",
            tmp_path / "out.mp4",
            lambda image: np.pad(twice(image), ((0, 1), (0, 1), (0, 0))),
            lambda h, w: (2 * h + 1, 2 * w + 1),
        )
        assert (made.width, made.height) == probe(tmp_path / "out.mp4").sides == (128, 96)
        assert "an odd side lost a pixel" in made.notes


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_quality_and_codec(tmp_path, codec):
    """42 dB without a word about quality; more for a better one."""
    astronaut = pytest.importorskip("skimage.data").astronaut()
    images = [np.ascontiguousarray(astronaut[3 * n :, 2 * n :][:192, :256]) for n in range(6)]
    with av.open(str(tmp_path / "in.mkv"), "w") as result:
        stream = add_pictures(result, size=(256, 192), options={"qp": "0"}, **TAGS)
        encode(result, stream, images)
    given = frames_of(tmp_path / "in.mkv").astype(float)
    error = {}
    for crf in (None, 4):
        video.upscale_video(
            tmp_path / "in.mkv", tmp_path / "out.mkv", np.copy, lambda *s: s, codec=codec, crf=crf
        )
        error[crf] = ((frames_of(tmp_path / "out.mkv") - given) ** 2).mean()
    assert probe(tmp_path / "out.mkv").codec in (codec, "libdav1d")
    assert 10 * np.log10(255**2 / error[None]) > 41
    assert error[4] < error[None]


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Linux lists its threads there")
def test_no_thread_becomes_urgent(tmp_path, codec):
    """SVT-AV1 takes real-time priority where it may, as root: all else would have to wait."""
    write_film(tmp_path / "in.mkv", 5, size=(128, 96))
    policies = set()

    def note(image):
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):  # it has ended
                policies.add(os.sched_getscheduler(int(thread)))
        return image

    video.upscale_video(tmp_path / "in.mkv", tmp_path / "out.mkv", note, lambda *s: s, codec=codec)
    assert policies == {os.SCHED_OTHER}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_progress_counts_frames(tmp_path):
    write_film(tmp_path / "in.mkv", 7)
    seen = []
    double(tmp_path / "in.mkv", tmp_path / "out.mkv", progress=lambda *args: seen.append(args))
    assert seen == [(n, 7) for n in range(1, 8)]


def test_a_turn_that_is_none():
    class Item(bytes):
        type = av.sidedata.sidedata.Type.DISPLAYMATRIX

    class Frame:
        side_data = (Item(struct.pack("=9i", 46341, 46341, 0, -46341, 46341, 0, 0, 0, 2**30)),)
        rotation = -45

    with pytest.raises(ImageError, match="turned by -45 degrees"):
        video_frames._turn(Frame(), "in.mp4")


def test_a_full_disk(tmp_path):
    """A limit on the size of files stands for it."""
    write_film(tmp_path / "in.mp4", 10, size=(160, 120))
    script = f"""
import resource, signal, numpy
from sr_ops.errors import FileError
from sr_ops.imaging.io import video
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
noise = numpy.random.default_rng(0)
for name in ("out.mp4", "out.mkv"):
    try:
        video.upscale_video(
            {str(tmp_path / "in.mp4")!r}, {str(tmp_path)!r} + "/" + name,
            lambda image: noise.integers(0, 256, image.shape, numpy.uint8), lambda *size: size,
        )
    except FileError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("cannot be written: File too large") == 2
    assert os.listdir(tmp_path) == ["in.mp4"]


def test_frames_are_freed_when_they_are_done_with(tmp_path):
    """Not when the garbage collector comes by: it counts objects, and does not see their size."""
    write_film(tmp_path / "in.mkv", 60, codec="mpeg4", rate=10)
    alive, frames = [], itertools.count(1)

    def look(image):
        if next(frames) % 10 == 0:  # each look goes through all objects of the process
            alive.append(sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()))
        return image

    gc.collect()
    gc.disable()
    try:
        video.upscale_video(tmp_path / "in.mkv", tmp_path / "out.mkv", look, lambda *size: size)
    finally:
        gc.enable()
    assert len(alive) == 6
    assert max(alive) < 30  # the decoder's threads hand out their last frames together
    assert alive[-1] < 30


@pytest.mark.long
def test_memory_does_not_grow_with_the_film(tmp_path):
    """Peak memory of more frames, in processes of their own; a quarter of their RGB is allowed."""
    script = """
import re, sys
from sr_ops.imaging.io import video
video.upscale_video(sys.argv[1], sys.argv[2], lambda image: image, lambda *size: size)
print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
"""
    peaks = []
    for count in (250, 1200):
        write_film(tmp_path / "in.mp4", count, size=(320, 240), codec="mpeg4", sound="aac")
        command = [sys.executable, "-c", script, tmp_path / "in.mp4", tmp_path / "out.mp4"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) * 1024)
    assert peaks[1] < peaks[0] + (1200 - 250) * 320 * 240 * 3 / 4

"""Films: what was in the file before is there after."""

import contextlib
import gc
import os
import struct
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from films import RATE, add_pictures, encode, encode_sound, frames_of, picture, probe, write_film

from sr_ops.errors import FileError, ImageError, InvalidArgumentError, MissingDependencyError
from sr_ops.imaging.io import video, video_codecs, video_frames

TAGS = {"color_range": 1, "colorspace": 1, "color_primaries": 1, "color_trc": 1}


def twice(image):
    return image.repeat(2, axis=0).repeat(2, axis=1)


def double(source, target, **keywords):
    return video.upscale_video(source, target, twice, lambda h, w: (2 * h, 2 * w), **keywords)


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


class TestRefused:
    """One error, and nothing written."""

    def refused(self, folder, source, part, kind=ImageError, target="out.mkv", **keywords):
        before = sorted(os.listdir(folder))
        with pytest.raises(kind, match=part) as caught:
            double(folder / source, folder / target, **keywords)
        assert "\n" not in str(caught.value)
        assert sorted(os.listdir(folder)) == before

    def test_not_a_film(self, tmp_path):
        (tmp_path / "empty.mp4").write_bytes(b"")
        (tmp_path / "noise.mkv").write_bytes(bytes(range(256)) * 9)
        (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\n/etc/hosts\n")
        (tmp_path / "script.avi").write_text("ffconcat version 1.0\nfile '/etc/hosts'\n")
        for name in ("empty.mp4", "noise.mkv", "list.mp4", "script.avi"):
            self.refused(tmp_path, name, "not a video that can be read")
        self.refused(tmp_path, "none.mp4", "no such file", FileError)

    def test_sound_alone(self, tmp_path):
        with av.open(str(tmp_path / "in.mp4"), "w") as result:
            stream = result.add_stream("aac", rate=48000)
            encode_sound(result, stream, 0.2)
        self.refused(tmp_path, "in.mp4", "no moving pictures")

    @pytest.mark.parametrize("container", ["mp4", "mkv", "mov", "avi"])
    @pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
    def test_cut_short(self, tmp_path, container, part):
        options = {"movflags": "faststart"} if container in ("mp4", "mov") else {}
        with av.open(str(tmp_path / f"in.{container}"), "w", options=options) as result:
            stream = add_pictures(result, rate=10, codec="mpeg4", size=(160, 120))
            noise = np.random.default_rng(0).integers(0, 256, (30, 120, 160, 3), np.uint8)
            encode(result, stream, noise)
        data = (tmp_path / f"in.{container}").read_bytes()
        (tmp_path / f"in.{container}").write_bytes(data[: int(len(data) * part)])
        self.refused(tmp_path, f"in.{container}", "cut short|damaged")

    def test_announced_numbers_are_not_believed(self, tmp_path):
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
        self.refused(tmp_path, "long.mkv", "cut short: it ends at 3.00 s of 1000000.00 s")
        self.refused(tmp_path, "long.avi", "cut short: it ends at 3.00 s of")
        seen = []
        double(tmp_path / "long.mp4", tmp_path / "out.mp4", progress=lambda *n: seen.append(n))
        assert seen[-1] == (30, 30)
        os.remove(tmp_path / "out.mp4")
        assert double(tmp_path / "wide.mp4", tmp_path / "out.mp4").width == 128
        os.remove(tmp_path / "out.mp4")
        self.refused(tmp_path, "in.mp4", "64 x 48 pixels are more than max_pixels", max_pixels=64)

    def test_damage_in_the_middle(self, tmp_path):
        write_film(tmp_path / "in.avi", 9, codec="png", pixels="rgb24")
        data = bytearray((tmp_path / "in.avi").read_bytes())
        place = data.index(b"IDAT", len(data) // 2)
        data[place : place + 40] = bytes(40)
        (tmp_path / "in.avi").write_bytes(data)
        self.refused(tmp_path, "in.avi", "damaged")

    def test_no_decoder(self, tmp_path):
        write_film(tmp_path / "in.mp4")
        data = (tmp_path / "in.mp4").read_bytes()
        (tmp_path / "in.mp4").write_bytes(data.replace(b"avc1", b"zzz1"))
        self.refused(tmp_path, "in.mp4", "no decoder")

    def test_no_encoder(self, tmp_path, monkeypatch):
        write_film(tmp_path / "in.mp4")
        gone = video_codecs._CODECS["h264"]._replace(encoder="libnone")
        monkeypatch.setitem(video_codecs._CODECS, "h264", gone)
        self.refused(tmp_path, "in.mp4", "no encoder libnone", MissingDependencyError)

    def test_no_pyav(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "av", None)
        self.refused(tmp_path, "in.mp4", r"pip install 'sr-ops\[video\]'", MissingDependencyError)

    def test_interlaced(self, tmp_path):
        write_film(tmp_path / "in.mp4", options={"x264-params": "tff=1"})
        self.refused(tmp_path, "in.mp4", "interlaced .frame 1.*bwdif")

    @pytest.mark.parametrize(
        ("name", "codec", "pixels"),
        [("in.mov", "png", "rgba"), ("in.webm", "libvpx-vp9", "yuva420p")],
    )
    def test_transparent(self, tmp_path, name, codec, pixels):
        write_film(tmp_path / name, codec=codec, pixels=pixels)
        self.refused(tmp_path, name, "transparency")

    def test_a_size_that_changes(self, tmp_path):
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
        self.refused(tmp_path, "in.avi", "frame 3 has 80 x 48 pixels, those before it 64 x 48")

    def test_what_the_container_cannot_hold(self, tmp_path):
        write_film(tmp_path / "in.mp4", sound="aac")
        self.refused(tmp_path, "in.mp4", "cannot hold audio stream 1 .aac.; use .mkv",
                     target="out.webm")  # fmt: skip
        write_film(tmp_path / "deep.mkv", codec="libx265", pixels="yuv422p12le")
        self.refused(tmp_path, "deep.mkv", "12 bits.*vp9 and av1 cannot.*--codec hevc and .mkv",
                     target="out.webm")  # fmt: skip

    def test_arguments(self, tmp_path):
        write_film(tmp_path / "in.mp4")
        bad = InvalidArgumentError
        self.refused(tmp_path, "in.mp4", "codec: .webm takes no h264; use vp9, av1, or .mkv", bad,
                     target="out.webm", codec="h264")  # fmt: skip
        self.refused(tmp_path, "in.mp4", "codec: got 'x'", bad, codec="x")
        self.refused(tmp_path, "in.mp4", "crf: got 52, expected 0 .best. to 51", bad, crf=52)
        self.refused(tmp_path, "in.mp4", "would replace its source", bad, target="in.mp4")
        self.refused(tmp_path, "in.mp4", r"no video format ends so; use .mp4", target="out.avi")

    def test_a_result_without_pixels(self, tmp_path):
        write_film(tmp_path / "in.mp4")
        with pytest.raises(ImageError, match="smaller than any codec"):
            video.upscale_video(
                tmp_path / "in.mp4", tmp_path / "out.mp4", lambda i: i[:1, :1], lambda *_: (1, 1)
            )


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
    alive = []

    def look(image):
        alive.append(sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()))
        return image

    gc.collect()
    gc.disable()
    try:
        video.upscale_video(tmp_path / "in.mkv", tmp_path / "out.mkv", look, lambda *size: size)
    finally:
        gc.enable()
    assert len(alive) == 60
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

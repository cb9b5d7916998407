"""Folders, patterns, streams and videos through the command line."""

import os
import signal
import struct
import subprocess
import sys
import zlib

import av
import numpy as np
import pytest
from films import add_pictures, encode, frames_of, probe, write_film
from films import picture as picture_of_film

import sr_ops
from sr_ops.imaging import read_image, write_image
from sr_ops.imaging.io.files import decode_image, encode_image


def picture(seed, shape=(12, 16, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, name in enumerate(("a.png", "b.jpg", "c.webp", "d.tif", "e.BMP")):
        write_image(folder / name, picture(seed))
    (folder / "notes.txt").write_text("not a picture")
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_folder(run, photos, tmp_path, jobs):
    out = tmp_path / "new" / "out"
    code, text, err = run("upscale", photos, out, "-s", 1.5, "-j", jobs)
    assert (code, err) == (0, "")
    assert "5 of 5 pictures" in text
    assert names(out) == ["a.png", "b.jpg", "c.webp", "d.tif", "e.BMP"]
    expected = sr_ops.upscale_image(picture(0), 1.5)
    np.testing.assert_array_equal(read_image(out / "a.png"), expected)


def test_what_is_no_file_in_a_folder(run, photos, tmp_path):
    os.mkfifo(photos / "pipe.png")
    (photos / "folder.png").mkdir()
    assert "5 of 5" in run("upscale", photos, tmp_path / "out", "-m", "bicubic")[1]


def test_videos_in_a_folder_are_named(run, photos, tmp_path):
    (photos / "film.mp4").write_bytes(b"")
    code, text, err = run("upscale", photos, tmp_path / "out", "-m", "bicubic", "-s", 2)
    assert (code, err) == (0, "")
    assert "5 of 5 pictures" in text
    assert "videos are upscaled one at a time (film.mp4)" in text


def test_a_pattern_and_another_format(run, photos, tmp_path):
    out = tmp_path / "out"
    assert run("upscale", photos / "[ab].*", out, "-m", "bicubic", "--format", "PNG")[0] == 0
    assert names(out) == ["a.png", "b.png"]


def test_several_files(run, photos, tmp_path):
    out = tmp_path / "out"
    assert run("upscale", photos / "a.png", photos / "d.tif", out, "-m", "bicubic")[0] == 0
    assert names(out) == ["a.png", "d.tif"]


def test_one_file_into_a_folder(run, photos, tmp_path):
    (tmp_path / "out").mkdir()
    assert run("upscale", photos / "a.png", tmp_path / "out", "-m", "bicubic")[0] == 0
    assert names(tmp_path / "out") == ["a.png"]


def test_one_bad_file_does_not_stop_the_others(run, photos, tmp_path):
    (photos / "b.jpg").write_bytes(b"")
    (photos / "c.webp").write_bytes((photos / "c.webp").read_bytes()[:-9])
    out = tmp_path / "out"
    code, text, err = run("upscale", photos, out, "-s", 1.5, "-j", 2)
    assert code == 2
    assert "3 of 5 pictures" in text
    assert sorted(line.rpartition("/")[2] for line in err.splitlines()) == [
        "b.jpg: the file is empty",
        "c.webp: the file is cut short",
    ]
    assert names(out) == ["a.png", "d.tif", "e.BMP"]


@pytest.mark.parametrize(
    ("sources", "part"),
    [
        (["nothing*.png"], "no file fits"),
        (["empty"], "no pictures in this folder"),
        (["photos/a.png", "more/a.png"], "would both become"),
        (["", "photos/a.png"], "'' names no picture"),
        (["photos/a.png", "photos/d.tif", "--format", "xyz"], "format: '.xyz' is none of"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_what_cannot_be_planned(run, tmp_path, monkeypatch, sources, part):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "more").mkdir()
    write_image(tmp_path / "more" / "a.png", picture(0))
    code, _, err = run("upscale", *sources, "out")
    assert code == 2
    assert part in err
    assert not (tmp_path / "out").exists()


def test_folders_within_folders(run, photos, tmp_path):
    """The tree is mirrored; hidden files and what systems leave behind are none of ours."""
    deep = photos / "2026" / "june"
    deep.mkdir(parents=True)
    write_image(deep / "f.png", picture(7))
    for name in (".hidden.png", "._a.png", "Thumbs.db", "desktop.ini"):
        (photos / name).write_bytes(b"nothing")
    out = photos / "out"
    code, text, err = run("upscale", photos, out, "-m", "bicubic", "--recursive")
    assert (code, err) == (0, "")
    assert "6 of 6 pictures upscaled; 1 skipped: not pictures (notes.txt)" in text
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.*")) == [
        "2026/june/f.png", "a.png", "b.jpg", "c.webp", "d.tif", "e.BMP",
    ]  # fmt: skip
    again = run("upscale", photos, out, "-m", "bicubic", "-r", "--skip-existing")[1]
    assert (
        "0 of 0 pictures upscaled; 1 skipped: not pictures (notes.txt); 6 skipped: already" in again
    )


def test_only_the_rest_is_done(run, photos, tmp_path):
    out = tmp_path / "out"
    assert run("upscale", photos, out, "-m", "bicubic")[0] == 0
    before = (out / "a.png").stat().st_mtime_ns
    (out / "b.jpg").unlink()
    code, text, _ = run("upscale", photos, out, "-m", "bicubic", "--skip-existing")
    assert code == 0
    assert "1 of 1 pictures upscaled" in text
    assert "4 skipped: already there (a.png, c.webp, d.tif, e.BMP)" in text
    assert (out / "a.png").stat().st_mtime_ns == before
    code, _, err = run("upscale", photos / "a.png", out / "a.png", "--no-overwrite")
    assert (code, "exists already; pass --overwrite or --skip-existing" in err) == (2, True)
    code, _, err = run("upscale", photos, out, "--no-overwrite")
    assert (code, err.count("exists already")) == (2, 5)
    assert run("upscale", photos / "a.png", out / "a.png", "--skip-existing")[0] == 0
    assert (out / "a.png").stat().st_mtime_ns == before


def test_options_of_one_picture_alone(run, photos, tmp_path):
    code, _, err = run("upscale", photos, tmp_path / "out", "--compare", tmp_path / "c.html")
    assert (code, "--compare: works on one picture at a time" in err) == (2, True)
    code, _, err = run("upscale", photos / "a.png", tmp_path / "b.png", "--format", "png")
    assert (code, f"--format: {tmp_path / 'b.png'} is a file, whose ending" in err) == (2, True)
    code, _, err = run("eval", photos, "--scale", "0.5")
    assert (code, "--scale: got [0.5], expected finite numbers >= 1" in err) == (2, True)
    assert names(tmp_path) == ["photos"]


def test_what_a_file_holds_counts(run, tmp_path):
    """Whatever its ending says, or if it has none."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    jpeg = encode_image(picture(0), "a.jpg")
    for name in ("a.jfif", "b.png", "c", "d.dat"):
        (folder / name).write_bytes(jpeg)
    code, text, err = run("upscale", folder, out, "-m", "bicubic")
    assert (code, err) == (0, "")
    assert "4 of 4" in text
    assert names(out) == ["a.jfif", "b.png", "c.jpg", "d.jpg"]
    assert (out / "a.jfif").read_bytes().startswith(b"\xff\xd8")
    assert (out / "b.png").read_bytes().startswith(b"\x89PNG")


def test_two_pictures_of_one_name(run, photos, tmp_path):
    """They are named, and the rest is done."""
    write_image(photos / "a.tif", picture(9))
    code, text, err = run("upscale", photos, tmp_path / "out", "-m", "bicubic", "--format", "jpg")
    assert (code, err.count("\n")) == (2, 1)
    assert "a.png and " in err
    assert "a.tif would both become" in err
    assert names(tmp_path / "out") == ["b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    assert "4 of 5 pictures upscaled" in text


def test_a_dry_run_writes_nothing(run, photos, tmp_path):
    out = tmp_path / "out"
    code, text, err = run("upscale", photos, out, "-m", "bicubic", "-s", 2, "--dry-run")
    assert (code, err) == (0, "")
    assert "a.png: 16 x 12 -> 32 x 24 (bicubic), about 0.0 s and 0 MiB" in text
    assert "5 pictures would be upscaled; 1 skipped: not pictures (notes.txt)" in text
    assert not out.exists()
    (photos / "b.jpg").write_bytes(b"")
    code, _, err = run("upscale", photos, out, "-m", "bicubic", "--dry-run")
    assert (code, "b.jpg: the file is empty" in err) == (2, True)


def test_results_do_not_replace_their_sources(run, photos):
    before = {path: path.read_bytes() for path in photos.iterdir()}
    code, _, err = run("upscale", photos, photos)
    assert code == 2
    assert "would replace its source" in err
    assert {path: path.read_bytes() for path in photos.iterdir()} == before


def test_a_file_in_the_place_of_the_folder(run, photos, tmp_path):
    (tmp_path / "out").write_text("")
    code, _, err = run("upscale", photos, tmp_path / "out")
    assert code == 2
    assert "File exists" in err


def test_stdin_and_stdout(photos):
    command = [sys.executable, "-m", "sr_ops", "upscale", "-", "-", "-s", "1.5", "-m", "bicubic"]
    for options, signature in (([], b"\x89PNG"), (["--format", "webp"], b"RIFF")):
        data = (photos / "a.png").read_bytes()
        done = subprocess.run(command + options, input=data, capture_output=True, check=True)
        assert done.stdout.startswith(signature)
        assert decode_image(done.stdout).shape == (18, 24, 3)
        assert b"16 x 12 -> 24 x 18" in done.stderr


@pytest.mark.parametrize("paths", [("-", "out/"), ("photos/a.png", "-", "out"), ("photos", "-")])
@pytest.mark.usefixtures("photos")
def test_streams_take_one_picture(run, tmp_path, monkeypatch, paths):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("upscale", *paths)
    assert (code, err.count("\n")) == (2, 1)
    assert "take one picture" in err
    assert names(tmp_path) == ["photos"]


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
@pytest.mark.parametrize("name", [b"caf\xe9.png", "caf\u00e9.png".encode()])
def test_names_that_the_terminal_cannot_show(photos, tmp_path, encoding, name):
    """The picture is written, and the line that says so cannot fail."""
    os.rename(photos / "a.png", photos / os.fsdecode(name))
    command = [sys.executable, "-m", "sr_ops", "upscale", photos, tmp_path / "out", "-m", "bicubic"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert done.stderr == b""
    assert b"5 of 5 pictures upscaled" in done.stdout
    assert name in os.listdir(os.fsencode(tmp_path / "out"))


def test_a_folder_that_may_not_be_read(run, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    code, _, err = run("upscale", tmp_path, tmp_path / "out")
    assert (code, err) == (2, f"sr-ops: error: {tmp_path}: cannot be read: Permission denied\n")


def test_stdin_that_is_no_picture():
    command = [sys.executable, "-m", "sr_ops", "upscale", "-", "-"]
    done = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"sr-ops: error: stdin: the file is empty\n"


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff\xe0\x00\x04xx\xff\xda\x00\x04xx\xff\xd9", b"BM", b"II*\0"]
)
def test_decoders_do_not_speak(photos, tmp_path, content):
    """In a process of its own, since decoders write past Python's stderr."""
    (photos / "a.png").write_bytes(content)
    command = [sys.executable, "-m", "sr_ops", "upscale", photos / "a.png", tmp_path / "out.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_decoders_that_only_warn_do_not_speak_either(photos, tmp_path):
    """libpng and libjpeg warn on stderr itself; the picture is fine, and so is the result."""
    png = (photos / "a.png").read_bytes()
    body = b"iCCPbad\0\0" + zlib.compress(b"no profile")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    (photos / "a.png").write_bytes(png[:33] + chunk + png[33:])
    jpeg = (photos / "b.jpg").read_bytes()
    (photos / "b.jpg").write_bytes(jpeg[:-2] + b"\x12\x34\x56" + jpeg[-2:])
    for name in ("a.png", "b.jpg"):
        command = [sys.executable, "-m", "sr_ops", "upscale", photos / name, tmp_path / "out.png"]
        done = subprocess.run(
            [*command, "-m", "bicubic"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("part", ["damaged", "cut short", "without its index"])
def test_decoders_of_videos_do_not_speak_either(tmp_path, part):
    """FFmpeg's text would stand beside our line; in Python, too, where nothing of it is dropped."""
    source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    options = {"movflags": "faststart"} if part == "cut short" else {}
    with av.open(str(source), "w", options=options) as result:
        noise = np.random.default_rng(0).integers(0, 256, (20, 64, 80, 3), np.uint8)
        encode(result, add_pictures(result, rate=10, size=(80, 64)), noise)
    data = bytearray(source.read_bytes())
    if part == "damaged":
        data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    else:
        del data[len(data) // 2 :]
    source.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "sr_ops", "upscale", source, out, "-m", "bicubic"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"sr-ops: error: {source}: ")
    assert done.stderr.count("\n") == 1
    code = f"""
from sr_ops.errors import ImageError
from sr_ops.imaging.io.video import upscale_video
try:
    upscale_video({str(source)!r}, {str(out)!r}, lambda frame: frame, lambda h, w: (h, w))
except ImageError as error:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("refused\n", "")
    assert names(tmp_path) == [source.name]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_video(run, tmp_path, suffix):
    write_film(tmp_path / "in.mkv", 5, rate=10)
    out = tmp_path / f"out{suffix}"
    code, text, err = run("upscale", tmp_path / "in.mkv", out, "-s", 1.7, "-m", "bicubic")
    assert (code, err) == (0, "")
    codec = "vp9" if suffix == ".webm" else "h264"
    assert f"5 frames of 108 x 80 (bicubic; {codec}; an odd side lost a pixel)" in text
    assert probe(out).rate == 10
    for index, frame in enumerate(frames_of(out)):
        assert np.abs(frame.mean((0, 1)) - picture_of_film(index).mean((0, 1))).max() < 8


def test_options_of_videos(run, tmp_path):
    write_film(tmp_path / "in.mp4", 3, sound="aac", metadata={"title": "T"})
    arguments = ("upscale", tmp_path / "in.mp4", tmp_path / "out.mkv", "-m", "bicubic")
    code, text, err = run(*arguments, "--codec", "hevc", "--crf", 30, "--strip")
    assert (code, err) == (0, "")
    assert "hevc" in text
    assert "title" not in probe(tmp_path / "out.mkv").metadata
    written = (tmp_path / "out.mkv").read_bytes()
    assert run(*arguments, "--skip-existing") == (0, f"{tmp_path / 'out.mkv'}: already there\n", "")
    code, _, err = run(*arguments, "--no-overwrite")
    assert (code, err.count("\n")) == (2, 1)
    assert (tmp_path / "out.mkv").read_bytes() == written
    code, text, err = run(*arguments, "--dry-run")
    assert (code, err) == (0, "")
    assert "out.mkv: 3 frames, 64 x 48 -> 128 x 96, about" in text
    assert (tmp_path / "out.mkv").read_bytes() == written
    for option in (("--codec", "vp8"), ("--crf", "99"), ("--max-pixels", "64")):
        code, _, err = run(*arguments, *option)
        assert (code, err.count("\n")) == (2, 1), option


def test_options_of_videos_on_pictures(run, photos, tmp_path):
    for option in (("--codec", "hevc"), ("--crf", "20")):
        code, _, err = run("upscale", photos / "a.png", tmp_path / "out.png", *option)
        assert (code, err.count("\n")) == (2, 1)
        assert "IN is a picture" in err


def test_videos_that_cannot_be(run, tmp_path):
    write_film(tmp_path / "in.mp4", 3)
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "folder.mp4").mkdir()
    before = names(tmp_path)
    for source, target, part in (
        ("in.mp4", "out.avi", "no video format ends so"),
        ("in.mp4", "-", "no video format ends so"),
        ("in.mp4", "none/out.mp4", "no such folder"),
        ("in.mp4", "in.mp4", "would replace its source"),
        ("none.mp4", "out.mp4", "no such file"),
        ("bad.mp4", "out.mp4", "not a video"),
        ("empty.mp4", "out.mp4", "not a video"),
        ("in.mp4", "/dev/full", "no video format ends so"),
    ):
        where = target if target.startswith(("-", "/")) else tmp_path / target
        code, _, err = run("upscale", tmp_path / source, where)
        assert code == 2
        assert part in err
        assert err.count("\n") == 1
    assert names(tmp_path) == before


@pytest.mark.parametrize(
    "name", [os.fsdecode(b"in\xe9.mp4"), "http:a b%d.mp4", "-in.mkv", "päivä.mov"]
)
def test_names_of_videos(run, tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "in.mp4", 3)
    os.rename("in.mp4", name)
    (tmp_path / "out").mkdir()
    assert run("upscale", "-m", "bicubic", "--", name, f"out/{name}")[::2] == (0, "")
    assert probe(tmp_path / "out" / name).sides == (128, 96)


def stopped(number, counted, *arguments):
    """(exit code, what the terminal saw) of a command that got a signal once it had counted so."""
    pty = pytest.importorskip("pty")
    command = [sys.executable, "-m", "sr_ops", "upscale", *map(str, arguments)]
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    # A shell's background jobs ignore Ctrl-C, and what they start would, too.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stderr=child, env=environment)
    signal.signal(signal.SIGINT, ours)
    os.close(child)
    seen = b""
    while counted not in seen:
        seen += os.read(parent, 4096)
    process.send_signal(number)
    seen = b""
    try:
        while chunk := os.read(parent, 4096):
            seen += chunk
    except OSError:  # how Linux says that the terminal is closed
        pass
    return process.wait(timeout=120), seen


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"interrupted"), (signal.SIGTERM, 143, b"stopped by a signal")],
)
class TestStopped:
    """Ctrl-C, and what a supervisor sends: no unfinished file is left."""

    def test_between_tiles(self, photos, tmp_path, number, code, said):
        write_image(photos / "a.png", picture(0, (1500, 1500, 3)))
        options = ["-s", "4", "-m", "srcnn", "--tile", "64", "-b", "ort"]
        arguments = (photos / "a.png", tmp_path / "out.png", *options)
        self.check(stopped(number, b"3/8836", *arguments), code, said)
        assert names(tmp_path) == ["photos"]

    def test_between_frames(self, tmp_path, number, code, said):
        write_film(tmp_path / "in.mkv", 400, size=(320, 240), codec="mpeg4")
        arguments = (tmp_path / "in.mkv", tmp_path / "out.mkv", "-s", "4", "-m", "bicubic")
        self.check(stopped(number, b"3/400", *arguments), code, said)
        assert names(tmp_path) == ["in.mkv"]

    def test_between_pictures(self, photos, tmp_path, number, code, said):
        for index in range(200):
            write_image(photos / f"a{index}.png", picture(0, (100, 100, 3)))
        arguments = (photos, tmp_path / "out", "-s", "4", "-m", "srcnn", "--jobs", "2")
        self.check(stopped(number, b"3/205", *arguments), code, said)
        assert all(read_image(tmp_path / "out" / name).ndim for name in names(tmp_path / "out"))

    def check(self, result, code, said):
        assert result[0] == code
        assert b"sr-ops: error: " + said in result[1]
        assert b"Traceback" not in result[1]


def test_a_video_into_a_folder(run, tmp_path):
    write_film(tmp_path / "in.mp4", 3)
    (tmp_path / "out").mkdir()
    assert run("upscale", tmp_path / "in.mp4", tmp_path / "out", "-m", "bicubic")[0] == 0
    assert frames_of(tmp_path / "out" / "in.mp4").shape == (3, 96, 128, 3)


def test_videos_among_pictures(run, photos, tmp_path):
    write_film(tmp_path / "in.mp4", 3)
    code, _, err = run("upscale", photos / "a.png", tmp_path / "in.mp4", tmp_path / "out")
    assert (code, err.count("\n")) == (2, 1)
    assert "videos are upscaled one at a time" in err

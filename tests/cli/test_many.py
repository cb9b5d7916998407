"""Folders, patterns, streams and videos through the command line."""

import io
import os
import shutil
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

import sr_ops
from sr_ops.imaging import read_image, write_image
from sr_ops.imaging.files import decode_image


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
    expected = sr_ops.upscale_image(picture(0), 1.5, model="espcn")
    np.testing.assert_array_equal(read_image(out / "a.png"), expected)


def test_what_is_no_file_in_a_folder(run, photos, tmp_path):
    os.mkfifo(photos / "pipe.png")
    (photos / "folder.png").mkdir()
    assert "5 of 5" in run("upscale", photos, tmp_path / "out", "-m", "bicubic")[1]


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


def write_video(path, frames=5, size=(32, 24)):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, size)
    for i in range(frames):
        writer.write(np.full((size[1], size[0], 3), (0, 0, 40 * i), np.uint8))  # red in BGR
    writer.release()


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (result := capture.read())[0]:
        frames.append(result[1])
    return capture.get(cv2.CAP_PROP_FPS), np.array(frames)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov"])
def test_video(run, tmp_path, suffix):
    write_video(tmp_path / "in.avi")
    out = tmp_path / f"out{suffix}"
    code, text, err = run("upscale", tmp_path / "in.avi", out, "-s", 1.7)
    assert (code, err) == (0, "")
    assert "5 frames of 54 x 40, without sound" in text
    rate, frames = frames_of(out)
    assert rate == pytest.approx(10)
    assert frames.shape == (5, 40, 54, 3)
    for i, frame in enumerate(frames):
        assert np.abs(frame.mean((0, 1)) - (0, 0, 40 * i)).max() < 8


def test_videos_that_cannot_be(run, tmp_path):
    write_video(tmp_path / "in.avi")
    shutil.copy(tmp_path / "in.avi", tmp_path / os.fsdecode(b"in\xe9.avi"))
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    before = names(tmp_path)
    for source, target, part in (
        ("in.avi", "out.webm", "out.webm"),
        ("in.avi", "none/out.mp4", "no such folder"),
        ("in.avi", "in.avi", "would replace its source"),
        ("in.avi", os.fsdecode(b"out\xe9.mp4"), "not UTF-8"),
        (os.fsdecode(b"in\xe9.avi"), "out.mp4", "not UTF-8"),
        ("none.mp4", "out.mp4", "no such file"),
        ("bad.mp4", "out.mp4", "not a video"),
    ):
        code, _, err = run("upscale", tmp_path / source, tmp_path / target)
        assert code == 2
        assert part in err
        assert err.count("\n") == 1
    assert names(tmp_path) == before


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
        write_video(tmp_path / "in.avi", frames=400, size=(320, 240))
        arguments = (tmp_path / "in.avi", tmp_path / "out.avi", "-s", "4", "-m", "bicubic")
        self.check(stopped(number, b"3/400", *arguments), code, said)
        assert names(tmp_path) == ["in.avi"]

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
    write_video(tmp_path / "in.avi")
    (tmp_path / "out").mkdir()
    assert run("upscale", tmp_path / "in.avi", tmp_path / "out", "-m", "bicubic")[0] == 0
    assert frames_of(tmp_path / "out" / "in.avi")[1].shape == (5, 48, 64, 3)


def test_videos_among_pictures(run, photos, tmp_path):
    write_video(tmp_path / "in.avi")
    code, _, err = run("upscale", photos / "a.png", tmp_path / "in.avi", tmp_path / "out")
    assert (code, err.count("\n")) == (2, 1)
    assert "videos are upscaled one at a time" in err


def test_a_terminal_sees_progress(photos, tmp_path):
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "sr_ops", "upscale", photos / "a.png", tmp_path / "out.png"]
    environment = {**os.environ, "TERM": "xterm"}
    subprocess.run([*command, "--tile", "16"], stderr=child, check=True, env=environment)
    os.close(child)
    seen = io.BytesIO()
    try:
        while chunk := os.read(parent, 4096):
            seen.write(chunk)
    except OSError:  # how Linux says that the terminal is closed
        pass
    assert b"upscaling" in seen.getvalue()
    assert b"4/4" in seen.getvalue()

"""What goes wrong outside: one clear line, the right exit code, and everything else unharmed."""

import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from films import write_film
from PIL import Image

from sr_ops.imaging import read_image, write_image
from sr_ops.models import SRCNN


def picture(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    write_image(path, picture(20, 30))
    return path


def refuses(run, out, *arguments, part):
    code, said, err = run("upscale", *arguments, out, "-m", "bicubic")
    assert (code, said, err.count("\n")) == (2, "", 1), err
    assert err.startswith("sr-ops: error: ")
    assert part in err
    assert not out.exists()


def png_that_claims(height, width):
    """A sound PNG file but for its pixels, of which there is a handful."""

    def chunk(kind, body):
        return (
            struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def test_files_that_are_no_pictures(run, photo, tmp_path):
    out, bad = tmp_path / "out.png", tmp_path / "bad.png"
    whole = photo.read_bytes()
    for content, part in (
        (b"", "bad.png: the file is empty"),
        (whole[: len(whole) // 2], "bad.png: the file is cut short"),
        (whole[:60] + bytes(40) + whole[100:], "bad.png: a damaged picture"),
        (b"%PDF-1.7", "bad.png: not a picture (PNG, JPEG, WebP, AVIF, TIFF or BMP)"),
        (
            png_that_claims(60_000, 60_000),
            "are more than max_pixels=178956970 allows; raise it (--max-pixels)",
        ),
        (png_that_claims(20_000, 20_000), "bad.png: 20000 x 20000 pixels"),
    ):
        bad.write_bytes(content)
        refuses(run, out, bad, part=part)
    frames = [Image.fromarray(picture(8, 8) // n) for n in (1, 2, 3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    refuses(run, out, tmp_path / "moving.gif", part="an animation of 3 frames; extract one first")
    frames[0].save(tmp_path / "still.gif")
    refuses(run, out, tmp_path / "still.gif", part="a GIF; convert it to PNG first")
    refuses(run, out, tmp_path / "none.png", part="No such file or directory")


def test_cmyk_jpeg_and_a_single_pixel_are_pictures(run, tmp_path):
    Image.fromarray(picture(20, 30)).convert("CMYK").save(tmp_path / "cmyk.jpg")
    write_image(tmp_path / "dot.png", picture(1, 1))
    for name, shape in (("cmyk.jpg", (54, 81, 3)), ("dot.png", (2, 2, 3))):
        code, _, err = run("upscale", tmp_path / name, tmp_path / "out.png", "-s", 2.7)
        assert (code, err) == (0, "")
        assert read_image(tmp_path / "out.png").shape == shape


def test_a_hundred_megapixels(run, tmp_path):
    """They work, in tiles of bounded memory; a result that no machine could hold does not."""
    large = tmp_path / "large.png"
    pixels = np.zeros((10_000, 10_000), np.uint8)
    pixels[:100] = np.random.default_rng(0).integers(0, 256, (100, 10_000))
    write_image(large, pixels)
    code, text, err = run("upscale", large, tmp_path / "out.png", "--width", 500)
    assert (code, err) == (0, "")
    assert "10000 x 10000 -> 500 x 500" in text
    out = tmp_path / "larger.png"
    refuses(run, out, large, "-s", 5000, part="of memory; ")


def test_scales_that_exceed_memory(run, photo, tmp_path):
    refuses(run, tmp_path / "out.png", photo, "-s", 1_000_000, part="scale: ")
    refuses(run, tmp_path / "out.png", photo, "-s", 1e12, part="scale: ")


@pytest.mark.parametrize("option", ["--width", "--height", "--scale"])
def test_numbers_beyond_float64(run, photo, tmp_path, option):
    refuses(run, tmp_path / "out.png", photo, option, "9" * 400, part=f"{option[2:]}: got ")


class Bomb:
    def __reduce__(self):
        return os.system, ("touch went-off",)


def test_checkpoints_that_are_none(run, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"layer.weight": torch.zeros(3)}, "other.pth")
    torch.save({"conv1.weight": Bomb()}, "bomb.pth")
    (tmp_path / "raw.pth").write_bytes(pickle.dumps({"conv1.weight": Bomb()}))
    weights = SRCNN().state_dict()
    del weights["conv2.bias"]
    torch.save(weights, "part.pth")
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x08")
    for model, part in (
        ("other.pth", "of no known architecture"),
        ("bomb.pth", "refused: the file is not a plain checkpoint"),
        ("raw.pth", "refused: the file is not a plain checkpoint"),
        ("part.pth", "missing conv2.bias"),
        ("cut.onnx", "cut.onnx"),
    ):
        code, said, err = run("upscale", photo, "out.png", "--model", model)
        assert (code, said, err.count("\n")) == (2, "", 1), err
        assert part in err
    assert not (tmp_path / "out.png").exists()
    assert not (tmp_path / "went-off").exists()


def in_a_child(*arguments, before=""):
    """The command in a process of its own, whose limits are its own."""
    code = f"import sys\n{before}\nfrom sr_ops import cli\nsys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_room_for_the_result(tmp_path):
    """A limit on the size of files ends a write halfway, as a full disk does."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    out.mkdir()
    write_image(photos / "large.png", picture(200, 300))
    write_image(photos / "small.png", picture(10, 10))
    write_image(out / "large.png", picture(5, 5))
    before = (out / "large.png").read_bytes()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))"
    done = in_a_child("upscale", photos, out, "-m", "bicubic", before=limit)
    assert done.returncode == 2
    assert done.stderr == f"sr-ops: error: {out}/large.png: cannot be written: File too large\n"
    assert "1 of 2 pictures upscaled" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ["large.png", "small.png"]
    assert (out / "large.png").read_bytes() == before


UNPRIVILEGED = """
import os
from sr_ops import cli
assert cli.main(["upscale", sys.argv[2], sys.argv[2] + ".first.png", "-m", "bicubic"]) == 0
os.seteuid(65534 if os.geteuid() == 0 else os.geteuid())
"""


def test_a_folder_that_may_not_be_written_to():
    """Without root's privileges, which are given up once everything is imported."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "locked")
        folder.mkdir()
        write_image(Path(name, "photo.png"), picture(20, 30))
        folder.chmod(0o555)
        Path(name).chmod(0o755)
        arguments = ("upscale", Path(name, "photo.png"), folder / "out.png", "-m", "bicubic")
        done = in_a_child(*arguments, before=UNPRIVILEGED)
        assert list(folder.iterdir()) == []
    assert done.returncode == 2
    assert done.stderr == f"sr-ops: error: {folder}/out.png: cannot be written: Permission denied\n"


def test_a_folder_that_takes_no_film():
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name, "locked")).mkdir()
        write_film(Path(name, "in.mp4"), 3)
        write_image(Path(name, "photo.png"), picture(20, 30))
        folder.chmod(0o555)
        Path(name).chmod(0o755)
        before = UNPRIVILEGED.replace("sys.argv[2]", repr(str(Path(name, "photo.png"))))
        arguments = ("upscale", Path(name, "in.mp4"), folder / "out.mp4", "-m", "bicubic")
        done = in_a_child(*arguments, before=before)
        assert list(folder.iterdir()) == []
    assert done.returncode == 2
    assert done.stderr == f"sr-ops: error: {folder}/out.mp4: cannot be written: Permission denied\n"


# Not getrusage, whose peak survives exec: it would start at what the tests themselves hold.
MEASURED = """
import sys
from sr_ops import cli
code = cli.main(sys.argv[1:])
with open("/proc/self/status") as lines:
    (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(int(peak) * 1024, file=sys.stderr)
sys.exit(code)
"""


def peak(*arguments):
    """Bytes that the command holds at most."""
    command = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stderr)


def test_memory_is_bounded_whatever_the_size(tmp_path):
    """Beside picture, result and the file's bytes: what --max-memory allows, and no more."""
    write_image(tmp_path / "small.jpg", picture(16, 16))
    write_image(tmp_path / "large.jpg", np.tile(picture(64, 64), (12, 18, 1)))  # 768 x 1152
    options = ("-m", "espcn_x2", "-b", "ort", "--max-memory", "32M")
    least = peak("upscale", tmp_path / "small.jpg", tmp_path / "out.jpg", *options)
    most = peak("upscale", tmp_path / "large.jpg", tmp_path / "out.jpg", *options)
    source, result = 768 * 1152 * 3, 1536 * 2304 * 3
    encoded = (tmp_path / "out.jpg").stat().st_size
    assert most - least < 32 * 2**20 + source + result + 4 * encoded
    unbounded = peak("upscale", tmp_path / "large.jpg", tmp_path / "out.jpg", *options[:-1], "2G")
    assert unbounded - least > 2 * (32 * 2**20 + source + result)  # what the bound is worth


@pytest.mark.parametrize(
    "arguments",
    [
        ("upscale", "a\0b.png", "out.png"),
        ("upscale", "PHOTO", "a\0b.png"),
        ("upscale", "PHOTO", "a\0b.png", "folder/"),
        ("upscale", "a\0b", "PHOTO", "folder/"),
        ("eval", "a\0b"),
        ("inspect", "a\0b.onnx"),
        ("accelerate", "a\0b.onnx", "out.onnx"),
        ("export", "a\0b.pth", "out.onnx"),
        ("upscale", "PHOTO", "out.png", "--model", "a\0b.pth"),
    ],
)
def test_names_with_nul(run, photo, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*(str(photo) if a == "PHOTO" else a for a in arguments))
    assert code == 2
    assert err.splitlines()[-1].startswith("sr-ops: error: "), err
    assert "Traceback" not in err

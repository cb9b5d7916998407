"""Files below 100 kB that would cost much, with ceilings: 1 GiB, and seconds that leave room."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sr_ops.models import SRCNN

#: Ten seconds are promised; here a machine ten times as busy keeps them, too.
SECONDS = 100
MEBIBYTES = 1024

CHILD = """
import json, sys, time
import memory
from sr_ops import cli
begin = time.process_time()
code = cli.main(sys.argv[1:])
spent = {"seconds": time.process_time() - begin, "mebibytes": memory.peak_mebibytes()}
print(json.dumps({"code": code, **spent}))
"""


def _upscale(*arguments: object) -> tuple[dict[str, Any], str]:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, "upscale", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    return json.loads(result.stdout.splitlines()[-1]), result.stderr


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png_of_one_bit(path: Path) -> None:
    """The whole picture: 30000 x 30000 pixels of one bit."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0))
    squeezed = zlib.compressobj(9)
    rows = b"".join([squeezed.compress(bytes(3751)) for _ in range(30_000)]) + squeezed.flush()
    packed = _chunk(b"IDAT", rows)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + packed + _chunk(b"IEND", b""))


def _jpeg_header(path: Path) -> None:
    """A small JPEG that says it is 65000 x 65000, cut after its header."""
    Image.new("RGB", (8, 8)).save(path, "JPEG")
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    path.write_bytes(data[: data.index(b"\xff\xda") + 14])


def _jpeg_of_scans(path: Path) -> None:
    Image.new("L", (3000, 3000)).save(path, "JPEG", progressive=True)
    data = path.read_bytes()
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    path.write_bytes(data[:-2] + scan * ((90_000 - len(data)) // len(scan)) + data[-2:])


def _tiff_of_one_strip(path: Path, side: int = 13_000) -> None:
    """Every eight rows of the picture are the same few bytes of the file."""
    strip = zlib.compress(bytes(range(100)) * (side * 24 // 100 + 1), 9)
    strips, start = -(-side // 8), 8 + len(strip)
    places = struct.pack(f"<{strips}I", *[8] * strips)
    lengths = struct.pack(f"<{strips}I", *[len(strip)] * strips)
    depths = struct.pack("<3H", 8, 8, 8)
    after = start + 2 * len(places)
    tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, after), (259, 3, 1, 8)]
    tags += [(262, 3, 1, 2), (273, 4, strips, start), (277, 3, 1, 3), (278, 4, 1, 8)]
    tags += [(279, 4, strips, start + len(places))]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<I", after + len(depths))
    count = struct.pack("<H", len(tags))
    path.write_bytes(head + strip + places + lengths + depths + count + directory + bytes(4))


def _bmp_without_rows(path: Path, side: int = 13_000) -> None:
    """A run-length coded BMP (RLE8) that ends where its rows should begin."""
    colours = b"".join(struct.pack("<I", level * 0x010101) for level in range(256))
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 2, 2835, 2835, 256, 256)
    start = 14 + len(head) + len(colours)
    path.write_bytes(
        b"BM" + struct.pack("<IHHI", start + 2, 0, 0, start) + head + colours + b"\0\1"
    )


def _webp_of_one_colour(path: Path, side: int = 13_000) -> None:
    """The few bytes of a small picture of one colour are those of a large one."""
    Image.new("RGB", (8, 8)).save(path, "WEBP", lossless=True)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"VP8L") + 9, (side - 1) | (side - 1) << 14)
    path.write_bytes(data)


BOMBS = {
    "PNG of one bit": ("a.png", _png_of_one_bit),
    "header of a JPEG": ("a.jpg", _jpeg_header),
    "JPEG of many scans": ("a.jpg", _jpeg_of_scans),
    "TIFF of one strip": ("a.tif", _tiff_of_one_strip),
    "BMP without rows": ("a.bmp", _bmp_without_rows),
    "WebP of one colour": ("a.webp", _webp_of_one_colour),
}


@pytest.mark.parametrize("name", BOMBS)
def test_pictures(name: str, tmp_path: Path) -> None:
    file, write = BOMBS[name]
    write(tmp_path / file)
    size = (tmp_path / file).stat().st_size
    assert size < (120_000 if "PNG" in name else 100_000)
    arguments = (tmp_path / file, tmp_path / "out.png", "--scale", 2, "--model", "bicubic")
    cost, message = _upscale(*arguments)
    assert cost["mebibytes"] < MEBIBYTES and cost["seconds"] < SECONDS, cost
    assert (cost["code"], message.count("\n")) == (2, 1), message
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("file", "write", "side"),
    [
        ("a.tif", _tiff_of_one_strip, 4700),
        ("a.bmp", _bmp_without_rows, 4000),
        ("a.webp", _webp_of_one_colour, 4000),
    ],
)
@pytest.mark.long
def test_what_is_just_let_through(file: str, write: Any, side: int, tmp_path: Path) -> None:
    """The same files, as large as they may be."""
    write(tmp_path / file, side)
    arguments = (tmp_path / file, tmp_path / "out.png", "--scale", 2, "--model", "bicubic")
    cost, message = _upscale(*arguments)
    assert cost["code"] == 0, message
    assert cost["mebibytes"] < MEBIBYTES and cost["seconds"] < SECONDS, cost


def test_a_checkpoint_of_one_value(tmp_path: Path) -> None:
    """Weights that seem to take 4 GiB."""
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "in.png")
    weights = SRCNN(channels=1, features=(4, 4)).state_dict()
    weights["conv1.weight"] = torch.zeros(1).expand(2**20, 2**10)
    torch.save(weights, tmp_path / "net.pth")
    assert (tmp_path / "net.pth").stat().st_size < 100_000
    cost, message = _upscale(
        tmp_path / "in.png", tmp_path / "out.png", "--scale", 2, "--model", tmp_path / "net.pth"
    )
    assert cost["mebibytes"] < MEBIBYTES and cost["seconds"] < SECONDS, cost
    assert cost["code"] == 2 and "repeats the few values" in message

"""Strips and tiles of a TIFF that cannot be unpacked whole, which OpenCV decodes; and its text."""

import io
import struct
import subprocess
import sys
import threading
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from sr_ops.errors import ImageError
from sr_ops.imaging import read_image, write_image
from sr_ops.imaging.io.decoders_text import without_text
from sr_ops.imaging.io.files import decode

LZW, DEFLATE, PACK_BITS = 5, 8, 32773


def picture(height=201, width=301, channels=3):
    ramp = np.add.outer(np.arange(height), np.arange(width))[..., None]
    noise = np.random.default_rng(0).integers(0, 9, (height, width, channels))
    return (ramp + noise).astype(np.uint8).squeeze()


def by_opencv(image, method, predictor):
    options = [cv2.IMWRITE_TIFF_COMPRESSION, method, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    done, data = cv2.imencode(".tif", image[..., ::-1] if image.ndim == 3 else image, options)
    assert done
    return data.tobytes()


def by_pillow(image, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "TIFF", **options)
    return stream.getvalue()


def by_tifffile(image, **options):
    stream = io.BytesIO()
    kind = "rgb" if image.ndim == 3 else "minisblack"
    planes = np.moveaxis(image, 2, 0) if options.get("planarconfig") == "separate" else image
    tifffile.imwrite(stream, planes, photometric=kind, **options)
    return stream.getvalue()


COLOUR, GRAY = picture(), picture(101, 203, 1)
FILES = {
    "LZW": (COLOUR, by_opencv(COLOUR, LZW, 1)),
    "LZW of differences": (COLOUR, by_opencv(COLOUR, LZW, 2)),
    "LZW, gray": (GRAY, by_opencv(GRAY, LZW, 2)),
    "LZW, one strip": (COLOUR, by_pillow(COLOUR, compression="tiff_lzw", tiffinfo={278: 201})),
    "Deflate": (COLOUR, by_opencv(COLOUR, DEFLATE, 2)),
    "Deflate, its older number": (COLOUR, by_pillow(COLOUR, compression="tiff_deflate")),
    "Deflate, 16 bits": (
        GRAY.astype(np.uint16) * 257,
        by_tifffile(GRAY.astype(np.uint16) * 257, compression="zlib", byteorder=">"),
    ),
    "Deflate in tiles": (COLOUR, by_tifffile(COLOUR, compression="zlib", tile=(32, 48))),
    "Deflate in planes": (
        COLOUR,
        by_tifffile(COLOUR, compression="zlib", planarconfig="separate"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_damaged_parts_are_refused(name):
    image, data = FILES[name]
    np.testing.assert_array_equal(decode(data, "a.tif")[0], image)
    for part in (0.2, 0.4, 0.6, 0.8):
        start = int(part * len(data))
        damaged = data[:start] + bytes(60) + data[start + 60 :]
        with pytest.raises(ImageError, match="damaged"):
            decode(damaged, "a.tif")


def test_one_wrong_byte_of_lzw_is_told_where_it_leaves_a_trace():
    data = FILES["LZW, gray"][1]
    told = 0
    for start in range(300, len(data) - 2000, 499):
        damaged = data[:start] + bytes([data[start] ^ 0x40]) + data[start + 1 :]
        try:
            decode(damaged, "a.tif")
        except ImageError as error:
            assert "cannot be unpacked whole" in str(error)
            told += 1
    assert told > 0


@pytest.mark.parametrize("method", [LZW, DEFLATE, PACK_BITS])
@pytest.mark.parametrize("sides", [(1, 1), (1, 2), (3, 5), (64, 700)])
def test_sound_files_of_every_size_are_read(method, sides):
    for channels in (1, 3):
        image = picture(*sides, channels).reshape(*sides, *([3] if channels == 3 else []))
        for predictor in (1, 2):
            data = by_opencv(image, method, predictor)
            np.testing.assert_array_equal(decode(data, "a.tif")[0], image)


@pytest.mark.parametrize("added", [1, 100, 700_000])
def test_strips_that_unpack_to_more_are_read(added):
    """As libtiff reads them. The checksum is looked at all the same."""
    rows = picture(64, 64, 1)
    strip = zlib.compress(rows.tobytes() + bytes(added))
    np.testing.assert_array_equal(decode(_of_one_strip(strip), "a.tif")[0].squeeze(), rows)
    if added < rows.size:
        with pytest.raises(ImageError, match="cannot be unpacked whole"):
            decode(_of_one_strip(strip[:-1] + bytes([strip[-1] ^ 1])), "a.tif")


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("height", [1, 33, 63])
def test_a_strip_may_hold_more_rows_than_the_picture(compression, height):
    """By every method of packing."""
    rows = picture(64, 64, 1)
    data = bytearray(by_pillow(rows, compression=compression, tiffinfo={278: 64}))
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for place in range(directory + 2, directory + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", data, place)
        if tag in (257, 278):  # the picture's rows, and a strip's
            struct.pack_into("<HHII", data, place, tag, 4, 1, height)
    image = decode(bytes(data), "a.tif")[0]
    np.testing.assert_array_equal(image.reshape(height, 64), rows[:height])


def _of_one_strip(strip: bytes) -> bytes:
    """A gray TIFF of 64 x 64 bytes."""
    tags = [(256, 3, 64), (257, 3, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 3, 64), (279, 4, len(strip))]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + struct.pack("<I", 8 + len(strip))
    return head + strip + struct.pack("<H", len(tags)) + directory + bytes(4)


def test_palettes_and_single_bits_are_read():
    colours = by_pillow(GRAY, compression="tiff_lzw")
    palette = io.BytesIO()
    Image.fromarray(COLOUR).quantize(20).save(palette, "TIFF", compression="tiff_lzw")
    bits = io.BytesIO()
    Image.fromarray(GRAY > 99).save(bits, "TIFF", compression="packbits")
    for data in (colours, palette.getvalue(), bits.getvalue()):
        decode(data, "a.tif")


def test_a_very_long_strip_is_seen_whole():
    image = picture(2200, 2000, 1)  # more 16-bit numbers than OpenCV takes in a row
    data = by_pillow(image, compression="tiff_lzw", tiffinfo={278: 2200})
    np.testing.assert_array_equal(decode(data, "a.tif")[0], image)
    end = len(data) - 5000
    with pytest.raises(ImageError, match="cannot be unpacked whole"):
        decode(data[:end] + bytes(60) + data[end + 60 :], "a.tif")


READ = """
import sys
from sr_ops.errors import ImageError
from sr_ops.imaging import read_image
try:
    read_image(sys.argv[1])
except ImageError as error:
    print("refused")
"""


@pytest.mark.parametrize("suffix", [".tif", ".avif"])
def test_opencv_says_nothing_on_stderr(suffix, tmp_path):
    """In a process of its own: it writes past Python's stderr."""
    if not cv2.haveImageWriter("a.avif") and suffix == ".avif":
        pytest.skip("this OpenCV has no AVIF")
    path = tmp_path / f"a{suffix}"
    write_image(path, COLOUR)
    data = path.read_bytes()
    at = len(data) // 2
    path.write_bytes(data[:at] + bytes(200) + data[at + 200 :])
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused\n", "")


def test_the_level_of_its_log_comes_back(tmp_path):
    """Also when reads on several threads begin and end in another order."""
    logging = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        path = tmp_path / "a.png"
        write_image(path, COLOUR)
        threads = [threading.Thread(target=lambda: read_image(path)) for _ in range(8)]
        with without_text(cv2):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert logging.getLogLevel() == logging.LOG_LEVEL_SILENT
        assert logging.getLogLevel() == logging.LOG_LEVEL_ERROR
    finally:
        logging.setLogLevel(before)

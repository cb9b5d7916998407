"""Small files that would cost much: refused by what they announce, before anything is decoded."""

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sr_ops.errors import ImageError, InvalidArgumentError
from sr_ops.imaging import read_image, write_image
from sr_ops.imaging.io import containers
from sr_ops.imaging.io.files import decode, encode_image
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS, check_cost


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def announcing(kind, width, height):
    """The bytes of a small picture that says it is another size."""
    data = bytearray(encode_image(np.zeros((8, 8, 3), np.uint8), f"a.{kind}"))
    if kind == "png":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "jpg":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    elif kind == "bmp":
        data[18:26] = struct.pack("<ii", width, -height)
    elif kind == "tif":
        for tag, _, _, place in containers.tags.entries(bytes(data)):
            if tag in (256, 257):
                struct.pack_into("<HI", data, place - 6, 4, 1)
                struct.pack_into("<I", data, place, width if tag == 256 else height)
    else:
        at = data.index(b"VP8L") + 9
        struct.pack_into("<I", data, at, (width - 1) | (height - 1) << 14)
    return bytes(data)


@pytest.mark.parametrize(
    ("kind", "side"),
    [("png", 30_000), ("jpg", 60_000), ("bmp", 30_000), ("tif", 30_000), ("webp", 16_000)],
)
def test_pixels_are_counted_before_decoding(kind, side):
    began = time.process_time()
    with pytest.raises(ImageError, match=rf"{side} x {side} pixels are more than max_pixels=178"):
        decode(announcing(kind, side, side), f"a.{kind}")
    with pytest.raises(ImageError, match="MiB, and max_memory is 100 MiB; raise it"):
        decode(announcing(kind, side, side), "a", max_pixels=None, max_bytes=100 << 20)
    assert time.process_time() - began < 1


def test_the_limits_can_be_moved(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((20, 30), np.uint8))
    with pytest.raises(ImageError, match="max_pixels=599"):
        read_image(tmp_path / "a.png", max_pixels=599)
    assert read_image(tmp_path / "a.png", max_pixels=600).shape == (20, 30)
    assert read_image(tmp_path / "a.png", max_pixels=None).shape == (20, 30)


def test_what_a_small_file_unpacks_to():
    """By default; a limit of the caller's own says that it is meant."""
    large = announcing("bmp", 8000, 4000)
    with pytest.raises(
        ImageError, match=r"a file of \d+ bytes that unpacks to 8000 x 4000 pixels, 123 MiB"
    ) as refused:
        decode(large, "a.bmp")
    assert "pass max_pixels=32000000 (--max-pixels) if you trust it" in str(refused.value)
    for limit in (32_000_000, None):
        with pytest.raises(ImageError, match="damaged"):  # it is asked to be decoded, and is cut
            decode(large, "a.bmp", max_pixels=limit)
    container = containers.inspect(large, "a.bmp")
    check_cost(container, "a.bmp", DEFAULT_MAX_PIXELS, None, stored=200_000)
    with pytest.raises(ImageError, match="a file of 199999 bytes"):
        check_cost(container, "a.bmp", DEFAULT_MAX_PIXELS, None, stored=199_999)


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (Image.new("1", (9, 7)), 1),
        (Image.new("P", (9, 7)), 3),
        (Image.new("LA", (9, 7)), 4),
        (Image.new("I;16", (9, 7)), 2),
    ],
)
def test_what_a_pixel_takes(image, size):
    container = containers.inspect(saved(image, "PNG"), "a.png")
    assert (container.width, container.height, container.pixel_bytes) == (9, 7, size)


def test_a_jpeg_of_very_many_scans():
    """libjpeg's known bomb: every scan goes over the whole picture again."""
    data = saved(Image.new("L", (64, 64)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    bomb = data[:-2] + data[last:-2] * 6000 + data[-2:]
    assert len(bomb) < 200_000
    with pytest.raises(ImageError, match=r"a JPEG of 60\d\d scans"):
        decode(bomb, "a.jpg")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert 1 < containers.inspect(saved(photo, "JPEG", progressive=True), "a").scans < 20


def test_pages_and_colour_spaces_of_a_tiff(tmp_path):
    pages = np.zeros((3, 8, 9, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    assert containers.inspect((tmp_path / "a.tif").read_bytes(), "a").pages == 3
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((8, 9, 4), np.uint8), photometric="separated")
    with pytest.raises(ImageError, match="a CMYK TIFF; convert it to RGB first"):
        read_image(tmp_path / "b.tif")
    Image.new("LAB", (9, 8)).save(tmp_path / "c.tif")
    with pytest.raises(ImageError, match="a Lab TIFF"):
        read_image(tmp_path / "c.tif")


def test_an_animation_says_of_how_many_frames():
    frames = [Image.new("RGB", (8, 8), (n, n, n)) for n in (1, 100, 200)]
    for kind in ("PNG", "WEBP"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        with pytest.raises(ImageError, match="an animation of 3 frames"):
            containers.inspect(data, "a")


def tiff_of_shared_values(tags):
    """Every tag has the whole file for its value."""
    values = bytes(90_000)
    rows = [struct.pack("<HHII", 40_000 + tag, 7, len(values), 8) for tag in range(tags)]
    sizes = [struct.pack("<HHII", tag, 4, 1, 8) for tag in (256, 257)]
    directory = struct.pack("<H", len(rows) + 2) + b"".join(sizes + rows) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(values)) + values + directory


def test_values_that_share_bytes():
    data = tiff_of_shared_values(800)
    found = containers.tags.read(data)
    assert found[256].value and len(found) < 5
    assert sum(len(tag.value) for tag in found.values()) <= 2 * len(data)
    containers.inspect(data, "a.tif")


def test_compressed_packets_are_unpacked_once():
    """Each of 16 MiB, and a picture has one."""
    packet = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(1 << 24), 9)
    chunk = struct.pack(">I", len(packet)) + b"iTXt" + packet + bytes(4)
    data = encode_image(np.zeros((2, 3), np.uint8), "a.png")
    began = time.process_time()
    container = containers.inspect(data[:33] + 200 * chunk + data[33:], "a.png")
    assert time.process_time() - began < 2
    assert len(container.metadata.xmp) == 1 << 24


def typed_tiff(*more, width=(3, 5)):
    """A TIFF of 5 x 4 pixels, gray, whose width has a type of its own, and more tags."""
    kind, number = width
    rows = [(256, kind, 1, number), (257, 3, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    rows += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 4), (279, 4, 1, 20), *more]
    directory = b"".join(struct.pack("<HHII", *row) for row in sorted(rows))
    start = struct.pack("<I", 28)
    return b"II*\0" + start + bytes(20) + struct.pack("<H", len(rows)) + directory + bytes(4)


def test_a_tiff_says_its_size_plainly():
    """libtiff reads a width of any integer type, and one of two; a limit must see the same one."""
    assert decode(typed_tiff(), "a.tif")[0].shape == (4, 5)
    for kind in (1, 6, 8, 9, 16, 17):
        with pytest.raises(ImageError, match=r"a\.tif: a damaged TIFF: its size"):
            decode(typed_tiff(width=(kind, 5)), "a.tif")
    for tag in (256, 257, 258, 277):
        with pytest.raises(ImageError, match=r"a\.tif: a damaged TIFF: its size"):
            decode(typed_tiff((tag, 3, 1, 8)), "a.tif")


def test_a_picture_without_a_size():
    data = bytearray(encode_image(np.zeros((8, 8, 3), np.uint8), "a.bmp"))
    data[18:22] = bytes(4)
    with pytest.raises(ImageError, match="does not say how large it is"):
        decode(bytes(data), "a.bmp")


def test_a_bmp_of_the_oldest_kind():
    head = struct.pack("<IHHHH", 12, 5, 4, 1, 24)
    rows = b"".join(bytes([y] * 15) + b"\0" for y in range(4))
    length = 14 + len(head) + len(rows)
    data = b"BM" + struct.pack("<IHHI", length, 0, 0, 14 + len(head)) + head + rows
    image, container = decode(data, "a.bmp")
    assert (container.width, container.height) == (5, 4)
    assert image[:, 0].tolist() == [3, 2, 1, 0]  # gray, and OpenCV sees it


def test_a_webp_whose_picture_is_another_than_its_canvas():
    """Its size is checked by what it announces, so that must be what it holds."""
    corpus = Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "decoding"
    data = (corpus / "32d1c5d6e5a2").read_bytes()
    with pytest.raises(ImageError, match="announces 4 x 7 pixels, and holds 4 x 5"):
        decode(data, "a.webp")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xd8\xff\xe0\x00\x04xx" + b"\x00\xda" + bytes(20), "a damaged JPEG"),
        (b"GIF89a" + bytes(7) + b"\x7f" + bytes(9), "a damaged GIF"),
        (b"GIF89a" + bytes(7) + b"!\xfe\x02hi\x00" + b"\x7f" * 9, "a damaged GIF"),
    ],
)
def test_parts_that_are_none(data, says):
    with pytest.raises(ImageError, match=f"^x: {says}"):
        containers.inspect(data, "x")


def test_fill_bytes_of_a_jpeg():
    data = encode_image(np.zeros((9, 8, 3), np.uint8), "x.jpg")
    filled = data[:2] + b"\xff\xff" + data[2:]
    assert containers.inspect(filled, "x").width == containers.inspect(data, "x").width == 8


def test_the_order_of_channels_has_two_names(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(InvalidArgumentError, match="channel_order: got 'rgba', expected 'rgb' or"):
        read_image(tmp_path / "a.png", channel_order="rgba")

"""Colour profiles: what Pillow and tifffile put into a file comes out, and the other way round."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from sr_ops.imaging import profiles, read_image, read_profile, write_image
from sr_ops.imaging.files import encode_image


def profile(space=b"RGB ", length=588):
    """Of arbitrary content behind a header that names the colour space."""
    body = np.random.default_rng(length).integers(0, 256, length - 20, dtype=np.uint8).tobytes()
    return bytes(16) + space + body


def picture(shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("length", [588, 589, 150_000])
def test_read(tmp_path, suffix, length):
    Image.fromarray(picture((8, 9, 3))).save(
        tmp_path / f"a{suffix}", icc_profile=profile(length=length)
    )
    assert read_profile(tmp_path / f"a{suffix}") == profile(length=length)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_none(tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", picture((8, 9, 3)))
    assert read_profile(tmp_path / f"a{suffix}") is None


FORMS = [
    (".png", (7, 9, 3), None),
    (".png", (7, 9, 4), None),
    (".png", (7, 9), None),
    (".jpg", (7, 9, 3), None),
    (".jpg", (7, 9), None),
    (".webp", (7, 9, 3), None),
    (".webp", (7, 9, 3), 80),
    (".webp", (7, 9, 4), None),
    (".webp", (7, 9, 4), 80),
    (".webp", (300, 2000, 3), 80),
    (".tif", (7, 9, 3), None),
    (".tif", (7, 9, 4), None),
    (".tif", (7, 9), None),
]


@pytest.mark.parametrize(("suffix", "shape", "quality"), FORMS)
@pytest.mark.parametrize("length", [588, 589, 150_000])
def test_written(tmp_path, suffix, shape, quality, length):
    """The profile is there for others, and the picture is the same."""
    icc = profile(b"GRAY" if len(shape) == 2 else b"RGB ", length)
    with_it, without = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    write_image(with_it, picture(shape), quality=quality, profile=icc)
    write_image(without, picture(shape), quality=quality)
    assert read_profile(with_it) == icc
    np.testing.assert_array_equal(read_image(with_it), read_image(without))
    with Image.open(with_it) as seen, Image.open(without) as plain:
        assert seen.info["icc_profile"] == icc
        assert seen.mode == plain.mode
        np.testing.assert_array_equal(np.asarray(seen), np.asarray(plain))


def test_a_sixteen_bit_tiff(tmp_path):
    deep = picture((5, 6, 3)).astype(np.uint16) * 257
    write_image(tmp_path / "a.tif", deep, profile=profile())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].tags[34675].value == profile()
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), deep)


def test_left_out_where_it_has_no_place(tmp_path):
    """The profile of a CMYK picture says nothing about RGB; a BMP holds none."""
    plain = encode_image(picture((4, 4, 3)), "a.jpg")
    for space in (b"CMYK", b"GRAY"):
        assert encode_image(picture((4, 4, 3)), "a.jpg", profile=profile(space)) == plain
    write_image(tmp_path / "a.bmp", picture((4, 4, 3)), profile=profile())
    assert read_profile(tmp_path / "a.bmp") is None


def test_left_out_of_a_file_that_would_be_too_large(monkeypatch):
    monkeypatch.setattr(profiles, "_LARGEST_FILE", 700)
    plain = encode_image(picture((4, 4, 3)), "a.tif")
    assert encode_image(picture((4, 4, 3)), "a.tif", profile=profile()) == plain


def test_a_damaged_profile_does_not_spoil_the_picture(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(picture((8, 9, 3))).save(buffer, "png", icc_profile=profile())
    data = bytearray(buffer.getvalue())
    start = data.index(b"iCCP") + 4 + len("ICC Profile") + 2
    data[start : start + 20] = bytes(20)
    (tmp_path / "a.png").write_bytes(data)
    assert read_profile(tmp_path / "a.png") is None

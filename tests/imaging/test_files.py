"""Picture files: round trips, formats, and errors that leave nothing behind."""

import os
import stat

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps
from skimage import data

from sr_ops.errors import FileError, ImageError, InvalidArgumentError, InvalidTypeError
from sr_ops.imaging import read_image, write_image
from sr_ops.imaging.io import files


def picture(shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_lossless_round_trip(tmp_path, suffix, shape):
    image = picture(shape)
    write_image(tmp_path / f"a{suffix}", image)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), image)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_and_sixteen_bits_are_kept(tmp_path, suffix, dtype):
    image = picture((4, 6, 4), dtype)
    write_image(tmp_path / f"a{suffix}", image)
    back = read_image(tmp_path / f"a{suffix}")
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, image)


def test_channel_order_is_rgb(tmp_path):
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 250
    for suffix in (".png", ".jpg", ".webp", ".avif"):
        write_image(tmp_path / f"red{suffix}", red)
        r, g, b = read_image(tmp_path / f"red{suffix}").reshape(-1, 3).mean(0)
        assert r > 240
        assert max(g, b) < 15


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_turned_as_exif_says(tmp_path, orientation, suffix, mode):
    """Pillow writes the note and Pillow reads it; it turns some TIFFs twice, so it reads a PNG."""
    if suffix == ".jpg" and mode == "RGBA":
        mode = "L"
    path = tmp_path / f"a{suffix}"
    image = Image.fromarray(picture((8, 12, 4))).resize((48, 32)).convert(mode)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(path, exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
    if suffix != ".jpg":
        image.save(tmp_path / "same.png", exif=exif)
    same = tmp_path / "same.png" if suffix != ".jpg" else path
    expected = np.asarray(ImageOps.exif_transpose(Image.open(same)))
    result = read_image(path)
    assert result.shape == expected.shape
    seen = expected[..., 3:] > 0 if mode == "RGBA" else np.True_
    assert np.abs((result.astype(int) - expected) * seen).max() <= (6 if suffix == ".jpg" else 0)


def test_errors_of_reading(tmp_path):
    with pytest.raises(FileError, match=r"none\.png: cannot be read: No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(FileError, match="directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif", ".bmp", ".tif"])
@pytest.mark.parametrize("part", [0, 0.01, 0.3, 0.7, 0.999])
def test_cut_short(tmp_path, suffix, part):
    path = tmp_path / f"a{suffix}"
    write_image(path, picture((40, 60, 3)))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ImageError, match=rf"a\{suffix}: "):
        read_image(path)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0\0\x02xx",
        b"RIFFxxxxWAVE",
        b"BM",
    ],
)
def test_not_a_picture(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.png: "):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_an_animation(tmp_path, suffix):
    frames = [Image.fromarray(picture((8, 8, 3)) // n) for n in (1, 2, 3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="an animation of 3 frames; extract one first"):
        read_image(tmp_path / f"a{suffix}")


def test_tiff_with_associated_alpha(tmp_path):
    """Colours are stored multiplied with alpha; what comes out is not."""
    rgba = picture((8, 9, 4)) | 128
    stored = rgba.copy()
    stored[..., :3] = np.rint(rgba[..., :3] * (rgba[..., 3:] / 255))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    assert np.abs(read_image(tmp_path / "a.tif").astype(int) - rgba).max() <= 1


def test_cmyk_jpeg(tmp_path):
    image = Image.fromarray(data.chelsea()[:64, :64]).convert("CMYK")
    image.save(tmp_path / "a.jpg", quality=95)
    expected = np.asarray(Image.open(tmp_path / "a.jpg").convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / "a.jpg") - expected).max() <= 2


def test_float_tiff(tmp_path):
    image = picture((5, 7, 3)).astype(np.float32) / 255
    write_image(tmp_path / "a.tif", image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_quality(tmp_path, suffix):
    sizes = []
    for quality in (10, 50, 95):
        write_image(tmp_path / f"a{suffix}", data.chelsea(), quality=quality)
        sizes.append((tmp_path / f"a{suffix}").stat().st_size)
    assert sizes == sorted(set(sizes))
    for quality in (0, 101, True):
        with pytest.raises(InvalidArgumentError, match="quality"):
            write_image(tmp_path / f"b{suffix}", data.chelsea(), quality=quality)


@pytest.mark.parametrize(
    ("name", "image", "error"),
    [
        ("a.xyz", picture((4, 4)), ImageError),
        ("a", picture((4, 4)), ImageError),
        ("a.jpg", picture((4, 4, 4)), ImageError),
        ("a.jpg", picture((4, 4), np.uint16), ImageError),
        ("a.png", np.zeros((4, 4), np.float64), InvalidTypeError),
        ("a.png", np.ma.zeros((4, 4), np.uint8), InvalidTypeError),
        ("a.png", np.zeros((4, 4), np.float32), ImageError),
        ("none/a.png", picture((4, 4)), FileError),
    ],
)
def test_errors_of_writing_leave_nothing(tmp_path, name, image, error):
    with pytest.raises(error):
        write_image(tmp_path / name, image)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", picture((4, 4)))
    before = (tmp_path / "a.png").read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(FileError, match="No space left"):
        write_image(tmp_path / "a.png", picture((9, 9)))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before


def test_a_folder_is_no_target(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(FileError, match="directory"):
        write_image(tmp_path / "a.png", picture((4, 4)))
    assert list((tmp_path / "a.png").iterdir()) == []


def test_written_files_have_ordinary_permissions(tmp_path):
    old = os.umask(0o022)
    try:
        write_image(tmp_path / "a.png", picture((4, 4)))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o644


def test_a_long_name(tmp_path):
    """As long as the file system takes; the unfinished file's name is not longer."""
    path = tmp_path / ("a" * 251 + ".png")
    write_image(path, picture((4, 4)))
    assert read_image(path).shape == (4, 4)
    with pytest.raises(FileError, match="too long"):
        write_image(tmp_path / ("a" * 252 + ".png"), picture((4, 4)))
    with pytest.raises(FileError, match="too long"):
        read_image(tmp_path / ("a" * 252 + ".png"))


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("deep/a.png")
    write_image(tmp_path / "link.png", picture((4, 4)))
    assert (tmp_path / "link.png").is_symlink()
    assert read_image(tmp_path / "deep" / "a.png").shape == (4, 4)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.png", "deep", "link.png"]


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(FileError, match="a device or a pipe"):
        write_image(tmp_path / "a.png", picture((4, 4)))
    assert stat.S_ISFIFO((tmp_path / "a.png").stat().st_mode)


def test_what_has_no_end_is_not_read_to_the_end():
    with pytest.raises(ImageError, match="/dev/zero: not a picture"):
        read_image("/dev/zero")


@pytest.mark.parametrize(
    ("name", "sides"), [("a.jpg", (70_000, 1)), ("a.webp", (1, 17_000)), ("a.png", (1, 1_000_001))]
)
def test_sides_longer_than_the_format_takes(tmp_path, name, sides):
    with pytest.raises(ImageError, match="only sides up to"):
        write_image(tmp_path / name, np.zeros(sides, np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.png"])
def test_the_longest_side(tmp_path, name):
    side = files._LONGEST_SIDE[f".{name[2:]}"]
    write_image(tmp_path / name, np.zeros((1, side), np.uint8))
    assert read_image(tmp_path / name).shape[:2] == (1, side)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_pixels_of_other_types_are_refused(tmp_path, dtype):
    path = tmp_path / "signed.tif"
    tifffile.imwrite(path, np.zeros((4, 5), dtype))
    with pytest.raises(ImageError, match=f"pixels of type {np.dtype(dtype)}; 8 and 16 bits"):
        read_image(path)

"""Picture files: round trips, formats, and errors that leave nothing behind."""

import os
import stat

import cv2
import numpy as np
import pytest

from sr_ops.errors import FileError, ImageError, InvalidTypeError
from sr_ops.imaging import read_image, write_image


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
    for suffix in (".png", ".jpg", ".webp"):
        write_image(tmp_path / f"red{suffix}", red)
        r, g, b = read_image(tmp_path / f"red{suffix}").reshape(-1, 3).mean(0)
        assert r > 240
        assert max(g, b) < 15


def test_jpeg_is_turned_as_its_exif_says(tmp_path):
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, :8] = 255
    data = cv2.imencode(".jpg", image)[1].tobytes()
    orientation = (
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # 6: turn right
    )
    segment = b"Exif\0\0" + orientation
    header = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    (tmp_path / "a.jpg").write_bytes(data[:2] + header + data[2:])
    turned = read_image(tmp_path / "a.jpg")
    assert turned.shape == (16, 8, 3)
    assert turned[:6].mean() > 240
    assert turned[-6:].mean() < 15


def test_errors_of_reading(tmp_path):
    with pytest.raises(FileError, match=r"none\.png: cannot be read: No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(FileError, match="directory"):
        read_image(tmp_path)
    for name, data in {
        "empty.png": b"",
        "text.png": b"hello",
        "cut.png": b"\x89PNG\r\n\x1a\n",
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ImageError, match=name):
            read_image(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "image", "error"),
    [
        ("a.xyz", picture((4, 4)), ImageError),
        ("a", picture((4, 4)), ImageError),
        ("a.jpg", picture((4, 4, 4)), ImageError),
        ("a.jpg", picture((4, 4), np.uint16), ImageError),
        ("a.png", np.zeros((4, 4), np.float32), InvalidTypeError),
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

"""From file to file through one .onnx, and what may reach its decoder."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops import imaging, models
from sr_ops.errors import ImageError, InvalidArgumentError, InvalidTypeError, ModelError
from sr_ops.imaging.io.files import decode_image, encode_image
from sr_ops.models import ESPCN, SRCNN

Image = pytest.importorskip("PIL.Image")
# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("encoded")

SCALES = [1, 1.3, 2, 2.7, 0.6, (2, 1.5)]


def photo(height=41, width=58):
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[:height, 100 : 100 + width])


def networks():
    torch.manual_seed(0)
    return {
        "espcn_luma": models.load("espcn_x3"),
        "srcnn_luma": models.load("srcnn"),
        "srcnn_rgb": SRCNN(features=(8, 4)).eval(),
        "espcn_rgb": ESPCN(2, channels=3, features=(8, 8, 4)).eval(),
    }


@pytest.fixture(scope="module")
def sessions():
    return {
        name: sr_ops.onnx.make_session(models.to_picture_onnx(network))
        for name, network in networks().items()
    }


@pytest.mark.parametrize("name", networks())
def test_the_file_gives_the_pipelines_picture(sessions, name):
    network = networks()[name]
    for height, width in [(41, 58), (10, 20), (1, 1), (7, 64)]:
        image = photo(height, width)
        for scale in SCALES:
            if min(height, width) == 1 and scale == 0.6:
                continue
            png = imaging.upscale_encoded(encode_image(image, "a.png"), scale, sessions[name])
            expected = sr_ops.upscale_image(image, scale, model=network)
            assert decode_image(png).shape == expected.shape
            assert np.abs(decode_image(png).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
@pytest.mark.parametrize("op", ["DynamicUpscale", "Resize"])
def test_every_exporter_and_flavour(exporter, op):
    network, image = models.load("espcn_x2"), photo()
    model = models.to_picture_onnx(network, exporter=exporter, op=op)
    session = sr_ops.onnx.make_session(model)
    for scale in (2.7, 0.6):
        result = decode_image(imaging.upscale_encoded(encode_image(image, "a.png"), scale, session))
        expected = sr_ops.upscale_image(image, scale, model=network)
        assert np.abs(result.astype(int) - expected).max() <= 1


def test_bgr255():
    torch.manual_seed(0)
    network, image = SRCNN(features=(8, 4)).eval(), photo()
    session = sr_ops.onnx.make_session(models.to_picture_onnx(network, colours="bgr255"))
    result = decode_image(imaging.upscale_encoded(encode_image(image, "a.png"), 1.5, session))
    expected = sr_ops.upscale_image(image, 1.5, model=network, colours="bgr255")
    other = sr_ops.upscale_image(image, 1.5, model=network)
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert np.abs(result.astype(int) - other).max() > 1


def saved(image, kind, **options):
    import io

    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_every_kind_of_png_and_jpeg_becomes_rgb(sessions):
    """Gray, palette, alpha, 16 bits; a gray JPEG has one channel when it is decoded."""
    picture = Image.fromarray(photo())
    session = sessions["espcn_luma"]
    files = [saved(picture.convert(mode), "PNG") for mode in ("L", "P", "1", "LA", "RGBA")]
    files.append(encode_image(photo().astype(np.uint16) * 257, "a.png"))
    files += [saved(picture.convert("L"), "JPEG"), saved(picture, "JPEG", progressive=True)]
    for data in files:
        assert decode_image(imaging.upscale_encoded(data, 2, session)).shape == (82, 116, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".bmp"])
def test_other_formats_give_the_pipelines_picture(sessions, suffix):
    """Decoded once, by OpenCV: chroma of a JPEG is enlarged as everywhere else."""
    data = encode_image(photo(), f"a{suffix}", quality=95)
    result = decode_image(imaging.upscale_encoded(data, 2.7, sessions["srcnn_luma"]))
    expected = sr_ops.upscale_image(decode_image(data), 2.7, model="srcnn")
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_a_picture_on_its_side_is_turned(sessions):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(photo(20, 30)), "JPEG", exif=exif)
    assert decode_image(imaging.upscale_encoded(data, 2, sessions["srcnn_luma"])).shape[:2] == (
        60,
        40,
    )


def test_pictures_of_the_pipeline_pass_through_the_file(sessions, tmp_path):
    """`upscale_image` and the command take such a model like any other; alpha is its own affair."""
    path = tmp_path / "net.onnx"
    path.write_bytes(models.to_picture_onnx(models.load("srcnn")).SerializeToString())
    alpha = np.full((41, 58, 1), 255, np.uint8)
    result = sr_ops.upscale_image(np.dstack([photo(), alpha]), 2.7, model=path)
    expected = sr_ops.upscale_image(photo(), 2.7, model="srcnn")
    assert np.abs(result[..., :3].astype(int) - expected).max() <= 1
    assert (result[..., 3] == 255).all()


def test_validation_lets_whole_pngs_through():
    for form in (bytes, bytearray, memoryview):
        imaging.validate_encoded_image(form(encode_image(photo(), "a.png")))


JPEG = encode_image(photo(), "a.jpg", quality=90)
PNG = encode_image(photo(), "a.png")


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".tif"])
def test_what_the_decoder_must_not_see_has_a_way_to_it(suffix):
    data = encode_image(photo(), f"a{suffix}")
    with pytest.raises(ImageError, match=r"give the model what sr_ops\.imaging\.to_png makes"):
        imaging.validate_encoded_image(data)
    imaging.validate_encoded_image(imaging.to_png(data))
    np.testing.assert_array_equal(decode_image(imaging.to_png(data)), decode_image(data))


def test_to_png_has_one_form():
    """RGB of 8 bits, from gray, 16 bits, floats and transparency."""
    gray, deep = photo()[..., 0], photo().astype(np.uint16) * 257
    for image, expected in (
        (gray, np.repeat(gray[..., None], 3, axis=2)),
        (deep, photo()),
        (np.dstack([photo(), gray]), photo()),
    ):
        result = decode_image(imaging.to_png(encode_image(image, "a.png")))
        np.testing.assert_array_equal(result, expected)
    floats = (photo() / 255).astype(np.float32)
    np.testing.assert_array_equal(
        decode_image(imaging.to_png(encode_image(floats, "a.tif"))), photo()
    )


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        (b"hello", "not a picture"),
        (b"GIF89a" + bytes(20), "GIF"),
        (PNG[:-9], "cut short"),
        (PNG[: len(PNG) // 2], "cut short"),
        (PNG[:100] + bytes(50) + PNG[150:], "damaged"),
        (JPEG[:-2], "cut short"),
        (JPEG[: len(JPEG) // 2], "cut short"),
        (JPEG[:10], "cut short"),
    ],
)
def test_what_is_no_picture_is_refused(data, part):
    with pytest.raises(ImageError, match=part):
        imaging.to_png(data)
    with pytest.raises(ImageError, match=part):
        imaging.upscale_encoded(data, 2, "is not even opened.onnx")
    if not data.startswith(b"\xff\xd8"):
        with pytest.raises(ImageError, match=part):
            imaging.validate_encoded_image(data)


def test_what_may_reach_the_decoder_ends_no_process(tmp_path):
    """Files damaged at random, through the decoder itself, in a process that must survive them.

    PNGs as they are, where validation lets them through; JPEGs as the PNG that is made of them.
    """
    rng = np.random.default_rng(0)
    seeds = [JPEG, saved(Image.fromarray(photo()), "JPEG", progressive=True), PNG]
    count = 0
    for _ in range(300):
        data = bytearray(seeds[rng.integers(len(seeds))])
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(2, min(len(data), 700) if rng.random() < 0.5 else len(data)))
            form = rng.integers(3)
            if form == 0:
                data[at] = int(rng.integers(256))
            elif form == 1:
                del data[at : at + int(rng.integers(1, 200))]
            else:
                data[at:at] = data[at : at + int(rng.integers(1, 100))]
        try:
            if data.startswith(b"\x89PNG"):
                imaging.validate_encoded_image(data)
            else:
                data = imaging.to_png(data)
        except ImageError:
            continue
        (tmp_path / f"{count}.bin").write_bytes(data)
        count += 1
    assert count > 20
    child = Path(__file__).with_name("decode_files.py")
    result = subprocess.run(
        [sys.executable, child, tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, f"{count} files\n"), result.stderr[-500:]


def test_bad_arguments(sessions):
    session, data = sessions["srcnn_luma"], encode_image(photo(), "a.png")
    with pytest.raises(InvalidTypeError, match="got str, expected bytes"):
        imaging.validate_encoded_image("photo.png")
    with pytest.raises(InvalidArgumentError, match="scale"):
        imaging.upscale_encoded(data, -1, session)
    with pytest.raises(InvalidArgumentError, match="keep at least one pixel"):
        imaging.upscale_encoded(data, 0.01, session)
    plain = sr_ops.onnx.make_session(models.to_onnx(models.load("srcnn")))
    with pytest.raises(ModelError, match="--image-io"):
        imaging.upscale_encoded(data, 2, plain)
    with pytest.raises(InvalidArgumentError, match="5 channels"):
        models.to_picture_onnx(SRCNN(5))
    with pytest.raises(InvalidArgumentError, match="colours"):
        models.to_picture_onnx(SRCNN(), colours="hsv")

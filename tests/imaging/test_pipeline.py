"""From picture to picture."""

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops import reference
from sr_ops.errors import CheckpointError, InvalidArgumentError, SrOpsError
from sr_ops.imaging import colour
from sr_ops.models import SRCNN


def picture(*shape, dtype=np.uint8):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


def planes(image):
    return image.astype(np.float64).reshape(*image.shape[:2], -1).transpose(2, 0, 1)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return SRCNN().eval()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9, 13), (9, 13, 1), (9, 13, 3)])
@pytest.mark.parametrize("scale", [2.7, (0.5, 3)])
def test_bicubic_is_the_operator(dtype, shape, scale):
    image = picture(*shape, dtype=dtype)
    result = sr_ops.upscale_image(image, scale)
    expected = reference.dynamic_upscale(planes(image), scale).transpose(1, 2, 0)
    expected = expected.reshape(*expected.shape[:2], *shape[2:])
    assert result.shape == expected.shape
    assert result.dtype == dtype
    if np.dtype(dtype).kind == "u":
        expected = np.clip(np.rint(expected), 0, np.iinfo(dtype).max)
        assert np.abs(result.astype(np.float64) - expected).max() <= 1
        assert (result == expected).mean() > 0.99
    else:
        np.testing.assert_allclose(result, expected, atol=5e-7)


@pytest.mark.parametrize("backend", ["torch", "ort", "numpy"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(9, 13), (9, 13, 3), (9, 13, 4)])
def test_bicubic_has_the_same_bits_on_every_backend(backend, dtype, shape):
    image = picture(*shape, dtype=dtype)
    expected = sr_ops.upscale_image(image, 2.7)
    np.testing.assert_array_equal(sr_ops.upscale_image(image, 2.7, backend=backend), expected)


def test_transparent_pixels_do_not_bleed():
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :4] = (200, 100, 50, 255)
    image[:, 4:] = (0, 255, 0, 0)  # invisible green
    result = sr_ops.upscale_image(image, 3)
    seen = result[..., 3] > 0
    assert np.abs(result[seen][:, :3].astype(int) - (200, 100, 50)).max() <= 2
    assert result[:, :10, 3].min() == 255
    assert result[:, 14:, 3].max() == 0


def test_opaque_alpha_changes_nothing(net):
    image = picture(8, 9, 3)
    opaque = np.dstack([image, np.full((8, 9), 255, np.uint8)])
    for model in (None, net):
        result = sr_ops.upscale_image(opaque, 1.5, model=model)
        plain = sr_ops.upscale_image(image, 1.5, model=model)
        assert np.abs(result[..., :3].astype(int) - plain).max() <= 1
        assert (result[..., 3] == 255).all()


def test_network_sees_rgb_in_unit_range(net):
    image = picture(6, 7, 3)
    x = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        expected = net(x, 2.7)[0].permute(1, 2, 0).numpy()
    result = sr_ops.upscale_image(image, 2.7, model=net)
    np.testing.assert_array_equal(result, colour.from_unit(expected, np.uint8))


def test_bgr_is_rgb_turned_round(net):
    image = picture(6, 7, 3)
    turned = sr_ops.upscale_image(image[..., ::-1], 2, model=net, channel_order="bgr")
    np.testing.assert_array_equal(turned[..., ::-1], sr_ops.upscale_image(image, 2, model=net))


def test_luma_network_leaves_chroma_to_bicubic():
    identity = SRCNN(channels=1, features=(1, 1), kernel_sizes=(1, 1, 1))
    with torch.no_grad():
        for conv in (identity.conv1, identity.conv2, identity.conv3):
            conv.weight.fill_(1)
            conv.bias.zero_()
    image = picture(6, 7, 3, dtype=np.float32) * 0.5 + 0.25
    result = sr_ops.upscale_image(image, 2, model=identity)
    np.testing.assert_allclose(result, sr_ops.upscale_image(image, 2), atol=2e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3), (6, 7, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_form_through_a_network(channels, shape, dtype):
    net = SRCNN(channels=channels, features=(4, 4)).eval()
    result = sr_ops.upscale_image(picture(*shape, dtype=dtype), 1.5, model=net)
    assert result.shape == (9, 10, *shape[2:])
    assert result.dtype == dtype


@pytest.mark.parametrize("suffix", ["checkpoint", "onnx"])
def test_backends_agree(tmp_path, net, suffix):
    image = picture(12, 10, 3, dtype=np.float32)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    expected = sr_ops.upscale_image(image, 2.7, model=tmp_path / "net.pth")
    path = tmp_path / "net.pth"
    if suffix == "onnx":
        path = tmp_path / "net.onnx"
        example = (torch.zeros(1, 3, 8, 8), torch.tensor([2.0, 2.0]))
        sr_ops.onnx.export(net, example, path, input_names=["x", "scale"], output_names=["y"])
    result = sr_ops.upscale_image(image, 2.7, model=path, backend="ort")
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("keywords", "name"),
    [
        ({"scale": 0}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"scale": (1, 2, 3)}, "scale"),
        ({"scale": "2"}, "scale"),
        ({"scale": 0.01}, "scale"),
        ({"scale": 1e9}, "scale"),
        ({"scale": 2, "backend": "cuda"}, "backend"),
        ({"scale": 2, "channel_order": "gbr"}, "channel_order"),
    ],
)
def test_bad_arguments(keywords, name):
    with pytest.raises(SrOpsError, match=name):
        sr_ops.upscale_image(picture(8, 8, 3), **keywords)


def test_a_network_that_fits_no_picture(tmp_path):
    with pytest.raises(CheckpointError, match="5 channels"):
        sr_ops.upscale_image(picture(8, 8, 3), 2, model=SRCNN(channels=5))


def test_torch_cannot_run_an_onnx_file(tmp_path):
    with pytest.raises(InvalidArgumentError, match="use 'ort'"):
        sr_ops.upscale_image(picture(8, 8, 3), 2, model=tmp_path / "a.onnx", backend="torch")

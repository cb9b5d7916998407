"""From picture to picture."""

import numpy as np
import onnx
import pytest
import torch
from networks_by_hand import identity
from onnx import TensorProto, helper
from pictures import noise

import sr_ops
from sr_ops import reference
from sr_ops.errors import (
    CheckpointError,
    InvalidArgumentError,
    ModelError,
    SrOpsError,
)
from sr_ops.imaging import colour, networks
from sr_ops.imaging.choice import DEFAULT_MODEL
from sr_ops.models import ESPCN, SRCNN


def planes(image):
    return image.astype(np.float64).reshape(*image.shape[:2], -1).transpose(2, 0, 1)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return SRCNN().eval()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9, 13), (9, 13, 1), (9, 13, 3)])
@pytest.mark.parametrize("scale", [2.7, (0.5, 3)])
def test_bicubic_is_the_operator_antialiased_where_it_shrinks(dtype, shape, scale):
    image = noise(*shape, dtype=dtype)
    result = sr_ops.upscale_image(image, scale, model=None)
    expected = reference.dynamic_upscale(planes(image), scale, antialias=True)
    expected = expected.transpose(1, 2, 0)
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
    image = noise(*shape, dtype=dtype)
    expected = sr_ops.upscale_image(image, 2.7, model=None)
    result = sr_ops.upscale_image(image, 2.7, model="bicubic", backend=backend)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("scale", [1.5, (0.5, 2)])
def test_the_best_bundled_network_is_the_default(scale):
    image = noise(20, 30, 3)
    result = sr_ops.upscale_image(image, scale)
    expected = sr_ops.upscale_image(image, scale, model=DEFAULT_MODEL)
    np.testing.assert_array_equal(result, expected)
    assert (result != sr_ops.upscale_image(image, scale, model="bicubic")).any()


@pytest.mark.parametrize("scale", [0.5, 1])
def test_nothing_to_restore_where_the_picture_shrinks(scale):
    image = noise(20, 30, 3)
    expected = sr_ops.upscale_image(image, scale, model="bicubic")
    np.testing.assert_array_equal(sr_ops.upscale_image(image, scale), expected)


def test_without_a_runtime_for_networks_it_is_bicubic_and_says_so(monkeypatch):
    monkeypatch.setattr(networks, "runtimes", list)
    image = noise(20, 30, 3)
    with pytest.warns(UserWarning, match=r"plain bicubic: neither onnxruntime nor torch.*\[ort\]"):
        result = sr_ops.upscale_image(image, 2)
    np.testing.assert_array_equal(result, sr_ops.upscale_image(image, 2, model="bicubic"))


@pytest.mark.parametrize("backend", ["ort", "torch"])
def test_a_network_of_one_factor_names_the_one_for_another(backend):
    image = noise(20, 30, 3)
    with pytest.warns(UserWarning, match="srcnn_x4: not made for x2, where srcnn_x2 is better"):
        sr_ops.upscale_image(image, 2, model="srcnn_x4", backend=backend)
    sr_ops.upscale_image(image, 4, model="srcnn_x4", backend=backend)


def test_a_file_of_ones_own_gets_no_advice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(sr_ops.models.load("srcnn_x4").state_dict(), "srcnn_x4")
    sr_ops.upscale_image(noise(20, 30, 3), 2, model="srcnn_x4")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("scale", [2.7, 0.6])
def test_bicubic_tiles_have_the_bits_of_the_whole(dtype, scale):
    rng = np.random.default_rng(3)
    picture_rgba = rng.random((61, 75, 4))
    image = (picture_rgba if dtype == "float32" else picture_rgba * np.iinfo(dtype).max).astype(
        dtype
    )
    whole = sr_ops.upscale_image(image, scale, model=None, tile=None)
    tiled = sr_ops.upscale_image(image, scale, model=None, tile=19)
    assert whole.tobytes() == tiled.tobytes()


@pytest.mark.parametrize("backend", ["numpy", "torch", "ort"])
def test_bicubic_is_the_operators_whoever_runs_networks(backend):
    image = (noise(20, 30, 3).astype(np.uint16) * 257).astype(np.uint16)
    result = sr_ops.upscale_image(image, 2.7, model=None, backend=backend)
    expected = sr_ops.numpy.dynamic_upscale(image, 2.7, layout="HWC", antialias=True)
    np.testing.assert_array_equal(result, expected)


def test_transparent_pixels_do_not_bleed():
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :4] = (200, 100, 50, 255)
    image[:, 4:] = (0, 255, 0, 0)  # invisible green
    result = sr_ops.upscale_image(image, 3, model=None)
    seen = result[..., 3] > 0
    assert np.abs(result[seen][:, :3].astype(int) - (200, 100, 50)).max() <= 2
    assert result[:, :10, 3].min() == 255
    assert result[:, 14:, 3].max() == 0


def test_opaque_alpha_changes_nothing(net):
    image = noise(8, 9, 3)
    opaque = np.dstack([image, np.full((8, 9), 255, np.uint8)])
    for model in (None, net):
        result = sr_ops.upscale_image(opaque, 1.5, model=model)
        plain = sr_ops.upscale_image(image, 1.5, model=model)
        assert np.abs(result[..., :3].astype(int) - plain).max() <= 1
        assert (result[..., 3] == 255).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("scale", [2.7, 0.4])
def test_opaque_colours_have_the_bits_of_a_picture_without_alpha(dtype, scale):
    image = noise(20, 30, 3, dtype=dtype)
    opaque = np.dstack([image, np.full((20, 30), np.iinfo(dtype).max, dtype)])
    result = sr_ops.upscale_image(opaque, scale, model=None)
    np.testing.assert_array_equal(result[..., :3], sr_ops.upscale_image(image, scale, model=None))
    assert (result[..., 3] == np.iinfo(dtype).max).all()


def test_network_sees_rgb_in_unit_range(net):
    image = noise(6, 7, 3)
    x = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        expected = net(x, 2.7)[0].permute(1, 2, 0).numpy()
    result = sr_ops.upscale_image(image, 2.7, model=net)
    np.testing.assert_array_equal(result, colour.from_unit(expected, np.uint8))


def test_bgr_is_rgb_turned_round(net):
    image = noise(6, 7, 3)
    turned = sr_ops.upscale_image(image[..., ::-1], 2, model=net, channel_order="bgr")
    np.testing.assert_array_equal(turned[..., ::-1], sr_ops.upscale_image(image, 2, model=net))


def test_luma_network_leaves_chroma_to_bicubic():
    identity = SRCNN(channels=1, features=(1, 1), kernel_sizes=(1, 1, 1))
    with torch.no_grad():
        for conv in (identity.conv1, identity.conv2, identity.conv3):
            conv.weight.fill_(1)
            conv.bias.zero_()
    image = noise(6, 7, 3, dtype=np.float32) * 0.5 + 0.25
    result = sr_ops.upscale_image(image, 2, model=identity)
    expected = sr_ops.upscale_image(image, 2, model=None)
    np.testing.assert_allclose(result, expected, atol=2e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3), (6, 7, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_form_through_a_network(channels, shape, dtype):
    net = SRCNN(channels=channels, features=(4, 4)).eval()
    result = sr_ops.upscale_image(noise(*shape, dtype=dtype), 1.5, model=net)
    assert result.shape == (9, 10, *shape[2:])
    assert result.dtype == dtype


@pytest.mark.parametrize("suffix", ["checkpoint", "onnx"])
def test_backends_agree(tmp_path, net, suffix):
    image = noise(12, 10, 3, dtype=np.float32)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    expected = sr_ops.upscale_image(image, 2.7, model=tmp_path / "net.pth")
    path = tmp_path / "net.pth"
    if suffix == "onnx":
        path = tmp_path / "net.onnx"
        example = (torch.zeros(1, 3, 8, 8), torch.tensor([2.0, 2.0]))
        sr_ops.onnx.export(net, example, path, input_names=["x", "scale"], output_names=["y"])
    result = sr_ops.upscale_image(image, 2.7, model=path, backend="ort")
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-5)


def test_bgr255_is_the_deployment_tutorials_input():
    """B, G, R in 0..255: a network that adds one level to blue shows which is which."""
    net = identity(3)
    with torch.no_grad():
        net.conv3.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    image = noise(6, 7, 3) // 2
    plain = sr_ops.upscale_image(image, 1).astype(int)
    result = sr_ops.upscale_image(image, 1, model=net, colours="bgr255")
    np.testing.assert_array_equal(result - plain, np.broadcast_to([0, 0, 1], image.shape))
    turned = sr_ops.upscale_image(
        image[..., ::-1], 1, model=net, colours="bgr255", channel_order="bgr"
    )
    np.testing.assert_array_equal(turned[..., ::-1], result)


@pytest.mark.parametrize(
    ("keywords", "shape"),
    [
        ({"size": (17, 40)}, (17, 40)),
        ({"width": 45}, (30, 45)),
        ({"height": 25}, (25, 38)),
        ({"width": 45, "height": 25}, (25, 45)),
        ({"max_side": 60}, (40, 60)),
        ({"max_side": 15}, (10, 15)),
    ],
)
@pytest.mark.parametrize("form", ["bicubic", "alpha", "srcnn", "espcn"])
def test_sizes(keywords, shape, form, net):
    image = noise(20, 30, 4 if form == "alpha" else 3)
    model = {"srcnn": net, "espcn": ESPCN(2, features=(4, 4, 4)).eval()}.get(form)
    result = sr_ops.upscale_image(image, **keywords, model=model)
    assert result.shape == (*shape, image.shape[2])
    if form in ("bicubic", "srcnn"):
        plain = sr_ops.upscale_image(image, **keywords, model=identity(3))
        expected = reference.dynamic_upscale(planes(image), size=shape).transpose(1, 2, 0)
        assert np.abs(np.clip(expected, 0, 255) - plain).max() <= 0.51


def test_width_of_a_turned_picture_keeps_the_proportions():
    assert sr_ops.upscale_image(noise(100, 1), width=3).shape == (300, 3)
    assert sr_ops.upscale_image(noise(1, 100), width=3).shape == (1, 3)


def test_whole_and_windows_are_the_same_model():
    """In one piece, by scale, SRCNN runs as it is; in tiles its operator is cut out of matrices."""
    net = SRCNN(features=(8, 4)).eval()
    image = noise(40, 50, 3, dtype=np.float32)
    x = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
    for scale in (1.3, 2.7):
        tiled = sr_ops.upscale_image(image, scale, model=net, tile=31)
        with torch.no_grad():
            expected = net(x, scale)[0].numpy().transpose(1, 2, 0)
        assert np.abs(tiled - expected).max() * 255 < 1e-4


def test_a_network_of_a_fixed_factor_is_the_model_itself():
    net = ESPCN(3, channels=3, features=(8, 8, 4)).eval()
    image = noise(20, 30, 3, dtype=np.float32)
    x = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
    for scale in (2, 2.7, 3, 4.5):
        with torch.no_grad():
            expected = net(x, scale)[0].numpy().transpose(1, 2, 0)
        result = sr_ops.upscale_image(image, scale, model=net)
        assert np.abs(result - expected).max() * 255 < 1e-4


def test_progress_advances_and_ends(net):
    seen = []
    sr_ops.upscale_image(
        noise(20, 30, 3), 2, model=net, tile=16, progress=lambda *step: seen.append(step)
    )
    assert seen == [(i, 12) for i in range(1, 13)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_progress_of_bicubic_ends_too(dtype):
    seen = []
    sr_ops.upscale_image(
        noise(20, 30, 3, dtype=dtype), 2, model=None, progress=lambda *step: seen.append(step)
    )
    assert seen == [(1, 1)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", [None, "srcnn"])
def test_a_picture_that_may_not_be_written_to(model):
    image = noise(8, 9, 3)
    image.flags.writeable = False
    assert sr_ops.upscale_image(image, 2, model=model, backend="torch").shape == (16, 18, 3)


def write_onnx(path, net, **keywords):
    example = (torch.zeros(1, net.channels, 8, 8), torch.tensor([2.0, 2.0]))
    sr_ops.onnx.export(net, example, path, **keywords)
    return path


def test_an_onnx_file_that_says_nothing_about_itself(tmp_path, net):
    """Runs in one piece, gives any size, and is cut where nothing shows."""
    path = write_onnx(tmp_path / "net.onnx", net)
    image = noise(20, 30, 3)
    expected = sr_ops.upscale_image(image, 2.7, model=net).astype(int)
    assert np.abs(sr_ops.upscale_image(image, 2.7, model=path) - expected).max() <= 1
    assert sr_ops.upscale_image(image, size=(31, 47), model=path).shape == (31, 47, 3)
    whole = sr_ops.upscale_image(image, 2, model=path).astype(int)
    assert np.abs(sr_ops.upscale_image(image, 2, model=path, tile=16) - whole).max() <= 1


def test_an_onnx_file_of_a_fixed_factor(tmp_path):
    """One input, no scale: its factor is found out, and bicubic does the rest."""
    net = ESPCN(2, channels=3, features=(8, 8, 4)).eval()
    path = tmp_path / "net.onnx"
    x = torch.zeros(1, 3, 8, 8)
    axes = {"x": {2: "h", 3: "w"}}
    torch.onnx.export(net, (x,), path, input_names=["x"], dynamic_axes=axes, dynamo=False)
    image = noise(20, 30, 3)
    for scale in (2, 2.7, 1.5):
        result = sr_ops.upscale_image(image, scale, model=path).astype(int)
        assert np.abs(result - sr_ops.upscale_image(image, scale, model=net)).max() <= 1


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
        ({"scale": 2, "colours": "hsv"}, "colours"),
        ({}, "got none"),
        ({"scale": 2, "width": 9}, "got scale and width"),
        ({"width": 9, "max_side": 9}, "got width and max_side"),
        ({"width": 0}, "width"),
        ({"height": 2.5}, "height"),
        ({"max_side": True}, "max_side"),
        ({"size": (0, 5)}, "size"),
        ({"size": 7}, "size"),
        ({"scale": 2, "model": "espcn", "tile": 3}, "tile"),
        ({"scale": 2, "model": "espcn", "tile": "big"}, "tile"),
        ({"scale": 2, "model": "espcn", "max_memory": 1000}, "pass at least"),
        ({"scale": 2, "model": "espcn", "max_memory": 0}, "max_memory"),
        ({"scale": 2, "model": "espcn", "max_memory": "1G"}, "max_memory"),
        ({"scale": 200000}, "scale: the result, .* of memory"),
        ({"width": 10**400}, r"width: .* more than 2\*\*40 elements"),
        ({"height": 10**5000}, "height: got int too long to be shown"),
        ({"scale": 2, "model": "bicubic", "tile": -5}, "tile: got -5, expected at least 16"),
        ({"scale": 2, "model": "bicubic", "max_memory": -1}, "max_memory: got -1"),
        ({"scale": 2, "model": "bicubic", "overlap": -1}, "overlap: got -1"),
        ({"scale": 2, "model": None, "layout": "HCW"}, "layout: got 'HCW'"),
        ({"width": 10**6}, "size: the result, .* of memory"),
        ({"scale": 2, "model": 5}, "model: got int"),
    ],
)
def test_bad_arguments(keywords, name):
    with pytest.raises(SrOpsError, match=name):
        sr_ops.upscale_image(noise(8, 8, 3), **keywords)


def test_a_network_that_fits_no_picture(tmp_path):
    with pytest.raises(CheckpointError, match="5 channels"):
        sr_ops.upscale_image(noise(8, 8, 3), 2, model=SRCNN(channels=5))


def test_torch_cannot_run_an_onnx_file(tmp_path):
    with pytest.raises(InvalidArgumentError, match="use 'ort'"):
        sr_ops.upscale_image(noise(8, 8, 3), 2, model=tmp_path / "a.onnx", backend="torch")


def one_node_model(path, op, element, shape):
    """A model of one ONNX operator on an input ``x``."""
    graph = helper.make_graph(
        [helper.make_node(op, ["x"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info("y", element, None)],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


@pytest.mark.parametrize(
    ("op", "element", "shape", "part"),
    [
        ("Relu", TensorProto.FLOAT, [1, 1, 224, 224], r"pass enlarge \(--enlarge\)"),
        ("Relu", TensorProto.INT32, [1, 3, "H", "W"], "expected float32"),
        ("Relu", TensorProto.FLOAT, [1, 5, "H", "W"], "expected an image"),
        ("Relu", TensorProto.FLOAT, [3, "L"], "expected an image"),
        ("Flatten", TensorProto.FLOAT, [1, 3, "H", "W"], r"gives \(1, 3072\)"),
    ],
)
def test_onnx_files_that_are_no_networks_for_pictures(tmp_path, op, element, shape, part):
    path = tmp_path / "net.onnx"
    one_node_model(path, op, element, shape)
    with pytest.raises(ModelError, match=part):
        sr_ops.upscale_image(noise(8, 9, 3), 2, model=path)

"""Networks of other people: what they take is recognised, or asked for; tiles fit without seams."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import sr_ops
import sr_ops.onnx
from sr_ops.errors import InvalidArgumentError, ModelError, SrOpsError
from sr_ops.imaging.networks import load_network
from sr_ops.imaging.treatment import Treatment
from sr_ops.models import ESPCN, SRCNN
from sr_ops.models.traits import METADATA_KEY


def picture(*shape):
    """Of floats where the last of the arguments says so."""
    *shape, dtype = shape if isinstance(shape[-1], type) else (*shape, np.uint8)
    rng = np.random.default_rng(0)
    return rng.random(shape, dtype) if dtype == np.float32 else rng.integers(0, 256, shape, dtype)


@pytest.fixture(scope="module")
def espcn():
    torch.manual_seed(1)
    return ESPCN(2, channels=3, features=(8, 8, 4)).eval()


class Upscaler(nn.Module):
    """Somebody's network of factor 2; it says nothing of how far it sees."""

    channels, upscale_factor = 3, 2

    def __init__(self, body, channels=3):
        super().__init__()
        self.channels = channels
        self.head = nn.Conv2d(channels, 8, 3, padding=1)
        self.body = body
        self.tail = nn.Sequential(nn.Conv2d(8, 4 * channels, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x, scale=None):
        del scale
        return self.tail(torch.relu(self.body(torch.relu(self.head(x)))))


class Squeezed(nn.Module):
    """Half the size and back: pieces must begin at even pixels."""

    def __init__(self):
        super().__init__()
        self.down = nn.PixelUnshuffle(2)
        self.conv = nn.Conv2d(32, 32, 3, padding=1)
        self.up = nn.PixelShuffle(2)

    def forward(self, x):
        h, w = x.shape[2:]
        x = nn.functional.pad(x, (0, w % 2, 0, h % 2), "replicate")
        return self.up(self.conv(self.down(x)))[..., :h, :w]


class Global(nn.Module):
    """Attention over the channels: every pixel sees the whole picture."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean((2, 3), keepdim=True)))


class Windows(nn.Module):
    """Attention in windows of 8 x 8."""

    def forward(self, x):
        n, c, h, w = x.shape
        x = nn.functional.pad(x, (0, -w % 8, 0, -h % 8), "replicate")
        rows, columns = x.shape[2] // 8, x.shape[3] // 8
        tokens = x.reshape(n, c, rows, 8, columns, 8).permute(0, 2, 4, 3, 5, 1).reshape(-1, 64, c)
        tokens = torch.softmax(tokens @ tokens.mT / 3, -1) @ tokens
        x = tokens.reshape(n, rows, columns, 8, 8, c).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(n, c, rows * 8, columns * 8)[..., :h, :w]


BODIES = {
    "plain": (lambda: nn.Conv2d(8, 8, 3, padding=1), (3, 1)),
    "dilated": (lambda: nn.Conv2d(8, 8, 3, padding=4, dilation=4), (6, 1)),
    "long": (lambda: nn.Conv2d(8, 8, (1, 41), padding=(0, 20)), (22, 1)),
    "pooled": (lambda: nn.MaxPool2d(5, 1, 2), (4, 1)),
    "strided": (
        lambda: nn.Sequential(nn.Conv2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(8, 8, 4, 2, 1)),
        (4, 2),
    ),
    "squeezed": (Squeezed, (5, 2)),
    "windows": (Windows, None),
}


def upscaler(body, channels=3):
    torch.manual_seed(0)
    return Upscaler(BODIES[body][0]() if isinstance(body, str) else body, channels).eval()


def to_onnx(path, module, shape=(1, 3, 16, 16), dynamic=True, args=(), **keywords):
    names = ["x", "scale"][: 1 + len(args)]
    axes = {"x": {2: "h", 3: "w"}} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.rand(shape), *args),
            path,
            input_names=names,
            output_names=["y"],
            dynamic_axes=axes,
            dynamo=False,
            **keywords,
        )
    return path


def assert_tiles_fit(image, model, scale=2.7, tile=48, **keywords):
    whole = sr_ops.upscale_image(image, scale, model=model, tile=None, **keywords)
    tiled = sr_ops.upscale_image(image, scale, model=model, tile=tile, **keywords)
    assert np.abs(whole - tiled).max() <= 1e-4 / 255 * max(1, np.abs(whole).max())
    return whole


@pytest.mark.parametrize("body", BODIES)
def test_a_module_that_does_not_say_how_far_it_sees_is_cut_where_nothing_shows(body):
    module = upscaler(body)
    assert_tiles_fit(picture(75, 91, 3, np.float32), module)
    expected = BODIES[body][1]
    if expected is not None:
        traits = load_network(module).measure()
        assert (traits.radius, traits.multiple) == expected


@pytest.mark.parametrize("body", [name for name in BODIES if name != "windows"])
def test_a_file_that_does_not_say_how_far_it_sees_is_cut_where_nothing_shows(tmp_path, body):
    module = upscaler("plain" if body == "squeezed" else body)
    path = to_onnx(tmp_path / "net.onnx", module)
    whole = assert_tiles_fit(picture(74, 90, 3, np.float32), path)
    ours = sr_ops.upscale_image(picture(74, 90, 3, np.float32), 2.7, model=module)
    assert np.abs(whole - ours).max() < 1e-4


def test_a_network_that_sees_everything_says_so(tmp_path):
    module = upscaler(Global())
    image = picture(40, 50, 3)
    path = to_onnx(tmp_path / "net.onnx", module)
    for model in (module, path):
        sr_ops.upscale_image(image, 2.7, model=model)  # in one piece
        for keywords in ({"tile": 32}, {"max_memory": 1 << 20}):
            with pytest.raises(InvalidArgumentError, match=r"sees the whole picture.*overlap"):
                sr_ops.upscale_image(image, 2.7, model=model, **keywords)
            # What the error says to do.
            assert sr_ops.upscale_image(image, 2.7, model=model, overlap=4, **keywords).any()


def test_memory_bounds_foreign_networks(tmp_path):
    path = to_onnx(tmp_path / "net.onnx", upscaler("plain"))
    steps = {}
    for mebibytes in (2, 1024):
        counted = []
        sr_ops.upscale_image(
            *(picture(100, 150, 3), 2),
            model=path,
            max_memory=mebibytes << 20,
            progress=lambda done, total: counted.append(total),  # noqa: B023
        )
        steps[mebibytes] = counted[0]
    assert steps[2] > steps[1024] == 1


def test_a_small_overlap_is_taken_at_its_word():
    module, image = upscaler("dilated"), picture(60, 60, 3, np.float32)
    whole = sr_ops.upscale_image(image, 2, model=module, tile=None)
    seams = sr_ops.upscale_image(image, 2, model=module, tile=32, overlap=0)
    assert np.abs(whole - seams).max() > 1e-3


@pytest.mark.parametrize("size", [(75, 91), (40, 40), (20, 100), (12, 13)])
def test_a_file_of_one_size_runs_in_windows_of_it(tmp_path, size):
    module = upscaler("dilated")
    fixed = to_onnx(tmp_path / "fixed.onnx", module, (1, 3, 40, 40), dynamic=False)
    image = picture(*size, 3, np.float32)
    with pytest.warns(UserWarning, match="in windows of 40 x 40"):
        result = sr_ops.upscale_image(image, 2.7, model=fixed)
    expected = sr_ops.upscale_image(image, 2.7, model=module)
    kept = tuple(slice(0, None if side >= 40 else int((side - 8) * 2.7)) for side in size)
    assert np.abs(result - expected)[kept].max() < 1e-4


def test_windows_of_a_network_that_sees_everything(tmp_path):
    fixed = to_onnx(tmp_path / "f.onnx", upscaler(Global()), (1, 3, 40, 40), dynamic=False)
    with pytest.warns(UserWarning, match="how far it sees is not known: they overlap by 10 pixels"):
        sr_ops.upscale_image(picture(50, 60, 3), 2, model=fixed)
    with pytest.warns(UserWarning, match="only size that the model takes$"):
        sr_ops.upscale_image(picture(50, 60, 3), 2, model=fixed, overlap=3)
    with pytest.raises(InvalidArgumentError, match=r"overlap: 20 pixels.*at most 19"):
        sr_ops.upscale_image(picture(50, 60, 3), 2, model=fixed, overlap=20)


class Tutorial(nn.Module):
    """The deployment tutorial's network: the factor is an input of 1, 2 or 4 values."""

    def __init__(self, elements):
        super().__init__()
        torch.manual_seed(0)
        self.net = SRCNN(features=(8, 4))
        self.elements = elements

    def forward(self, x, scale):
        return self.net(x, scale if self.elements != 0 else scale.reshape(1))


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("elements", [0, 1, 2, 4])
def test_scales_of_every_form(tmp_path, elements, fixed):
    module = Tutorial(elements).eval()
    scale = torch.tensor([1.0, 1.0, 2.0, 2.0][-elements:] if elements else 2.0)
    shape = (1, 3, 48, 48) if fixed else (1, 3, 16, 16)
    path = to_onnx(tmp_path / "n.onnx", module, shape, not fixed, (scale,))
    image = picture(30, 41, 3, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if fixed else "error")
        result = assert_tiles_fit(image, path)
    assert np.abs(result - sr_ops.upscale_image(image, 2.7, model=module.net)).max() < 2e-3


def test_a_network_that_takes_a_scale_says_what_it_cannot(tmp_path):
    path = to_onnx(tmp_path / "n.onnx", Tutorial(1).eval(), args=(torch.tensor([2.0]),))
    with pytest.raises(InvalidArgumentError, match=r"^scale: got .* takes one factor for both"):
        sr_ops.upscale_image(picture(30, 41, 3), (2, 3), model=path)
    with pytest.raises(InvalidArgumentError, match=r"^enlarge: got 'after', but .* takes a scale"):
        sr_ops.upscale_image(picture(30, 41, 3), 2, model=path, enlarge="after")


def test_a_network_that_does_not_enlarge_by_a_whole_factor(tmp_path):
    half = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.AvgPool2d(2)).eval()
    with pytest.raises(ModelError, match=r"makes \d+ x \d+ of \d+ x \d+: expected a whole factor"):
        sr_ops.upscale_image(picture(32, 32, 3), 2, model=to_onnx(tmp_path / "n.onnx", half))


def test_values_that_the_user_knows(tmp_path, espcn):
    """``value_range=255`` is taken at its word where the file says nothing."""

    class Bytes(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = espcn

        def forward(self, x):
            return self.net(x / 255, 2) * 255

    path = to_onnx(tmp_path / "n.onnx", Bytes().eval())
    image = picture(20, 30, 3)
    result = sr_ops.upscale_image(image, 2, model=path, value_range=255).astype(int)
    assert np.abs(result - sr_ops.upscale_image(image, 2, model=espcn)).max() <= 1


def one_convolution(
    path, *, element=TensorProto.FLOAT, layout="NCHW", channels=3, dims=None, opset=13, white=None
):
    """A sub-pixel network of one convolution in the form that is asked for; and its module."""
    torch.manual_seed(3)
    module = Upscaler(nn.Identity(), channels).eval()
    with torch.no_grad():  # results within 0…1, which uint8 can hold
        module.tail[0].weight *= 0.3
        module.tail[0].bias[:] = 0.5
    plain = onnx.load(to_onnx(path, module, (1, channels, 8, 8), opset_version=opset))
    graph = plain.graph
    image, result = graph.input[0].name, graph.output[0].name
    before, after = [], []
    value = "picture"
    if "N" not in layout:
        axes = numpy_helper.from_array(np.array([0]), "first_axis")
        graph.initializer.append(axes)
        before.append(helper.make_node("Unsqueeze", [value, "first_axis"], ["batched"]))
        value = "batched"
    if element != TensorProto.FLOAT:
        before.append(helper.make_node("Cast", [value], ["floats"], to=TensorProto.FLOAT))
        value = "floats"
    if white:
        graph.initializer.append(numpy_helper.from_array(np.float32(white), "white"))
        before.append(helper.make_node("Div", [value, "white"], ["unit"]))
        value = "unit"
    if layout.endswith("HWC"):
        before.append(helper.make_node("Transpose", [value], ["turned"], perm=[0, 3, 1, 2]))
        value = "turned"
    before.append(helper.make_node("Identity", [value], [image]))
    value = result
    if layout.endswith("HWC"):
        after.append(helper.make_node("Transpose", [value], ["back"], perm=[0, 2, 3, 1]))
        value = "back"
    if white:
        after.append(helper.make_node("Mul", [value, "white"], ["levels"]))
        value = "levels"
    if element == TensorProto.UINT8:
        low, high = (numpy_helper.from_array(np.float32(v), f"limit_{v}") for v in (0, 255))
        graph.initializer.extend([low, high])
        after.append(helper.make_node("Clip", [value, "limit_0", "limit_255"], ["clipped"]))
        after.append(helper.make_node("Round", ["clipped"], ["rounded"]))
        value = "rounded"
    if element != TensorProto.FLOAT:
        after.append(helper.make_node("Cast", [value], ["cast"], to=element))
        value = "cast"
    if "N" not in layout:
        after.append(helper.make_node("Squeeze", [value, "first_axis"], ["single"]))
        value = "single"
    after.append(helper.make_node("Identity", [value], ["result"]))
    sides = {"N": 1, "C": channels, "H": "h", "W": "w"}
    dims = dims or [sides[axis] for axis in layout]
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.input.append(helper.make_tensor_value_info("picture", element, dims))
    graph.output.append(helper.make_tensor_value_info("result", element, [None] * len(layout)))
    onnx.save(plain, path)
    return module


FORMS = {
    "float16": {"element": TensorProto.FLOAT16},
    "float64": {"element": TensorProto.DOUBLE},
    "uint8": {"element": TensorProto.UINT8, "white": 255},
    "0…255": {"white": 255},
    "NHWC": {"layout": "NHWC"},
    "uint8 HWC": {"layout": "HWC", "element": TensorProto.UINT8, "white": 255},
    "CHW": {"layout": "CHW"},
    "gray": {"channels": 1},
    "RGBA": {"channels": 4},
    "two at a time": {"dims": [2, 3, "h", "w"]},
    "nothing said": {"dims": [None] * 4},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_of_every_form(tmp_path, form, channels):
    path = tmp_path / "net.onnx"
    module = one_convolution(path, **FORMS[form])
    image = picture(20, 31, channels) if channels > 1 else picture(20, 31)
    expected = sr_ops.upscale_image(image, 2, model=module).astype(int)
    result = sr_ops.upscale_image(image, 2, model=path)
    assert np.abs(result - expected).max() <= 1
    tiled = sr_ops.upscale_image(image, 2, model=path, tile=32)
    assert np.abs(tiled - result.astype(int)).max() <= 1


def test_what_no_shape_tells_is_asked_for(tmp_path):
    path = tmp_path / "net.onnx"
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "any",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    image = picture(20, 31, 3)
    with pytest.raises(ModelError, match=r"pass layout \(--layout\) NCHW or NHWC"):
        sr_ops.upscale_image(image, 2, model=path)
    result = sr_ops.upscale_image(image, 1, model=path, layout="nchw", enlarge="after")
    assert np.array_equal(result, image)


def test_a_network_that_keeps_the_size_is_asked_about(tmp_path):
    torch.manual_seed(0)
    module = nn.Conv2d(3, 3, 3, padding=1).eval()
    path = to_onnx(tmp_path / "net.onnx", module)
    image = picture(30, 41, 3, np.float32)
    with pytest.raises(ModelError, match=r"pass enlarge \(--enlarge\) 'before'.*'after'"):
        sr_ops.upscale_image(image, 2.7, model=path)
    results = {}
    for enlarge in ("before", "after"):
        results[enlarge] = assert_tiles_fit(image, path, enlarge=enlarge)
    planes = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        before = module(sr_ops.dynamic_upscale(planes, 2.7))[0].permute(1, 2, 0).numpy()
        kernel = {"cubic_coeff_a": -0.5, "antialias": True, "exclude_outside": True}
        after = sr_ops.dynamic_upscale(module(planes), 2.7, **kernel)[0].permute(1, 2, 0).numpy()
    assert np.abs(results["before"] - before).max() < 1e-5
    assert np.abs(results["after"] - after).max() < 1e-5
    module.channels = 3
    ours = sr_ops.upscale_image(image, 2.7, model=_Restorer(module), tile=32)
    assert np.abs(ours - after).max() < 1e-5


class _Restorer(nn.Module):
    channels, restores = 3, True

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, scale):
        del scale
        return self.net(x)


@pytest.mark.parametrize("white", [1, 255])
def test_the_value_of_white(white):
    class Levels(nn.Module):
        channels, upscale_factor, radius = 3, 1, 0

        def forward(self, x, scale):
            x = sr_ops.dynamic_upscale(x, scale)
            return torch.where(x > white / 2, white, 0) + 0 * x

    image = picture(10, 12, 3)
    result = sr_ops.upscale_image(image, 1, model=Levels(), value_range=white)
    assert np.array_equal(result, np.where(image > 127, 255, 0))


def test_bgr(espcn):
    image = picture(10, 12, 3)
    turned = sr_ops.upscale_image(image[..., ::-1], 2, model=espcn)[..., ::-1]
    assert np.array_equal(sr_ops.upscale_image(image, 2, model=espcn, colours="bgr"), turned)
    other = sr_ops.upscale_image(
        image[..., ::-1], 2, model=espcn, colours="bgr", channel_order="bgr"
    )
    assert np.array_equal(other[..., ::-1], turned)


def test_weights_among_the_inputs_of_an_old_file(tmp_path, espcn):
    path = to_onnx(tmp_path / "old.onnx", espcn, keep_initializers_as_inputs=True, opset_version=11)
    model = onnx.load(path)
    model.ir_version = 3
    onnx.save(model, path)
    assert len(model.graph.input) > 1
    image = picture(20, 30, 3)
    result = sr_ops.upscale_image(image, 2.7, model=path).astype(int)
    assert np.abs(result - sr_ops.upscale_image(image, 2.7, model=espcn)).max() <= 1
    sr_ops.upscale_image(image, 2.7, model=path, tile=32)


@pytest.mark.parametrize(
    ("keywords", "part"),
    [
        ({"layout": "NCWH"}, "layout: got 'NCWH'"),
        ({"layout": "HWC"}, "layout: got HWC, but"),
        ({"value_range": 2}, "value_range: got 2"),
        ({"enlarge": "never"}, "enlarge: got 'never'"),
        ({"enlarge": "before"}, "enlarge: got 'before', but .* enlarges by 2"),
        ({"overlap": -1}, "overlap: got -1"),
        ({"overlap": True}, "overlap: got True"),
        ({"colours": "hsv"}, "colours"),
    ],
)
def test_bad_arguments(tmp_path, espcn, keywords, part):
    path = to_onnx(tmp_path / "net.onnx", espcn)
    for model in (espcn, path):
        with pytest.raises(SrOpsError, match=part):
            sr_ops.upscale_image(picture(8, 8, 3), 2, model=model, **keywords)


def test_treatment_is_checked():
    assert Treatment(layout="nhwc").checked().layout == "NHWC"


@pytest.mark.parametrize(
    "said",
    [
        '{"channels": 3, "radius": "far"}',
        '{"channels": 2, "radius": 3}',
        '{"channels": 3, "radius": 3, "multiple": 0}',
        '{"channels": 3, "colour": "red"}',
        "[3]",
        "{",
    ],
)
def test_metadata_that_cannot_be_understood(tmp_path, espcn, said):
    path = to_onnx(tmp_path / "net.onnx", espcn)
    model = onnx.load(path)
    helper.set_model_props(model, {METADATA_KEY: said})
    onnx.save(model, path)
    with pytest.raises(ModelError, match=f"^metadata '{METADATA_KEY}': cannot be understood"):
        sr_ops.upscale_image(picture(8, 8, 3), 2, model=path)

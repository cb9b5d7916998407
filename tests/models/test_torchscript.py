"""TorchScript archives: refused without trust; with it networks like others, and still bounded."""

from __future__ import annotations

import re
import warnings
import zipfile

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate, pixel_shuffle

import sr_ops
from sr_ops import imaging, models
from sr_ops.errors import CheckpointError, InvalidArgumentError, ModelError
from sr_ops.imaging.networks import load_network
from sr_ops.models import ESPCN


class Doubles(nn.Module):
    """A sub-pixel network of any number of channels."""

    upscale_factor = 2

    def __init__(self, channels: int = 3):
        super().__init__()
        self.channels = channels
        self.conv = nn.Conv2d(channels, 4 * channels, 3, padding=1)

    def forward(self, x):
        return pixel_shuffle(self.conv(x), 2)


class Strided(Doubles):
    """One that wants even sides."""

    def forward(self, x):
        small = pixel_shuffle(self.conv(x), 2)[..., ::4, ::4]
        return interpolate(small, scale_factor=4.0, mode="nearest") + 0 * pixel_shuffle(
            torch.cat([x, x, x, x], 1), 2
        )


class Keeps(nn.Module):
    channels = 3

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return x + 0.1 * self.conv(x)


class Enlarges(Keeps):
    """Takes a scale, and enlarges before all else."""

    def __init__(self, form):
        super().__init__()
        self.form = form

    def forward(self, x, scale):
        if self.form == "four values":
            scale = scale.reshape(4)[2:]
        elif self.form == "one value":
            scale = scale.reshape(1)
        return super().forward(sr_ops.dynamic_upscale(x, scale))


class ByNumber(Keeps):
    def forward(self, x, scale: float):
        x = interpolate(x, scale_factor=scale, mode="bicubic", align_corners=False)
        return x + 0.1 * self.conv(x)


class Own(nn.Module):
    """A module beside its archive: the same attributes as a network of one's own has."""

    def __init__(self, module, factor):
        super().__init__()
        self.module, self.channels, self.upscale_factor = module, module.channels, factor

    def forward(self, x, scale):
        if self.upscale_factor == 1:
            x = sr_ops.dynamic_upscale(x, scale)
        return self.module(x)


def traced(module, *args):
    return torch.jit.trace(module, args or (torch.rand(1, module.channels, 20, 28),))


def scripted(module, *_):
    return torch.jit.script(module)


def frozen(module, *_):
    return torch.jit.freeze(torch.jit.script(module))


def save(tmp_path, program):
    program.save(path := tmp_path / "net.pt")
    return path


def made(build, how=traced, *args):
    torch.manual_seed(0)
    module = build().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of TorchScript itself
        return module, how(module, *args)


def picture(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


def assert_same(image, path, module, factor, **keywords):
    """At a scale of its own, in one piece and in tiles."""
    expected = sr_ops.upscale_image(image, 2.7, model=Own(module, factor))
    whole = sr_ops.upscale_image(image, 2.7, model=path, trust_torchscript=True, **keywords)
    assert np.abs(whole - expected).max() < 1e-5
    tiled = sr_ops.upscale_image(
        image, 2.7, model=path, trust_torchscript=True, tile=48, **keywords
    )
    assert np.abs(tiled - whole).max() <= 1e-4 / 255


@pytest.mark.parametrize("how", [traced, scripted, frozen])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_network_with_a_factor_of_its_own(tmp_path, how, channels):
    module, program = made(lambda: Doubles(channels), how)
    path = save(tmp_path, program)
    network = models.load(path, trust_torchscript=True)
    assert (network.channels, network.upscale_factor, network.multiple) == (channels, 2, 1)
    assert load_network(network).measure().radius == 2
    assert_same(picture(50, 41, channels), path, module, 2)


def test_a_network_that_wants_sides_of_a_multiple(tmp_path):
    _, program = made(Strided, scripted)
    network = models.load(save(tmp_path, program), trust_torchscript=True)
    assert network.multiple == 2
    assert network(torch.rand(1, 3, 9, 11), 2.7).shape == (1, 3, 24, 29)


FORMS = {
    "two values": lambda h, w: torch.tensor([h, w]),
    "four values": lambda h, w: torch.tensor([1.0, 1.0, h, w]),
    "one value": lambda h, _: torch.tensor([h]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_network_that_takes_a_scale(tmp_path, form):
    example = torch.rand(1, 3, 20, 28), FORMS[form](2.0, 2.0)
    module, program = made(lambda: Enlarges(form), traced, *example)
    path = save(tmp_path, program)
    plain = Keeps()
    plain.load_state_dict(module.state_dict())
    assert_same(picture(50, 41, 3), path, plain, 1)
    network = models.load(path, trust_torchscript=True)
    x = torch.rand(1, 3, 8, 9)
    if form == "one value":
        with pytest.raises(InvalidArgumentError, match="one factor for both axes"):
            network(x, (2, 3))
    else:
        assert network(x, (2, 3)).shape == (1, 3, 16, 27)


def test_a_network_that_takes_a_number(tmp_path):
    module, program = made(ByNumber, scripted)
    plain = Keeps()
    plain.load_state_dict(module.state_dict())
    path, image = save(tmp_path, program), picture(30, 41, 3)
    result = sr_ops.upscale_image(image, 2.0, model=path, trust_torchscript=True)
    assert np.abs(result - sr_ops.upscale_image(image, 2.0, model=Own(plain, 1))).max() < 1e-5


def test_a_network_that_keeps_the_size_is_asked_about(tmp_path):
    module, program = made(Keeps)
    path, image = save(tmp_path, program), picture(30, 41, 3)
    with pytest.raises(ModelError, match=r"pass enlarge \(--enlarge\) 'before'.*'after'"):
        sr_ops.upscale_image(image, 2.7, model=path, trust_torchscript=True)
    assert_same(image, path, module, 1, enlarge="before")
    after = sr_ops.upscale_image(image, 2.7, model=path, trust_torchscript=True, enlarge="after")
    with torch.no_grad():
        kept = module(torch.from_numpy(image.transpose(2, 0, 1)[None].copy()))
        kernel = {"cubic_coeff_a": -0.5, "antialias": True, "exclude_outside": True}
        expected = sr_ops.dynamic_upscale(kept, 2.7, **kernel)
    assert np.abs(after - expected[0].permute(1, 2, 0).numpy()).max() < 1e-5
    network = models.load(path, trust_torchscript=True)
    with pytest.raises(InvalidArgumentError, match=r"network\.placed\('before'\)") as caught:
        models.to_onnx(network)
    # What the error says to do.
    placed = eval(re.search(r"network\.placed\('before'\)", str(caught.value)).group())
    onnx.save(models.to_onnx(placed), tmp_path / "net.onnx")
    result = sr_ops.upscale_image(image, 2.7, model=tmp_path / "net.onnx")
    assert np.abs(result - sr_ops.upscale_image(image, 2.7, model=placed)).max() < 1e-5


def test_a_program_is_exported_by_the_exporter_that_the_refusal_names(tmp_path):
    _, program = made(Doubles, frozen)
    example = (torch.rand(1, 3, 20, 28),)
    with pytest.raises(InvalidArgumentError, match=r"exporter='torchscript' only") as caught:
        sr_ops.onnx.export(program, example)
    exporter = re.search("exporter='(.*?)'", str(caught.value)).group(1)
    sr_ops.onnx.export(program, example, tmp_path / "net.onnx", exporter=exporter)
    image = picture(30, 41, 3)
    expected = sr_ops.upscale_image(
        image, 2.7, model=save(tmp_path, program), trust_torchscript=True
    )
    result = sr_ops.upscale_image(image, 2.7, model=tmp_path / "net.onnx")
    assert np.abs(result - expected).max() < 1e-5


@pytest.mark.parametrize("scale", [False, True])
def test_exported(tmp_path, scale):
    if scale:
        example = torch.rand(1, 3, 20, 28), torch.tensor([2.0, 2.0])
        _, program = made(lambda: Enlarges("two values"), traced, *example)
    else:
        _, program = made(Doubles, scripted)
    network = models.load(save(tmp_path, program), trust_torchscript=True)
    model = models.to_onnx(network)
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param for dim in shape] == ["batch", "", "height", "width"]
    onnx.save(model, tmp_path / "net.onnx")
    image = picture(30, 41, 3)
    expected = sr_ops.upscale_image(image, 2.7, model=network)
    result = sr_ops.upscale_image(image, 2.7, model=tmp_path / "net.onnx")
    assert np.abs(result - expected).max() < 1e-5
    ort = sr_ops.upscale_image(image, 2.7, model=network, backend="ort")
    assert np.abs(ort - expected).max() < 1e-5


def test_only_with_trust_and_the_refusal_says_how(run, tmp_path):
    _, program = made(Doubles)
    path = save(tmp_path, program)
    photo = tmp_path / "photo.png"
    imaging.write_image(photo, np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(CheckpointError, match="a TorchScript archive, which is a pro") as caught:
        models.load(path)
    name, value = re.search(r"pass (trust_torchscript)=(True)", str(caught.value)).groups()
    assert models.load(path, **{name: value == "True"}).upscale_factor == 2
    commands = {
        "large.png": ("upscale", photo, "OUT", "-s", 2.7, "--model", path),
        "page.html": ("compare", photo, "-o", "OUT", "-s", 2.7, "--model", path, "-m", "espcn"),
        "card.md": ("eval", tmp_path, "--markdown", "OUT", "-s", 1.2, "-m", path, "-m", "bicubic"),
        "net.onnx": ("export", path, "OUT"),
    }
    for target, parts in commands.items():
        command = [tmp_path / target if part == "OUT" else part for part in parts]
        code, _, err = run(*command)
        assert code == 2
        assert len(err.splitlines()) == 1
        option = re.search(r"\((--[a-z-]+)\), which runs it", err).group(1)
        code, _, err = run(*command, option)
        assert (code, err) == (0, "")
        assert (tmp_path / target).exists()


def test_export_of_what_keeps_the_size(run, tmp_path):
    _, program = made(Keeps)
    command = ("export", save(tmp_path, program), tmp_path / "a.onnx", "--trust-torchscript")
    code, _, err = run(*command)
    assert code == 2
    option, value = re.search(r"\((--enlarge)\) '(before)'", err).groups()
    code, out, _ = run(*command, option, value)
    assert code == 0
    assert "scale (2)" in out
    code, _, err = run("export", "espcn_x2", tmp_path / "b.onnx", "--enlarge", "after")
    assert code == 2
    assert "--enlarge: ESPCN" in err


class Fails(nn.Module):
    def forward(self, x):
        assert x.shape[2] < 0, "not today"
        return x


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Three(nn.Module):
    def forward(self, x, y, z):
        return x + y + z


class NoScale(nn.Module):
    """Takes a picture, and one of half the size."""

    def forward(self, x, half):
        return x + interpolate(half, scale_factor=2.0)


class Tired(Doubles):
    """Works on small pictures, as those that it is tried with are."""

    def forward(self, x):
        assert x.shape[2] <= 300, "too tall"
        return pixel_shuffle(self.conv(x), 2)


class Dark(Doubles):
    def forward(self, x):
        return pixel_shuffle(self.conv(x), 2) / (x.sum() - x.sum())


class Last(Doubles):
    """Takes a scale, by which it enlarges after all else."""

    def forward(self, x, scale):
        return sr_ops.dynamic_upscale(self.conv(x)[:, :3], scale)


@pytest.mark.parametrize(
    ("build", "part"),
    [
        (Fails, r"takes no square picture .* \(.*not today"),
        (Pair, "makes no picture of a picture"),
        (Three, "its forward takes x, y, z; expected an image, or image and scale"),
        (NoScale, "its forward wants an image and something that is no scale"),
    ],
)
def test_programs_that_are_no_networks(tmp_path, build, part):
    _, program = made(build, scripted)
    with pytest.raises(CheckpointError, match=part) as caught:
        models.load(save(tmp_path, program), trust_torchscript=True)
    assert "\n" not in str(caught.value)
    assert "torch.onnx.export" in str(caught.value)


def test_a_program_that_stops_working(tmp_path):
    _, program = made(Tired, scripted)
    network = models.load(save(tmp_path, program), trust_torchscript=True)
    network(torch.rand(1, 3, 200, 20), 2)
    with pytest.raises(ModelError, match=r"^the TorchScript program fails: .*too tall$"):
        network(torch.rand(1, 3, 400, 20), 2)
    with pytest.raises(InvalidArgumentError, match=r"^enlarge: got .* enlarges itself$"):
        network.placed("after")


def test_a_scale_that_comes_last_leads_to_a_file_that_works(tmp_path):
    example = torch.rand(1, 3, 20, 28), torch.tensor([2.0, 2.0])
    module, program = made(Last, traced, *example)
    path = save(tmp_path, program)
    with pytest.raises(CheckpointError, match="does not enlarge before all else") as caught:
        models.load(path, trust_torchscript=True)
    # What the error says to do.
    assert "where its model was made, call torch.onnx.export, and give that file" in str(
        caught.value
    )
    sr_ops.onnx.export(module, example, tmp_path / "net.onnx", exporter="torchscript")
    assert sr_ops.upscale_image(picture(9, 9, 3), 2, model=tmp_path / "net.onnx").shape == (
        *(18, 18, 3),
    )


def test_numbers_that_are_none(tmp_path):
    _, program = made(Dark, scripted)
    with pytest.raises(ModelError, match="makes NaN or infinity of a picture without them"):
        sr_ops.upscale_image(
            picture(20, 20, 3), 2, model=save(tmp_path, program), trust_torchscript=True
        )


def test_archives_that_inflate_or_are_cut(tmp_path):
    _, program = made(Doubles)
    path, bomb = save(tmp_path, program), tmp_path / "bomb.pt"
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as large:
        for name in plain.namelist():
            large.writestr(name, plain.read(name))
        with large.open("net/extra/zeros", "w") as file:
            for _ in range(80):
                file.write(bytes(1 << 20))
    with pytest.raises(CheckpointError, match="inflate to"):
        models.load(bomb, trust_torchscript=True)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CheckpointError, match=r"net\.pt"):
        models.load(path, trust_torchscript=True)


def test_trust_changes_nothing_for_checkpoints(tmp_path):
    torch.save(ESPCN(2, features=(4, 4, 4)).state_dict(), tmp_path / "net.pth")
    assert isinstance(models.load(tmp_path / "net.pth", trust_torchscript=True), ESPCN)

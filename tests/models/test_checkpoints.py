"""Checkpoint files: wrappers, prefixes, strictness, and what is refused."""

import pickle
import re
import warnings

import pytest
import safetensors.torch
import torch
from torch import nn

from sr_ops import models
from sr_ops.errors import CheckpointError, FileError
from sr_ops.models import SRCNN


@pytest.fixture
def weights():
    torch.manual_seed(1)
    return SRCNN().state_dict()


def save(tmp_path, content):
    path = tmp_path / "net.pth"
    torch.save(content, path)
    return path


def assert_same_weights(model, weights):
    assert list(model.state_dict()) == list(weights)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, weights[key], rtol=0, atol=0)


def wrapped(prefix, weights):
    return {f"{prefix}{key}": value for key, value in weights.items()}


@pytest.mark.parametrize(
    "prefix", ["", "generator.", "module.", "module.generator.", "generator.module."]
)
@pytest.mark.parametrize("wrapper", [None, "state_dict", "params_ema"])
def test_prefixes_and_wrappers(tmp_path, weights, prefix, wrapper):
    content = wrapped(prefix, weights)
    path = save(tmp_path, content if wrapper is None else {wrapper: content, "epoch": 3})
    model = models.load(path)
    assert isinstance(model, SRCNN)
    assert not model.training
    assert_same_weights(model, weights)


def test_mmediting_layout(tmp_path, weights):
    """Plain objects beside ``state_dict``, and its keys under ``generator.``."""
    optimizer = torch.optim.Adam(SRCNN().parameters()).state_dict()
    path = save(
        tmp_path,
        {
            "meta": {"epoch": 1, "iter": 1000, "mmcv_version": "1.0"},
            "state_dict": wrapped("generator.", weights),
            "optimizer": {"generator": optimizer},
        },
    )
    assert_same_weights(models.load(str(path)), weights)


def test_shape_is_read_from_the_weights(tmp_path):
    net = SRCNN(channels=1, features=(8, 4), kernel_sizes=(5, 3, 3))
    loaded = models.load(save(tmp_path, net.state_dict()))
    assert (loaded.channels, loaded.radius) == (1, 4)
    assert_same_weights(loaded, net.state_dict())


def test_faults_are_listed_and_the_model_stays_as_it_was(weights):
    model = SRCNN()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    weights["conv4.weight"] = weights.pop("conv3.weight")
    weights["conv1.bias"] = torch.zeros(7)
    with pytest.raises(CheckpointError) as caught:
        models.load_state_dict(model, weights, source="some.pth")
    message = str(caught.value)
    for part in (
        "some.pth does not fit SRCNN",
        "missing conv3.weight",
        "unexpected conv4.weight",
        "of another shape conv1.bias (7,) instead of (64,)",
    ):
        assert part in message
    assert_same_weights(model, before)


def test_unexpected_key_in_a_file(tmp_path, weights):
    with pytest.raises(CheckpointError, match=r"does not fit SRCNN: unexpected extra\.weight"):
        models.load(save(tmp_path, {**weights, "extra.weight": torch.zeros(1)}))


def test_missing_bias_in_a_file(tmp_path, weights):
    del weights["conv2.bias"]
    with pytest.raises(CheckpointError, match=r"missing conv2\.bias"):
        models.load(save(tmp_path, weights))


def test_another_architecture(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"no known architecture.*keys begin with weight, bias"
    ):
        models.load(save(tmp_path, nn.Linear(2, 2).state_dict()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list"),
        ({}, "holds a dict"),
        ({"state_dict": {"a": 3}}, "not tensors: a"),
        (torch.zeros(3), "holds a Tensor"),
    ],
)
def test_files_without_weights(tmp_path, content, message):
    with pytest.raises(CheckpointError, match=message):
        models.load(save(tmp_path, content))


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize(
    "writer", [torch.save, lambda obj, path: path.write_bytes(pickle.dumps(obj))]
)
def test_a_pickle_bomb_does_not_go_off(tmp_path, writer):
    crater, path = tmp_path / "crater", tmp_path / "bomb.pth"
    writer({"state_dict": Bomb(crater)}, path)
    with pytest.raises(CheckpointError, match="refused") as caught:
        models.load(path)
    assert "weights_only" not in str(caught.value)  # torch's hint at how to set it off
    assert not crater.exists()


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n", b"PK\x03\x04broken"])
def test_not_a_checkpoint(tmp_path, data):
    path = tmp_path / "net.pth"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"net\.pth"):
        models.load(path)


def test_truncated(tmp_path, weights):
    path = save(tmp_path, weights)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match=r"net\.pth"):
        models.load(path)


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(FileError, match="No such file"):
        models.load(tmp_path / "none.pth")
    with pytest.raises(FileError, match="directory"):
        models.load(tmp_path)


def test_safetensors(tmp_path, weights):
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file(wrapped("generator.", weights), path)
    assert_same_weights(models.load(path), weights)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        models.load(path)
    with pytest.raises(FileError, match="No such file"):
        models.load(tmp_path / "none.safetensors")


def test_dictionaries_that_hold_themselves(tmp_path):
    one, two = {}, {}
    one["state_dict"], two["model"] = two, one
    two["state_dict"] = one
    torch.save(one, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match="within dictionaries"):
        models.load(tmp_path / "net.pth")


def corrupted(**changes):
    return {**SRCNN(channels=1, features=(4, 4)).state_dict(), **changes}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (torch.zeros(1).expand(4, 1, 9, 9), "repeats the few values"),
        (torch.zeros(1).expand(2**20, 2**10), "repeats the few values"),
        (torch.empty(0).as_strided((0, 2**62, 8), (1, 1, 1)), "at most 2.40 elements"),
        (torch.zeros(1).expand(2**31, 2**31), "at most 2.40 elements"),
        (torch.zeros(4, 1, 9, 9, dtype=torch.complex64), "complex"),
        (torch.full((4, 1, 9, 9), float("nan")), "not finite"),
        (torch.zeros(4, 1, 9, 9).to_sparse(), "expected an ordinary tensor"),
        (torch.zeros(4, 1, 9, 9, device="meta"), "expected an ordinary tensor"),
        (
            torch.quantize_per_tensor(torch.zeros(4, 1, 9, 9), 1, 0, torch.qint8),
            "quantized|not a plain checkpoint",
        ),
    ],
)
def test_weights_that_are_no_ordinary_numbers(tmp_path, value, part):
    torch.save(corrupted(**{"conv1.weight": value}), tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=part) as caught:
        models.load(tmp_path / "net.pth")
    assert len(str(caught.value)) < 400


def test_names_of_megabytes(tmp_path):
    torch.save({"k" * 1_000_000: torch.zeros(1), "l" * 1_000_000: 5}, tmp_path / "a.pth")
    torch.save({"k" * 1_000_000: torch.zeros(1)}, tmp_path / "b.pth")
    torch.save(corrupted(**{"m" * 1_000_000: torch.zeros(1)}), tmp_path / "c.pth")
    for name in ("a.pth", "b.pth", "c.pth"):
        with pytest.raises(CheckpointError) as caught:
            models.load(tmp_path / name)
        assert len(str(caught.value)) < 1000


def test_a_name_with_a_nul():
    with pytest.raises(FileError, match="no file can be called so"):
        models.load("net\0.pth")


def test_a_whole_module_becomes_a_state_dict_as_the_refusal_says(tmp_path, weights, monkeypatch):
    model = SRCNN()
    model.load_state_dict(weights)
    path = tmp_path / "module.pth"
    torch.save(model, path)
    with pytest.raises(CheckpointError, match="refused") as caught:
        models.load(path)
    advice = re.search(r"call (torch\.save\(.*?\)), and give (\S+)$", str(caught.value))
    monkeypatch.chdir(tmp_path)
    exec(advice.group(1), {"torch": torch, "model": model})
    assert_same_weights(models.load(advice.group(2)), weights)


def test_a_torchscript_archive_is_named_and_leads_on(tmp_path, weights, monkeypatch):
    model = SRCNN().eval()
    model.load_state_dict(weights)
    path = tmp_path / "script.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(model.conv1, torch.rand(1, 3, 12, 12)).save(path)
    with pytest.raises(
        CheckpointError, match="a TorchScript archive, which is a program"
    ) as caught:
        models.load(path)
    assert "weights_only" not in str(caught.value)
    advice = re.search(r"call (torch\.save\(.*?\)) or", str(caught.value))
    monkeypatch.chdir(tmp_path)
    exec(advice.group(1), {"torch": torch, "model": model})
    assert_same_weights(models.load("weights.pth"), weights)


def test_torchs_hint_at_how_to_execute_a_file_is_not_passed_on(tmp_path):
    path = tmp_path / "net.bin"
    path.write_bytes(bytes(1000))
    with pytest.raises(CheckpointError, match="not a checkpoint of tensors") as caught:
        models.load(path)
    assert "weights_only" not in str(caught.value)

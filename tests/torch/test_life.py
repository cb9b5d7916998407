"""Life outside the graph: autocast, pickles, state, data loaders, threads, the library itself."""

from __future__ import annotations

import concurrent.futures
import copy
import io
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import sr_ops
from sr_ops import dynamic_upscale
from sr_ops._libraries import library_file

X = torch.rand(2, 3, 11, 9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("autocast_to", [torch.bfloat16, torch.float16])
def test_autocast_as_interpolate(dtype: torch.dtype, autocast_to: torch.dtype) -> None:
    x = X.to(dtype)
    with torch.autocast("cpu", dtype=autocast_to):
        expected = torch.nn.functional.interpolate(x, scale_factor=2, mode="bicubic").dtype
        results = [dynamic_upscale(x, 2), dynamic_upscale(x, torch.tensor(2))]
    assert [result.dtype for result in results] == [expected, expected]


@pytest.fixture
def cuda_autocast() -> Iterator[None]:
    """The state that torch.autocast("cuda") sets, which refuses to without a GPU."""
    torch.set_autocast_enabled("cuda", True)
    yield
    torch.set_autocast_enabled("cuda", False)


@pytest.mark.usefixtures("cuda_autocast")
@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8]
)
def test_cuda_autocast_as_interpolate(dtype: torch.dtype) -> None:
    # Tensors without data have devices that this machine lacks.
    with FakeTensorMode(shape_env=ShapeEnv()):
        x = torch.zeros(X.shape, dtype=dtype, device="cuda")
        expected = functional.interpolate(x, scale_factor=2, mode="bicubic").dtype
        results = [
            dynamic_upscale(x, 2),
            dynamic_upscale(x, torch.tensor(2.0)),
            dynamic_upscale(x, torch.zeros(2, device="cuda")),
            torch.ops.sr_ops.dynamic_upscale_to_size(x, [4, 4], None, None, 0, -0.75, False, False),
        ]
        assert [(y.dtype, y.device.type) for y in results] == [(expected, "cuda")] * 4


def test_training_under_autocast() -> None:
    convolution = torch.nn.Conv2d(3, 3, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = dynamic_upscale(convolution(X), 2.5)
        assert y.dtype == torch.bfloat16
        loss = y.float().square().mean()
    loss.backward()
    gradient = convolution.weight.grad
    assert gradient is not None and gradient.dtype == torch.float32 and gradient.abs().max() > 0


@pytest.mark.parametrize("keywords", [{"scale": (1.4, 2)}, {"size": (20, 30)}, {}], ids=repr)
def test_copies_of_the_module(keywords: dict[str, Any]) -> None:
    module = sr_ops.DynamicUpscale(**keywords, cubic_coeff_a=-0.5, exclude_outside=True)
    scale = None if keywords else 2.5
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    for twin in (
        copy.deepcopy(module),
        copy.copy(module),
        pickle.loads(pickle.dumps(module)),
        torch.load(file, weights_only=False),
    ):
        assert repr(twin) == repr(module)
        assert torch.equal(twin(X, scale), module(X, scale))
    assert module.state_dict() == {}
    module.load_state_dict({})
    assert list(module.parameters()) == list(module.buffers()) == []
    assert torch.equal(module.half()(X, scale), module(X, scale))


class Upscaled(Dataset[torch.Tensor]):
    def __init__(self) -> None:
        self.module = sr_ops.DynamicUpscale(1.7)

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> torch.Tensor:
        image = torch.full((1, 3, 40, 50), float(index))
        return self.module(image + torch.arange(50.0))[0]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_data_loader_workers(start: str) -> None:
    dynamic_upscale(torch.rand(1, 3, 200, 200), 2)  # torch's threads exist before the fork
    dataset, workers = Upscaled(), 2 if start == "fork" else 1  # a spawned one imports torch anew
    expected = torch.stack([dataset[index] for index in range(6)])
    loader = DataLoader(dataset, batch_size=3, num_workers=workers, multiprocessing_context=start)
    assert torch.equal(torch.cat(list(loader)), expected)


def test_threads() -> None:
    """Many threads, many problems: more of them than the tables' cache holds."""
    scales = [1 + index / 16 for index in range(48)]
    expected = {scale: dynamic_upscale(X, scale) for scale in scales}

    def work(seed: int) -> bool:
        order = scales[seed:] + scales[:seed]
        return all(torch.equal(dynamic_upscale(X, scale), expected[scale]) for scale in order * 2)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(0, 48, 3)))


def test_backward_from_many_threads() -> None:
    def work(_: int) -> torch.Tensor:
        x = X.clone().requires_grad_()
        dynamic_upscale(x, 2.3).square().sum().backward()
        assert x.grad is not None
        return x.grad

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        gradients = list(pool.map(work, range(16)))
    assert all(torch.equal(gradient, gradients[0]) for gradient in gradients)


def test_inference_mode() -> None:
    with torch.inference_mode():
        y = dynamic_upscale(torch.rand(1, 2, 4, 4), 2.5)
    assert y.is_inference()
    leaf = torch.nn.Parameter(torch.rand(1, 2, 4, 4))
    with torch.no_grad():
        assert not dynamic_upscale(leaf, 2.5).requires_grad
    assert dynamic_upscale(leaf, 2.5).requires_grad


def test_without_gradient_no_python_runs_below_the_op(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inference goes straight to the op: no autograd.Function, no autograd kernel."""
    from sr_ops._torch import autograd

    def refuse(*_: Any) -> None:
        raise AssertionError("recorded for a gradient that nobody asked for")

    monkeypatch.setattr(autograd.UpscaleToSize, "apply", refuse)
    monkeypatch.setattr(autograd.UpscaleToSize, "setup_context", refuse)
    dynamic_upscale(X, 2)
    dynamic_upscale(X, torch.tensor(2))
    with torch.no_grad():
        dynamic_upscale(X.clone().requires_grad_(), 2)
    with pytest.raises(AssertionError, match=r"recorded"):
        dynamic_upscale(X.clone().requires_grad_(), 2)


def test_missing_torch_is_named() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import sr_ops\n"
        "try: sr_ops.dynamic_upscale\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=pathlib.Path(sr_ops.__file__).parents[1],
    )
    assert done.stdout.startswith("MissingDependencyError")
    assert "pip install 'sr-ops[torch]'" in done.stdout


class TestStableAbi:
    """One library for every torch from 2.10 on."""

    def needed(self) -> list[str]:
        tool = shutil.which("nm")
        if tool is None:
            pytest.skip("needs nm, of binutils")
        command = [tool, "--dynamic", "--undefined-only", library_file("sr_ops_torch")]
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [line.split()[-1].partition("@")[0] for line in listing.splitlines()]

    def test_every_entry_point_exists_in_the_oldest_torch(self) -> None:
        listed = pathlib.Path(__file__).with_name("torch_2_10_entry_points.txt").read_text()
        known = {line for line in listed.splitlines() if not line.startswith("#")}
        used = {name for name in self.needed() if re.match("(aoti_)?torch_", name)}
        assert {"torch_library_impl", "torch_parallel_for", "aoti_torch_empty_strided"} <= used
        assert used <= known

    def test_nothing_of_torch_beside_the_stable_abi(self) -> None:
        # Mangled names of the C++ namespaces at, c10, caffe2 and torch, and Python's own.
        unstable = re.compile(r"_ZNK?(2at|3c10|6caffe2|5torch)|_?Py[A-Z_]")
        assert [name for name in self.needed() if unstable.match(name)] == []

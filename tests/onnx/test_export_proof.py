"""export runs its file at other sizes: "dynamic" is proven, never assumed."""

from __future__ import annotations

import importlib.util
import logging
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import sr_ops
from sr_ops.errors import ExportError
from sr_ops.onnx.exporting.inputs import ExportInputs

pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
EXPORTERS = ("dynamo", "torchscript")
X = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0))


class Model(torch.nn.Module):
    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def sized_by_numbers(x: torch.Tensor) -> torch.Tensor:
    size = (int(x.shape[2] // 8), int(x.shape[3] // 8))
    return functional.interpolate(x, size=size, mode="bicubic")


def sized_by_shape(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, size=(x.shape[2] // 8, x.shape[3] // 8), mode="bicubic")


def decided_by_size(x: torch.Tensor) -> torch.Tensor:
    return x * 2 if x.shape[2] < 100 else x * 3


def shorter_side_by_numbers(x: torch.Tensor) -> torch.Tensor:
    height, width = x.shape[-2:]
    landscape = height < width
    size = (24, int(24 * width / height)) if landscape else (int(24 * height / width), 24)
    return functional.interpolate(x, size=size, mode="bicubic", antialias=True)


TABLE = list(range(500))


def looked_up(x: torch.Tensor) -> torch.Tensor:
    size = (TABLE[x.shape[2]] // 8, x.shape[3] // 8)
    return functional.interpolate(x, size=size, mode="bicubic")


@pytest.mark.parametrize(
    ("function", "exporter", "node"),
    [
        (sized_by_numbers, "torchscript", "DynamicUpscaleToSizes"),
        (decided_by_size, "torchscript", None),
        (shorter_side_by_numbers, "torchscript", "DynamicUpscaleToSizes"),
    ],
)
def test_what_is_dynamic_in_name_only(
    function: Callable[..., torch.Tensor], exporter: str, node: str | None, tmp_path: Any
) -> None:
    model, path = Model(function), tmp_path / "model.onnx"
    with pytest.raises(ExportError, match=r"^verify: height is dynamic in name only") as caught:
        sr_ops.onnx.export(model, (X,), path, exporter=exporter)
    assert "exporter='dynamo'" in str(caught.value)
    assert ("the first node whose shape is frozen is" in str(caught.value)) == (node is not None)
    assert node is None or node in str(caught.value)
    assert not path.exists()
    sr_ops.onnx.export(model, (X,), path, exporter=exporter, verify=False)
    assert path.exists()


def test_what_no_capture_keeps() -> None:
    with pytest.raises(ExportError, match=r"inputs\['x'\].shape\[2\].*makes a constant of"):
        sr_ops.onnx.export(Model(looked_up), (X,))


class Fixed(torch.nn.Module):
    """Works at one height only."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = torch.nn.Parameter(torch.rand(1, 1, 20, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.rows


@pytest.mark.parametrize(
    "shapes",
    [
        {"x": {2: torch.export.Dim("rows"), 3: torch.export.Dim("columns")}},
        ([None, None, "rows", "columns"],),
    ],
)
def test_no_capture_drops_a_dimension_unseen(shapes: Any) -> None:
    """torch tries again without the dimensions that do not go, and writes the file."""
    words = r"^axis 2 \(rows\) of .* as the constant 20|\.shape\[2\].*makes a constant"
    with pytest.raises(ExportError, match=words):
        sr_ops.onnx.export(Fixed(), (torch.rand(1, 3, 20, 30),), dynamic_shapes=shapes)


@pytest.mark.parametrize(
    ("shapes", "axes"),
    [
        ({"pictures": [{2: torch.export.Dim("rows")}, None]}, [{2: "rows"}, {}]),
        (([{1: torch.export.Dim.DYNAMIC}, (None, "c")],), [{1: "dynamic"}, {1: "c"}]),
        ({"pictures": [{0: torch.export.Dim.AUTO}, {1: 3}]}, [{}, {}]),
        ({"other": {0: "rows"}}, [{}, {}]),
        ({}, [{}, {}]),
    ],
)
def test_which_axes_were_asked_for(shapes: Any, axes: list[dict[int, str]]) -> None:
    """In any form that torch.export takes."""

    class Two(torch.nn.Module):
        def forward(self, pictures: list[torch.Tensor]) -> torch.Tensor:
            return pictures[0] + pictures[1]

    pictures = [torch.rand(2, 3), torch.rand(2, 3)]
    inputs = ExportInputs(
        *(Two(), (pictures,)),
        kwargs=None,
        input_names=None,
        dynamic_shapes=shapes,
        dynamic_axes=None,
    )
    assert list(inputs._asked_axes.values()) == axes


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_following_the_advice(exporter: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sr_ops.onnx"), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        sr_ops.onnx.export(Model(sized_by_shape), (X,), exporter=exporter)
    assert re.search(r"verify: 3 further examples, \d+\.\d\d s", caplog.text)


def test_without_a_runtime(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    """The file is written, and the log says that it was not run."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "onnxruntime" else find(n, *a)
    )
    with caplog.at_level(logging.INFO, "sr_ops.onnx"):
        sr_ops.onnx.export(Model(decided_by_size), (X,), exporter="torchscript")
    assert "onnxruntime is not installed: the exported file was not run" in caplog.text


def test_a_scale_that_counts_at_the_traced_value_only() -> None:
    class Frozen(torch.nn.Module):
        def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return sr_ops.dynamic_upscale(x, float(scale)) + 0 * scale

    with pytest.raises(ExportError, match=r"^verify: scale is dynamic in name only"):
        sr_ops.onnx.export(Frozen(), (X, 2.0), exporter="torchscript")


class TestSizesThatTheModelRefuses:
    @staticmethod
    def only_64(x: torch.Tensor) -> torch.Tensor:
        if tuple(x.shape[2:]) != (64, 80):
            raise ValueError("64 x 80 only")
        return x * 2

    def test_are_reported(self) -> None:
        with pytest.warns(RuntimeWarning, match="were not checked: the model itself refuses them"):
            sr_ops.onnx.export(Model(self.only_64), (X,), exporter="torchscript")

    def test_of_the_caller_are_an_error(self) -> None:
        example = torch.rand(1, 3, 60, 80)
        with pytest.raises(ExportError, match=r"^verify: verify_args\[0\]: the model itself"):
            sr_ops.onnx.export(
                Model(self.only_64), (X,), exporter="torchscript", verify_args=[(example,)]
            )

    def test_patches(self) -> None:
        """The second size keeps the divisors of the traced one."""

        def patches(x: torch.Tensor) -> torch.Tensor:
            assert x.shape[2] % 16 == 0 and x.shape[3] % 16 == 0
            return functional.avg_pool2d(x, 16)

        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            x = torch.rand(1, 3, 64, 96)
            sr_ops.onnx.export(Model(patches), (x,), exporter="torchscript")


def test_examples_of_the_caller() -> None:
    model = Model(decided_by_size)
    sr_ops.onnx.export(model, (X,), exporter="torchscript", verify_args=[(X[:, :, :32],)])
    taller = torch.rand(1, 3, 104, 80)
    with pytest.raises(ExportError, match=r"^verify: height is dynamic in name only"):
        sr_ops.onnx.export(
            model, (X,), exporter="torchscript", verify_args=[(X[:, :, :32],), (taller,)]
        )


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_integers_where_torch_itself_is_less_exact(exporter: str) -> None:
    pictures = torch.randint(256, (1, 3, 64, 80), dtype=torch.uint8)
    sr_ops.onnx.export(Model(sized_by_shape), (pictures,), exporter=exporter)


def test_a_program() -> None:
    axes = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    program = torch.export.export(Model(sized_by_shape), (X,), dynamic_shapes=(axes,))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        sr_ops.onnx.export(program)

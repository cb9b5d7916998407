"""Models that make Python numbers of sizes, or decide by them: the dynamo exporter keeps both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

import sr_ops
from sr_ops.onnx.exporting.size_conditions import UnknownConditionError, first_violated


class Model(torch.nn.Module):
    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function
        self.weight = torch.nn.Parameter(torch.tensor(1.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x) * self.weight


def in_numbers(x: torch.Tensor) -> torch.Tensor:
    # In float32, 0.29 * 100 is 29; in Python it is 28.999999999999996.
    size = (int(x.shape[2] * 0.29), round(x.shape[3] / 3) + math.ceil(x.shape[2] / 7))
    return functional.interpolate(x, size=size, mode="bicubic")


def shorter_side(x: torch.Tensor) -> torch.Tensor:
    """To 24, antialiased; centre crop; normalised: written as torchvision writes it."""
    height, width = x.shape[-2:]
    size = (24, int(24 * width / height)) if height < width else (int(24 * height / width), 24)
    y = functional.interpolate(x, size=size, mode="bicubic", antialias=True)
    top = int(round((y.shape[2] - 24) / 2.0))  # noqa: RUF046 - as it is written elsewhere
    left = int(round((y.shape[3] - 24) / 2.0))  # noqa: RUF046
    return (y[:, :, top : top + 24, left : left + 24] - 0.5) / 0.25


def three_ways(x: torch.Tensor) -> torch.Tensor:
    if x.shape[2] < 40:
        return functional.interpolate(x, scale_factor=2, mode="bicubic")
    return x * 2 if x.shape[3] < 100 else x * 3


def branches(graph: onnx.GraphProto) -> int:
    inner = [a.g for node in graph.node for a in node.attribute if node.op_type == "If"]
    return sum(map(branches, inner)) if inner else 1


@pytest.mark.parametrize(
    ("function", "count", "sizes"),
    [
        (in_numbers, 1, [(100, 60), (50, 51), (31, 200)]),
        (shorter_side, 2, [(24, 25), (25, 24), (24, 24), (30, 30), (31, 30), (90, 33), (33, 90)]),
        pytest.param(
            *(three_ways, 4, [(39, 10), (40, 99), (40, 100), (39, 100), (64, 64)]),
            marks=pytest.mark.long,
        ),
    ],
)
def test_at_many_sizes(
    function: Callable[..., torch.Tensor], count: int, sizes: list[tuple[int, int]]
) -> None:
    model = Model(function).eval()
    exported = sr_ops.onnx.export(model, (torch.rand(1, 3, 64, 80),))
    assert branches(exported.graph) == count
    assert [item.name for item in exported.graph.input] == ["x"]
    assert [item.name for item in exported.graph.output] == ["output"]
    weights = [item for item in exported.graph.initializer if item.name.endswith("weight")]
    assert len(weights) == 1  # shared by the branches
    session = sr_ops.onnx.make_session(exported)
    for height, width in sizes:
        x = torch.rand(2, 3, height, width)
        with torch.no_grad():
            expected = model(x).numpy()
        np.testing.assert_allclose(
            session.run(None, {"x": x.numpy()})[0], expected, atol=1e-4
        )  # torch's coordinates


@pytest.mark.long
def test_a_scale_and_another_flavour() -> None:
    """Branches keep the other inputs, and can be written for runtimes without functions."""

    class Scaled(torch.nn.Module):
        def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            y = sr_ops.dynamic_upscale(x, scale)
            return y if x.shape[2] < x.shape[3] else y + 1

    model = sr_ops.onnx.export(Scaled(), (torch.rand(1, 3, 8, 12), 2.0), op="MatMul")
    assert [item.name for item in model.graph.input] == ["x", "scale"]
    assert not model.functions
    feeds = {"x": np.zeros((1, 3, 9, 6), np.float32), "scale": np.array(1.5, np.float32)}
    (y,) = sr_ops.onnx.make_session(model).run(None, feeds)
    assert y.shape == (1, 3, 13, 9) and (y == 1).all()


class TestConditions:
    """Python's arithmetic of sizes, in a graph."""

    NAMES: ClassVar[dict[int, str]] = {0: "x"}
    FEEDS: ClassVar[dict[str, Any]] = {"x": np.zeros((2, 3, 20, 31), np.float32)}

    @pytest.mark.parametrize(
        "text",
        [
            "H < W and not H == W",
            "H // 7 == 2 and W % 7 == 3 and (3 - H) // 2 == -9",
            "math.trunc((24*W) / H) == 37 and round(W / 2.0) == 16 and math.floor(0.3*W) == 9",
            "max(H, W) >= 31 and min(H, W) <= 20 and torch.sym_float((-24) + H) != 0",
            "H > 100 or W > 30",
        ],
    )
    def test_values(self, text: str) -> None:
        size = "L['flat_args'][0].size()[{}]"
        condition = text.replace("H", size.format(2)).replace("W", size.format(3))
        negated = f"not ({condition})"
        assert first_violated([condition, negated], self.NAMES, self.FEEDS, 18) == negated

    def test_what_has_no_form_is_passed_over(self) -> None:
        unknown = "L['flat_args'][0].size()[2] ** 2 == 5"
        assert first_violated([unknown, "unheard(3) == 2"], self.NAMES, self.FEEDS, 18) is None
        assert issubclass(UnknownConditionError, Exception)

"""Graphs other than torch.compile's: opcheck, torch.export, AOTInductor, fake tensors, make_fx."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.export import Dim
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch_bad_input import TYPE_ERRORS, VALUE_ERRORS

from sr_ops import dynamic_upscale
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

ATTRIBUTES = (0, -0.75, False, False)
X = torch.rand(2, 3, 5, 6)
OPS = torch.ops.sr_ops


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        (OPS.dynamic_upscale_to_size.default, ([10, 13], 2.0, 2.2)),
        (OPS.dynamic_upscale_to_size.default, ([4, 8], None, None)),
        (OPS.dynamic_upscale_to_size_backward.default, ([3, 4], 2.0, None)),
        (OPS.dynamic_upscale.default, (torch.tensor([2.5, 1.5]),)),
        (OPS.dynamic_upscale_backward.default, (torch.tensor([2.5, 1.5]), [2, 4])),
    ],
    ids=str,
)
def test_opcheck(op: Any, arguments: tuple[Any, ...], dtype: torch.dtype, layout: Any) -> None:
    x = X.to(dtype).contiguous(memory_format=layout).requires_grad_()
    torch.library.opcheck(op, (x, *arguments, *ATTRIBUTES))


def test_opcheck_uint8_and_out() -> None:
    pictures = torch.zeros(1, 3, 5, 6, dtype=torch.uint8)
    arguments = ([10, 12], None, None, *ATTRIBUTES)
    torch.library.opcheck(OPS.dynamic_upscale_to_size.default, (pictures, *arguments))
    out = {"out": torch.empty(2, 3, 10, 12)}
    torch.library.opcheck(OPS.dynamic_upscale_to_size.out, (X, *arguments), out)


class Network(torch.nn.Module):
    """Convolutions around the operator."""

    def __init__(self, scale: Any = None, size: Any = None) -> None:
        super().__init__()
        self.scale, self.size = scale, size
        self.convolution = torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        x = self.convolution(x)
        y = dynamic_upscale(x, self.scale if scale is None else scale, size=self.size)
        return self.convolution(y).relu()


class SizedByImage(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, size=(x.shape[2] + 3, 2 * x.shape[3]))


def targets(program: torch.export.ExportedProgram) -> list[Any]:
    return [node.target for node in program.graph.nodes if "sr_ops" in str(node.target)]


DYNAMIC = {0: Dim("batch"), 2: Dim("height"), 3: Dim("width")}
OTHER = torch.rand(3, 3, 45, 35)  # where 1.4 tells float32 from float64 products

EXPORTS: dict[str, tuple[torch.nn.Module, tuple[Any, ...], tuple[Any, ...], Any]] = {
    "integer": (Network(2), (), (), OPS.dynamic_upscale_to_size.default),
    "whole float": (Network((2.0, 3.0)), (), (), OPS.dynamic_upscale_to_size.default),
    "float": (Network(1.4), (), (), OPS.dynamic_upscale.default),
    "size": (Network(size=(11, 12)), (), (), OPS.dynamic_upscale_to_size.default),
    "size of image": (SizedByImage(), (), (), OPS.dynamic_upscale_to_size.default),
    "0-d tensor": (
        Network(),
        (torch.tensor(2.5),),
        (torch.tensor(1.4),),
        OPS.dynamic_upscale.default,
    ),
    "integers": (
        Network(),
        (torch.tensor([2, 3]),),
        (torch.tensor([1, 4]),),
        OPS.dynamic_upscale.default,
    ),
    "four": (
        Network(),
        (torch.tensor([1, 1, 2.5, 3]),),
        (torch.tensor([1, 1, 1.4, 0.5]),),
        OPS.dynamic_upscale.default,
    ),
}


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "non-strict"])
@pytest.mark.parametrize("name", EXPORTS)
def test_export_save_load(name: str, strict: bool) -> None:
    model, first, other, target = EXPORTS[name]
    shapes = (DYNAMIC, {}) if first else (DYNAMIC,)
    with torch.no_grad():
        program = torch.export.export(model, (X, *first), dynamic_shapes=shapes, strict=strict)
        file = io.BytesIO()
        torch.export.save(program, file)
        file.seek(0)
        loaded = torch.export.load(file)
        assert targets(loaded) == [target]
        for arguments in ((X, *first), (OTHER, *other)):
            assert torch.equal(loaded.module()(*arguments), model(*arguments))
        assert targets(loaded.run_decompositions()) == [target]


def test_export_for_training() -> None:
    model = Network(2.5)
    program = torch.export.export(model, (X,), dynamic_shapes=(DYNAMIC,))
    leaves = [OTHER.clone().requires_grad_() for _ in range(2)]
    for forward, leaf in zip((program.module(), model), leaves, strict=True):
        forward(leaf).square().sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("argument", "keywords"), [*VALUE_ERRORS, *TYPE_ERRORS], ids=repr)
def test_export_of_bad_input(argument: str, keywords: dict[str, Any], strict: bool) -> None:
    class Bad(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return dynamic_upscale(x, **keywords)

    x = torch.rand(1, 2, 4, 5)
    if isinstance(keywords.get("scale"), torch.Tensor):
        # The values of a tensor count when the program runs.
        with pytest.raises((ValueError, TypeError), match=f"^{argument}: "):
            torch.export.export(Bad(), (x,), strict=strict).module()(x)
        return
    with pytest.raises((InvalidArgumentError, InvalidTypeError), match=f"^{argument}: "):
        torch.export.export(Bad(), (x,), strict=strict)


class Ahead(torch.nn.Module):
    """Both ops: one for a scale that is known, one for a scale that is not."""

    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return dynamic_upscale(x, 2).sin(), dynamic_upscale(x.cos(), scale)


def test_aot_inductor(tmp_path: pathlib.Path) -> None:
    model, scale = Ahead(), torch.tensor([2.5, 1.5])
    program = torch.export.export(model, (X, scale), dynamic_shapes=(DYNAMIC, {}))
    package = torch._inductor.aoti_compile_and_package(
        program, package_path=str(tmp_path / "model.pt2")
    )
    compiled = torch._inductor.aoti_load_package(package)
    for arguments in ((X, scale), (OTHER, torch.tensor([1.4, 3.0]))):
        for result, expected in zip(compiled(*arguments), model(*arguments), strict=True):
            torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("tracing_mode", ["real", "fake", "symbolic"])
def test_make_fx(tracing_mode: str) -> None:
    def by_number(x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, 1.4)

    def by_tensor(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, scale)

    graph = make_fx(by_number, tracing_mode=tracing_mode)(X)
    assert torch.equal(graph(X), by_number(X))
    if tracing_mode == "symbolic":
        assert torch.equal(graph(OTHER), by_number(OTHER))
    scale = torch.tensor(1.4)
    if tracing_mode != "real":
        graph = make_fx(by_tensor, tracing_mode=tracing_mode)(X, scale)
        other = torch.tensor(2.7)
        assert torch.equal(graph(X, other), by_tensor(X, other))


class TestWithoutData:
    def test_meta(self) -> None:
        x = torch.empty(2, 3, 45, 5, device="meta", memory_format=torch.channels_last)
        for scale in (1.4, torch.tensor(1.4)):
            y = dynamic_upscale(x, scale)
            assert y.shape == (2, 3, 63, 7)
            assert y.is_meta and y.is_contiguous(memory_format=torch.channels_last)
        x = torch.empty(2, 3, 4, 5, device="meta", requires_grad=True)
        (gradient,) = torch.autograd.grad(dynamic_upscale(x, 2.5).sum(), x)
        assert gradient.is_meta and gradient.shape == x.shape

    def test_meta_scale(self) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^scale: .*meta"):
            dynamic_upscale(X.to("meta"), torch.tensor(2.0, device="meta"))

    def test_fake(self) -> None:
        with FakeTensorMode():
            assert dynamic_upscale(torch.rand(1, 2, 45, 5), 1.4).shape == (1, 2, 63, 7)
            with pytest.raises(ValueError, match=r"^x: got 2 dimensions"):
                dynamic_upscale(torch.rand(45, 5), 1.4)

    def test_fake_scale(self) -> None:
        with FakeTensorMode(shape_env=ShapeEnv()):
            y = dynamic_upscale(torch.rand(1, 2, 45, 5), torch.tensor(1.4))
            assert y.shape[:2] == (1, 2)
            assert all(isinstance(extent, torch.SymInt) for extent in y.shape[2:])

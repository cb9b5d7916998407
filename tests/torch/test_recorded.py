"""Functions that call us under torch.fx, torch.jit.script and functionalize."""

from __future__ import annotations

import copy
import io
from typing import Any, List, Optional  # noqa: UP035 - TorchScript reads them

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

import sr_ops
from sr_ops import dynamic_upscale

X = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(1))


def by_number(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(x, 2.7) + 1


def by_name(x: torch.Tensor) -> torch.Tensor:
    return sr_ops.dynamic_upscale(x, scale=(1.4, 2.0), antialias=True)


def by_size(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(
        x,
        size=[5, 30],
        coordinate_transformation_mode="align_corners",
        cubic_coeff_a=-0.6,
        exclude_outside=True,
    )


def interpolated(x: torch.Tensor) -> torch.Tensor:
    return sr_ops.compat.interpolate(x, scale_factor=1.4, mode="bicubic", align_corners=False)


def interpolated_to_size(x: torch.Tensor) -> torch.Tensor:
    return sr_ops.compat.interpolate(x, 12, mode="bicubic", antialias=True)


FUNCTIONS = [by_number, by_name, by_size, interpolated, interpolated_to_size]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_fx_records_the_call_by_its_public_name(function: Any) -> None:
    graph = torch.fx.symbolic_trace(function)
    called = [node.target for node in graph.graph.nodes if node.op == "call_function"]
    assert called[0] in (dynamic_upscale, sr_ops.compat.interpolate)
    other = torch.rand(1, 2, 6, 5)
    for x in (X, other):
        assert torch.equal(graph(x), function(x))
    assert torch.equal(copy.deepcopy(graph)(other), function(other))


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 3, 3)
        self.upscale = sr_ops.DynamicUpscale(2.7, antialias=True)

    def forward(self, x: torch.Tensor, scale: Any) -> torch.Tensor:
        return dynamic_upscale(self.convolution(self.upscale(x)), scale)


def test_fx_of_a_model_keeps_its_scale_an_input() -> None:
    model = Network()
    graph = torch.fx.symbolic_trace(model)
    for scale in (1.5, (2, 3), torch.tensor([1.2])):
        assert torch.equal(graph(X, scale), model(X, scale))


def test_fx_of_a_scale_alone() -> None:
    graph = torch.fx.symbolic_trace(lambda scale: dynamic_upscale(X, scale))
    assert torch.equal(graph(1.5), dynamic_upscale(X, 1.5))


class Named(torch.Tensor):
    """A tensor of a class that says nothing of its own."""


class Counted(torch.overrides.TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(func)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_subclasses_and_modes_see_the_call_as_they_see_interpolate(function: Any) -> None:
    result = function(X.as_subclass(Named))
    assert type(result) is Named
    assert torch.equal(result.as_subclass(torch.Tensor), function(X))
    with Counted() as mode:
        function(X)
    assert {dynamic_upscale, sr_ops.compat.interpolate} & set(mode.seen)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_script_of_a_function(function: Any) -> None:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(function), file)
    file.seek(0)
    scripted = torch.jit.load(file)
    for x in (X, torch.rand(1, 2, 45, 13)):
        assert torch.equal(scripted(x), function(x))


def pillow(x: torch.Tensor, size: List[int]) -> torch.Tensor:  # noqa: UP006
    return dynamic_upscale(x, None, size=size, rounding="pillow")


def any_scale(x: torch.Tensor, a: float, b: int, c: List[float]) -> torch.Tensor:  # noqa: UP006
    first = dynamic_upscale(x, a).sum() + dynamic_upscale(x, b).sum() + dynamic_upscale(x, c).sum()
    return first + dynamic_upscale(x, torch.tensor([1, 1, b, b])).sum()


def modes(x: torch.Tensor, mode: str, to: Optional[List[int]]) -> torch.Tensor:  # noqa: UP006, UP045
    return dynamic_upscale(x, size=to, coordinate_transformation_mode=mode)


def test_script_of_every_form() -> None:
    photograph = (X * 255).to(torch.uint8)
    assert torch.equal(torch.jit.script(pillow)(photograph, [3, 4]), pillow(photograph, [3, 4]))
    arguments = (X, 1.5, 2, [2.0, 1.2])
    torch.testing.assert_close(torch.jit.script(any_scale)(*arguments), any_scale(*arguments))
    scripted = torch.jit.script(modes)
    for mode in sr_ops._arguments.COORDINATE_TRANSFORMATION_MODES:
        assert torch.equal(scripted(X, mode, [11, 12]), modes(X, mode, [11, 12]))
    with pytest.raises(torch.jit.Error, match="coordinate_transformation_mode: got 'cubic'"):
        scripted(X, "cubic", [11, 12])
    with pytest.raises(torch.jit.Error, match="scale, size: got neither"):
        scripted(X, "half_pixel", None)


def other_modes(x: torch.Tensor) -> torch.Tensor:
    near = sr_ops.compat.interpolate(x, scale_factor=[2.0, 2.0])
    return near + sr_ops.compat.interpolate(x, [14, 18], mode="bilinear", align_corners=True)


def test_script_of_interpolate_in_torchs_own_modes() -> None:
    assert torch.equal(torch.jit.script(other_modes)(X), other_modes(X))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functionalize(function: Any) -> None:
    functional = torch.func.functionalize(function)
    assert torch.equal(functional(X), function(X))
    graph = make_fx(functional)(X)
    assert torch.equal(graph(X), function(X))

    def loss(x: torch.Tensor) -> torch.Tensor:
        return function(x).square().sum()

    expected = torch.func.grad(loss)(X)
    # As matrix products: other roundings.
    for gradient in (
        torch.func.functionalize(torch.func.grad(loss)),
        torch.func.grad(torch.func.functionalize(loss)),
        lambda x: torch.func.functionalize(torch.func.vjp)(loss, x)[1](torch.tensor(1.0))[0],
    ):
        torch.testing.assert_close(gradient(X), expected, rtol=1e-5, atol=1e-4)
    tangent = torch.func.jvp(loss, (X,), (X,))[1]
    pushed = torch.func.functionalize(lambda x: torch.func.jvp(loss, (x,), (x,))[1])(X)
    torch.testing.assert_close(pushed, tangent, rtol=1e-5, atol=1e-4)
    mapped = torch.func.functionalize(torch.func.vmap(function))(X[:, None])
    assert torch.equal(mapped[:, 0], function(X))


def test_functionalize_of_a_scale_tensor_and_of_a_mutation() -> None:
    def mutated(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        y = dynamic_upscale(x.add_(1), scale)
        y.mul_(2)
        return y

    scale = torch.tensor([1.5])
    expected = dynamic_upscale(X + 1, scale) * 2

    def loss(x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, scale).square().sum()

    gradient = torch.func.functionalize(torch.func.grad(loss))(X)
    torch.testing.assert_close(gradient, torch.func.grad(loss)(X), rtol=1e-5, atol=1e-4)
    assert torch.equal(torch.func.functionalize(mutated)(X.clone(), scale), expected)

"""torch.compile: the same bits as eager code, and how often it compiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch_bad_input import TYPE_ERRORS, VALUE_ERRORS

import sr_ops
from sr_ops import dynamic_upscale
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

Calls = list[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def images(height: int, width: int | None = None) -> torch.Tensor:
    return torch.rand(1, 2, height, width or height)


def by_scale(x: torch.Tensor, scale: Any) -> torch.Tensor:
    return dynamic_upscale(x, scale)


def by_size(x: torch.Tensor, size: Any) -> torch.Tensor:
    return dynamic_upscale(x, size=size)


def by_fixed(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(x, 1.4)


def channels_last(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(x.contiguous(memory_format=torch.channels_last), 2.5)


def twice(x: torch.Tensor, scale: Any) -> torch.Tensor:
    return dynamic_upscale(dynamic_upscale(x, scale), 2)


# function, its calls, how many compilations there are after each of them
CASES: dict[str, tuple[Callable[..., torch.Tensor], Calls, list[int]]] = {
    "float scales": (by_scale, [(images(8, 9), s) for s in (1.5, 2.7, 1.4, 3.3)], [1, 2, 2, 2]),
    "integer scales": (by_scale, [(images(8, 9), s) for s in (2, 3, 4, 5)], [1, 2, 2, 2]),
    "sizes": (
        by_size,
        [(images(8), s) for s in ((9, 9), (12, 13), (14, 3), (40, 4))],
        [1, 2, 2, 2],
    ),
    "scale tensors": (by_scale, [(images(8), torch.tensor(s)) for s in (1.5, 2.7, 1.4)], [1, 1, 1]),
    # 45 * 1.4 and 35 * 1.4 round up in float32 and down in float64.
    "images": (by_fixed, [(images(n),) for n in (8, 45, 35, 70)], [1, 2, 2, 2]),
    "images and scales": (
        by_scale,
        [(images(n), s) for n, s in ((8, 1.5), (45, 1.4), (9, 1.3), (70, 1.4))],
        [1, 2, 2, 2],
    ),
    "module": (sr_ops.DynamicUpscale(2), [(images(n),) for n in (8, 45, 35)], [1, 2, 2]),
    "channels_last": (channels_last, [(images(n),) for n in (8, 45, 35)], [1, 2, 2]),
    "chained": (twice, [(images(8), torch.tensor(s)) for s in (1.5, 2.7)], [1, 1]),
}


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("name", CASES)
def test_bits_and_compilations(name: str, training: bool) -> None:
    function, calls, expected = CASES[name]
    backend = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(function, backend=backend, fullgraph=True)
    counts = []
    for x, *rest in calls:
        leaves = [x.clone().requires_grad_(training) for _ in range(2)]
        results = [f(leaf, *rest) for f, leaf in zip((compiled, function), leaves, strict=True)]
        assert torch.equal(*results)
        assert results[0].stride() == results[1].stride()
        if training:
            for result in results:
                result.square().sum().backward()
            assert torch.equal(leaves[0].grad, leaves[1].grad)  # type: ignore[arg-type]
        counts.append(backend.frame_count)
    assert counts == expected


@pytest.mark.parametrize("name", CASES)
def test_dynamic_from_the_start(name: str) -> None:
    """``dynamic=True``: every number that the compiler sees is symbolic, defaults among them."""
    function, calls, _ = CASES[name]
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True, dynamic=True)
    for x, *rest in calls:
        assert torch.equal(compiled(x, *rest), function(x, *rest))


@pytest.mark.parametrize("name", ["float scales", "integer scales", "scale tensors", "sizes"])
def test_inductor(name: str) -> None:
    function, calls, expected = CASES[name]
    backend = CompileCounterWithBackend("inductor")
    compiled = torch.compile(function, backend=backend, fullgraph=True)
    for x, *rest in calls:
        leaves = [x.clone().requires_grad_() for _ in range(2)]
        results = [f(leaf, *rest) for f, leaf in zip((compiled, function), leaves, strict=True)]
        for result in results:
            result.backward(torch.ones_like(result))
        assert torch.equal(*results)
        assert torch.equal(leaves[0].grad, leaves[1].grad)  # type: ignore[arg-type]
    assert backend.frame_count == expected[-1]


def test_inductor_fuses_around_it() -> None:
    def network(x: torch.Tensor, weight: torch.Tensor, scale: float) -> torch.Tensor:
        y = torch.nn.functional.conv2d(x, weight, padding=1).relu()
        return dynamic_upscale(y, scale).mul(2).clamp(0, 1)

    weight = torch.rand(2, 2, 3, 3)
    compiled = torch.compile(network, fullgraph=True)
    for x, scale in ((images(8, 9), 2.5), (images(45), 1.4)):
        torch.testing.assert_close(compiled(x, weight, scale), network(x, weight, scale))


def test_out_is_functionalised() -> None:
    def into(x: torch.Tensor) -> torch.Tensor:
        out = torch.zeros(1, 2, 12, 14)
        torch.ops.sr_ops.dynamic_upscale_to_size.out(
            x, [12, 14], None, None, 0, -0.75, False, False, out=out
        )
        return out + 1

    x = images(6, 7)
    compiled = torch.compile(into, backend="aot_eager", fullgraph=True)
    assert torch.equal(compiled(x), into(x))


def test_attributes() -> None:
    def attributed(x: torch.Tensor, mode: str) -> torch.Tensor:
        return dynamic_upscale(
            x,
            (0.7, 2),
            coordinate_transformation_mode=mode,
            cubic_coeff_a=-0.6,
            antialias=True,
            exclude_outside=True,
        )

    compiled = torch.compile(attributed, backend="aot_eager", fullgraph=True)
    for mode in ("half_pixel", "align_corners", "asymmetric"):
        x = images(9, 8)
        assert torch.equal(compiled(x, mode), attributed(x, mode))


def cubed(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(x, (2.5, 0.7)).pow(3).sum()


def cubed_by_tensor(x: torch.Tensor) -> torch.Tensor:
    scale = torch.tensor([2.5, 0.7])
    return dynamic_upscale(x, scale, antialias=True, exclude_outside=True).pow(3).sum()


def pushed(function: Any) -> Any:
    return lambda x: torch.func.jvp(function, (x,), (x.sin(),))[1]


def mapped_and_summed(function: Any) -> Any:
    return lambda x: torch.func.vmap(function)(x).sum()


BATCHED = {
    "vmap of grad": lambda f: torch.func.vmap(torch.func.grad(f)),
    "grad of vmap": lambda f: torch.func.grad(mapped_and_summed(f)),
    "vmap of jvp": lambda f: torch.func.vmap(pushed(f)),
}
TRANSFORMS = {
    "grad": torch.func.grad,
    "jvp": pushed,
    "hessian": torch.func.hessian,
    "grad of grad": lambda f: torch.func.grad(lambda x: torch.func.grad(f)(x).square().sum()),
    **BATCHED,
}


#: Torch cannot push a forward derivative through a matrix product of data-dependent size.
REFUSED = {("jvp", cubed_by_tensor), ("hessian", cubed_by_tensor)}


@pytest.mark.parametrize("function", [cubed, cubed_by_tensor])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_torch_func_inside(name: str, function: Any) -> None:
    transformed = TRANSFORMS[name](function)
    shape = (3, 1, 2, 4, 5) if name in BATCHED else (1, 2, 4, 5)
    x = torch.rand(shape, dtype=torch.float64)
    compiled = torch.compile(transformed, backend="aot_eager", fullgraph=True)
    expected = transformed(x)
    assert expected.abs().max() > 0
    try:
        result = compiled(x)
    except torch._dynamo.exc.UserError:
        assert (name, function) in REFUSED
    else:
        torch.testing.assert_close(result, expected)


def test_vmap_inside_is_the_op_itself() -> None:
    def mapped(x: torch.Tensor) -> torch.Tensor:
        return torch.func.vmap(lambda image: dynamic_upscale(image, 2.5))(x)

    x = torch.rand(3, 1, 2, 5, 4)
    assert torch.equal(torch.compile(mapped, backend="aot_eager", fullgraph=True)(x), mapped(x))


def known_at_run_time(keywords: dict[str, Any]) -> bool:
    """Whether the error lies in the values of a tensor."""
    scale = keywords.get("scale")
    shape_is_good = (
        isinstance(scale, torch.Tensor) and scale.dim() < 2 and scale.numel() in (1, 2, 4)
    )
    return shape_is_good and scale.is_floating_point() | (scale.dtype is torch.int64)


@pytest.mark.parametrize(("argument", "keywords"), [*VALUE_ERRORS, *TYPE_ERRORS], ids=repr)
def test_bad_input(argument: str, keywords: dict[str, Any]) -> None:
    def call(x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, **keywords)

    x = torch.rand(1, 2, 4, 5)
    wanted: Any = (InvalidArgumentError, InvalidTypeError)
    if known_at_run_time(keywords):
        wanted = ValueError
    with pytest.raises(wanted, match=f"^{argument}: "):
        torch.compile(call, backend="eager")(x)
    if wanted is ValueError:
        return
    torch._dynamo.reset()
    with pytest.raises(wanted, match=f"^{argument}: "):
        torch.compile(call, backend="eager", fullgraph=True)(x)


@pytest.mark.parametrize("fullgraph", [False, True])
@pytest.mark.parametrize("shape", [(4, 5), (1, 1, 1, 4, 5)])
def test_bad_images(shape: tuple[int, ...], fullgraph: bool) -> None:
    compiled = torch.compile(by_fixed, backend="eager", fullgraph=fullgraph)
    with pytest.raises(InvalidArgumentError, match=r"^x: got"):
        compiled(torch.rand(shape))
    with pytest.raises(InvalidTypeError, match=r"^x: got"):
        compiled(torch.zeros(1, 1, 4, 4, dtype=torch.int32))


@pytest.mark.parametrize(("good", "bad"), [((2.5, 3.5), -1.0), ((2, 3), 0)])
def test_bad_value_of_a_symbolic_number(good: tuple[Any, Any], bad: Any) -> None:
    def by_scale(x: torch.Tensor, value: Any) -> torch.Tensor:
        return dynamic_upscale(x, value)

    def by_size(x: torch.Tensor, value: Any) -> torch.Tensor:
        return dynamic_upscale(x, size=(int(value), 4))

    x = torch.rand(1, 1, 4, 5)
    for argument, call in (("scale", by_scale), ("size", by_size)):
        compiled = torch.compile(call, backend="eager", fullgraph=True)
        for value in good:
            compiled(x, value)
        with pytest.raises(InvalidArgumentError, match=rf"^{argument}: got \(?{int(bad)}"):
            compiled(x, bad)


def test_bad_input_may_be_handled_in_the_compiled_code() -> None:
    @torch.compile(backend="eager")
    def upscale_or_double(x: torch.Tensor, scale: float) -> torch.Tensor:
        try:
            return dynamic_upscale(x, scale)
        except ValueError:
            return x * 2

    x = torch.rand(1, 1, 4, 5)
    assert torch.equal(upscale_or_double(x, -1.0), x * 2)
    assert upscale_or_double(x, 3.0).shape == (1, 1, 12, 15)

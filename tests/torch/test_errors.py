"""Bad input: the class of the exception, the argument it names; and nothing breaks after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch_bad_input import TOO_SMALL_OR_LARGE, TYPE_ERRORS, VALUE_ERRORS

import sr_ops
from sr_ops import dynamic_upscale
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

X = torch.rand(1, 2, 4, 5)


@pytest.mark.parametrize(("argument", "keywords"), VALUE_ERRORS, ids=repr)
def test_values(argument: str, keywords: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{argument}: ") as caught:
        dynamic_upscale(X, **keywords)
    assert caught.type is InvalidArgumentError
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("argument", "keywords"), TYPE_ERRORS, ids=repr)
def test_types(argument: str, keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"^{argument}: ") as caught:
        dynamic_upscale(X, **keywords)
    assert caught.type is InvalidTypeError


@pytest.mark.parametrize(("argument", "keywords"), [*VALUE_ERRORS, *TYPE_ERRORS], ids=repr)
def test_under_vmap(argument: str, keywords: dict[str, Any]) -> None:
    with pytest.raises((InvalidArgumentError, InvalidTypeError), match=f"^{argument}: "):
        torch.func.vmap(lambda x: dynamic_upscale(x, **keywords))(X[None].expand(3, -1, -1, -1, -1))


@pytest.mark.parametrize(
    ("argument", "keywords"),
    # All but what only an image decides.
    [
        case
        for case in [*VALUE_ERRORS, *TYPE_ERRORS]
        if case[1] and not any(case is other for other in TOO_SMALL_OR_LARGE)
    ],
    ids=repr,
)
def test_module(argument: str, keywords: dict[str, Any]) -> None:
    with pytest.raises((InvalidArgumentError, InvalidTypeError), match=f"^{argument}: "):
        sr_ops.DynamicUpscale(**keywords)


@pytest.mark.parametrize(
    ("argument", "keywords"),
    [
        ("scale", {"scale": 10**5000}),
        ("scale", {"scale": [10**5000, 1, 2, 2]}),
        ("size", {"size": (10**5000, 8)}),
        ("cubic_coeff_a", {"scale": 2, "cubic_coeff_a": 10**5000}),
    ],
    ids=["scale", "scales", "size", "a"],
)
def test_integers_that_python_refuses_to_write(argument: str, keywords: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument}: got [a-z]+ too long"):
        dynamic_upscale(X, **keywords)
    with pytest.raises(InvalidArgumentError, match=f"^{argument}: got [a-z]+ too long"):
        sr_ops.numpy.dynamic_upscale(X.numpy(), **keywords)


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype:UserWarning")
@pytest.mark.parametrize(
    ("x", "layout"),
    [
        (X.to_sparse(), "torch.sparse_coo"),
        (X.to_mkldnn(), "torch._mkldnn"),
        (torch.nested.nested_tensor([X[0], X[0]]), "nested"),
        (torch.nested.nested_tensor([X[0], X[0]], layout=torch.jagged), "nested"),
    ],
    ids=["sparse", "mkldnn", "nested", "jagged"],
)
def test_layouts(x: torch.Tensor, layout: str) -> None:
    with pytest.raises(InvalidTypeError, match=f"^x: got a {layout} tensor"):
        dynamic_upscale(x, 2)
    with pytest.raises(InvalidTypeError, match=f"^input: got a {layout} tensor"):
        sr_ops.compat.interpolate(x, scale_factor=2, mode="bicubic")


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype:UserWarning")
@pytest.mark.parametrize(
    ("scale", "layout"),
    [
        (torch.ones(2).to_sparse(), "torch.sparse_coo"),
        (torch.ones(2).to_mkldnn(), "torch._mkldnn"),
        (torch.nested.nested_tensor([torch.ones(1), torch.ones(1)]), "nested"),
    ],
    ids=["sparse", "mkldnn", "nested"],
)
def test_layouts_of_a_scale(scale: torch.Tensor, layout: str) -> None:
    for call in (lambda: dynamic_upscale(X, scale), lambda: sr_ops.DynamicUpscale(scale)):
        with pytest.raises(InvalidTypeError, match=f"^scale: got a {layout} tensor"):
            call()


def test_module_without_scale_asks_for_one() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^scale, size: got neither"):
        sr_ops.DynamicUpscale()(X)


@pytest.mark.parametrize("shape", [(), (4,), (4, 5), (2, 4, 5), (1, 1, 2, 4, 5)])
def test_dimensions(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^x: got {len(shape)} dimensions"):
        dynamic_upscale(torch.rand(shape), 2)


@pytest.mark.parametrize("shape", [(1, 1, 0, 4), (1, 1, 4, 0)])
@pytest.mark.parametrize("arguments", [{"scale": 2}, {"size": (2, 2)}], ids=repr)
def test_images_without_pixels(shape: tuple[int, ...], arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^x: height and width must be >= 1"):
        dynamic_upscale(torch.rand(shape), **arguments)


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.int32, torch.int64, torch.bool, torch.complex64]
)
def test_dtypes(dtype: torch.dtype) -> None:
    with pytest.raises(InvalidTypeError, match=f"^x: got {dtype}"):
        dynamic_upscale(torch.zeros(1, 1, 4, 4, dtype=dtype), 2)


@pytest.mark.parametrize("x", [None, 3.0, np.zeros((1, 1, 4, 4)), [[[[1.0]]]]], ids=type)
def test_not_a_tensor(x: Any) -> None:
    with pytest.raises(InvalidTypeError, match=r"^x: got"):
        dynamic_upscale(x, 2)


class TestOps:
    """The ops without the Python in front of them: still a typed error, never a crash."""

    attributes = (0, -0.75, False, False)

    @pytest.mark.parametrize(
        "scale",
        [0.0, -1.0, math.nan, math.inf, [1.0, 2.0, 3.0], [2.0, 1.0, 3.0, 3.0], [[2.0]], 0.1, 1e18],
        ids=repr,
    )
    def test_scale_tensors(self, scale: Any) -> None:
        with pytest.raises(ValueError, match=r"scale|output"):
            torch.ops.sr_ops.dynamic_upscale(X, torch.tensor(scale), *self.attributes)

    @pytest.mark.parametrize("size", [[0, 4], [-1, 4], [2**21, 2**21]], ids=repr)
    def test_sizes(self, size: list[int]) -> None:
        with pytest.raises(ValueError, match=r"output"):
            torch.ops.sr_ops.dynamic_upscale_to_size(X, size, None, None, *self.attributes)

    @pytest.mark.parametrize(
        "x",
        [X[0], X.long(), torch.rand(1, 1, 0, 4), X[None]],
        ids=["rank 3", "int64", "no pixels", "rank 5"],  # the same in every process
    )
    def test_images(self, x: torch.Tensor) -> None:
        with pytest.raises(ValueError, match=r"x: "):
            torch.ops.sr_ops.dynamic_upscale_to_size(x, [4, 4], None, None, *self.attributes)

    @pytest.mark.parametrize(
        "attributes",
        [(5, -0.75, False, False), (-1, -0.75, False, False), (0, math.nan, False, False)],
    )
    def test_attributes(self, attributes: Any) -> None:
        with pytest.raises(ValueError, match=r"coordinate_transformation_mode|cubic_coeff_a"):
            torch.ops.sr_ops.dynamic_upscale_to_size(X, [4, 4], None, None, *attributes)

    def test_gradients(self) -> None:
        backward = torch.ops.sr_ops.dynamic_upscale_to_size_backward
        with pytest.raises(ValueError, match=r"grad: "):
            backward(X[0], [4, 4], None, None, *self.attributes)
        with pytest.raises(ValueError, match=r"height and width"):
            backward(X, [0, 4], None, None, *self.attributes)
        with pytest.raises(ValueError, match=r"scale"):
            backward(X, [2, 2], -1.0, 2.0, *self.attributes)

    def test_the_process_goes_on(self) -> None:
        self.test_scale_tensors(math.nan)
        assert dynamic_upscale(X, 2).shape == (1, 2, 8, 10)

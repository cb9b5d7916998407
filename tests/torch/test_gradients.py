"""Derivatives in eager mode: reverse, forward, second order, torch.func."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import MODES
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from sr_ops import dynamic_upscale, reference

ATTRIBUTES: list[dict[str, Any]] = [
    {},
    {"exclude_outside": True},
    {"antialias": True, "exclude_outside": True, "cubic_coeff_a": -0.5},
    *({"coordinate_transformation_mode": mode} for mode in MODES[1:]),
]
EXTENTS: list[dict[str, Any]] = [
    {"scale": 1.7},
    {"scale": (0.6, 2)},
    {"scale": torch.tensor([1.7, 0.5])},
    {"size": (3, 7)},
]


def double_images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("attributes", ATTRIBUTES, ids=repr)
@pytest.mark.parametrize("extent", EXTENTS, ids=repr)
def test_gradcheck(extent: dict[str, Any], attributes: dict[str, Any]) -> None:
    def upscale(x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, **extent, **attributes)

    x = double_images(2, 1, 4, 5)
    assert gradcheck(
        upscale,
        x,
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
        check_undefined_grad=True,
    )


@pytest.mark.parametrize("extent", EXTENTS, ids=repr)
def test_gradgradcheck(extent: dict[str, Any]) -> None:
    def upscale(x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, **extent)

    x = double_images(1, 2, 3, 4)
    assert gradgradcheck(
        upscale,
        x,
        check_batched_grad=True,
        check_fwd_over_rev=True,
        check_rev_over_rev=True,
    )


@pytest.mark.parametrize("op", ["by_tensor", "to_size"])
def test_gradcheck_of_the_ops_themselves(op: str) -> None:
    attributes = (0, -0.75, False, False)
    operators = torch.ops.sr_ops

    def upscale(x: torch.Tensor) -> torch.Tensor:
        if op == "by_tensor":
            return operators.dynamic_upscale(x, torch.tensor([1.7, 0.6]), *attributes)
        return operators.dynamic_upscale_to_size(x, [6, 2], 1.7, 0.6, *attributes)

    x = double_images(1, 1, 4, 4)
    assert gradcheck(upscale, x)
    assert gradgradcheck(upscale, x)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradient_is_the_transposed_matrix(dtype: torch.dtype, layout: Any) -> None:
    x = torch.rand(2, 3, 9, 11).to(dtype).contiguous(memory_format=layout).requires_grad_()
    y = dynamic_upscale(x, (1.7, 0.6))
    weights = torch.rand(y.shape).to(dtype).contiguous(memory_format=layout)
    y.backward(weights)
    rows = reference.axis_matrix(9, y.shape[2], np.float32(1.7))
    columns = reference.axis_matrix(11, y.shape[3], np.float32(0.6))
    expected = rows.T @ weights.double().numpy() @ columns
    assert x.grad is not None and x.grad.dtype == dtype
    assert x.grad.is_contiguous(memory_format=layout)
    relative = {torch.float64: 1e-14, torch.float32: 1e-6}.get(dtype, torch.finfo(dtype).eps)
    error = np.abs(x.grad.double().numpy() - expected).max()
    assert error <= relative * np.abs(expected).max()


def test_uint8_has_no_gradient() -> None:
    images = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    assert not dynamic_upscale(images, 2).requires_grad


def test_gradients_of_expanded_and_sliced_images() -> None:
    base = torch.rand(1, 1, 1, 9, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda b: dynamic_upscale(b.expand(1, 2, 3, 9), 1.4), base)
    wide = double_images(1, 2, 6, 12)
    assert gradcheck(lambda x: dynamic_upscale(x[:, :, 1::2, 2:10:3], 1.4), wide)


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (4, 16, 33, 31)])
def test_backward_is_deterministic(shape: tuple[int, ...]) -> None:
    x = torch.rand(shape, requires_grad=True)
    torch.use_deterministic_algorithms(True)
    try:
        gradients = [
            torch.autograd.grad(dynamic_upscale(x, 2.3).square().sum(), x)[0] for _ in range(5)
        ]
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(gradient, gradients[0]) for gradient in gradients)


def test_forward_mode_without_requires_grad() -> None:
    x, tangent = torch.rand(1, 2, 4, 5), torch.rand(1, 2, 4, 5)
    with forward_ad.dual_level():
        y = dynamic_upscale(forward_ad.make_dual(x, tangent), 2.5)
        primal, derivative = forward_ad.unpack_dual(y)
    assert torch.equal(primal, dynamic_upscale(x, 2.5))
    assert derivative is not None
    assert torch.equal(derivative, dynamic_upscale(tangent, 2.5))


def test_forward_mode_without_grad_mode() -> None:
    x = torch.rand(1, 2, 4, 5)
    with torch.no_grad(), forward_ad.dual_level():
        y = dynamic_upscale(forward_ad.make_dual(x, x), 2.5)
        assert forward_ad.unpack_dual(y).tangent is not None


def test_a_scale_tensor_gets_no_gradient() -> None:
    scale = torch.tensor([2.0, 1.5], requires_grad=True)
    x = torch.rand(1, 1, 4, 4, requires_grad=True)
    dynamic_upscale(x, scale).sum().backward()
    assert x.grad is not None
    assert scale.grad is None
    assert not dynamic_upscale(x.detach(), scale).requires_grad


def test_double_backward_in_training() -> None:
    """A gradient penalty through the operator."""
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(2, 2, 3, padding=1, dtype=torch.float64)
    x = double_images(1, 2, 5, 5)
    y = dynamic_upscale(torch.tanh(convolution(x)), 1.6)
    (gradient,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert convolution.weight.grad is not None
    assert convolution.weight.grad.abs().max() > 0


def upscale_17(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(x, (1.7, 0.8))


def energy(x: torch.Tensor) -> torch.Tensor:
    return upscale_17(x).pow(3).sum()


class TestTorchFunc:
    x = torch.rand(1, 2, 4, 5, dtype=torch.float64)
    batch = torch.rand(3, 1, 2, 4, 5, dtype=torch.float64)

    def test_grad(self) -> None:
        leaf = self.x.clone().requires_grad_()
        (expected,) = torch.autograd.grad(energy(leaf), leaf)
        torch.testing.assert_close(torch.func.grad(energy)(self.x), expected)

    def test_vjp_and_jvp_are_transposes(self) -> None:
        y, pull = torch.func.vjp(upscale_17, self.x)
        cotangent, tangent = torch.rand_like(y), torch.rand_like(self.x)
        _, pushed = torch.func.jvp(upscale_17, (self.x,), (tangent,))
        torch.testing.assert_close((pull(cotangent)[0] * tangent).sum(), (cotangent * pushed).sum())

    @pytest.mark.parametrize("transform", [torch.func.jacrev, torch.func.jacfwd])
    def test_jacobian_is_the_matrix(self, transform: Callable[..., Any]) -> None:
        jacobian = transform(upscale_17)(self.x)
        rows = reference.axis_matrix(4, 6, np.float32(1.7))
        columns = reference.axis_matrix(5, 4, np.float32(0.8))
        identity = np.eye(2)
        expected = np.einsum("ce,ih,jw->cijehw", identity, rows, columns)
        np.testing.assert_allclose(jacobian[0, :, :, :, 0].numpy(), expected, atol=1e-14)

    def test_hessian(self) -> None:
        small = self.x[:, :1, :2, :3]
        hessian = torch.func.hessian(energy)(small)
        leaf = small.clone().requires_grad_()
        expected = torch.autograd.functional.hessian(energy, leaf)
        torch.testing.assert_close(hessian, expected)

    @pytest.mark.parametrize("dim", [0, 1, 2, 4, -1])
    def test_vmap(self, dim: int) -> None:
        images = self.batch.movedim(0, dim)
        expected = torch.stack([upscale_17(image) for image in self.batch])
        result = torch.func.vmap(upscale_17, in_dims=dim)(images)
        assert torch.equal(result, expected)

    def test_vmap_of_grad_and_grad_of_vmap(self) -> None:
        expected = torch.stack([torch.func.grad(energy)(image) for image in self.batch])
        torch.testing.assert_close(torch.func.vmap(torch.func.grad(energy))(self.batch), expected)

        def total(images: torch.Tensor) -> torch.Tensor:
            return torch.func.vmap(energy)(images).sum()

        torch.testing.assert_close(torch.func.grad(total)(self.batch), expected)

    def test_vmap_of_jvp_and_nested_vmap(self) -> None:
        def pushed(x: torch.Tensor) -> torch.Tensor:
            return torch.func.jvp(upscale_17, (x,), (x,))[1]

        expected = torch.stack([upscale_17(image) for image in self.batch])
        torch.testing.assert_close(torch.func.vmap(pushed)(self.batch), expected)
        nested = torch.func.vmap(torch.func.vmap(upscale_17))(self.batch[None])
        torch.testing.assert_close(nested[0], expected)

    def test_scale_tensor_inside(self) -> None:
        scale = torch.tensor([1.7, 0.8])

        def by_tensor(x: torch.Tensor) -> torch.Tensor:
            return dynamic_upscale(x, scale)

        assert torch.equal(by_tensor(self.x), upscale_17(self.x))
        torch.testing.assert_close(
            torch.func.jacrev(by_tensor)(self.x), torch.func.jacrev(upscale_17)(self.x)
        )
        gradient = torch.func.grad(lambda s: dynamic_upscale(self.x, s).sum())(scale)
        assert torch.equal(gradient, torch.zeros(2))

    def test_mapping_over_a_scale_is_refused(self) -> None:
        scales = torch.tensor([[2.0, 2.0], [3.0, 3.0]])
        with pytest.raises(ValueError, match=r"^scale: vmap maps over it"):
            torch.func.vmap(lambda s: dynamic_upscale(self.x, s))(scales)

    def test_bad_input_keeps_its_error(self) -> None:
        for transform, images in (
            (torch.func.vmap, self.batch),
            (torch.func.jacrev, self.x),
            (torch.func.jacfwd, self.x),
        ):
            with pytest.raises(ValueError, match=r"^scale: "):
                transform(lambda x: dynamic_upscale(x, -1.0))(images)
            with pytest.raises(ValueError, match=r"^x: got"):
                transform(lambda x: dynamic_upscale(x[0], 2.0))(images)

    @pytest.mark.parametrize("op", ["dynamic_upscale", "dynamic_upscale_to_size"])
    def test_vmap_of_the_ops_themselves(self, op: str) -> None:
        operator = getattr(torch.ops.sr_ops, op)
        extent = [torch.tensor([1.7, 0.8])] if op == "dynamic_upscale" else [[6, 4], 1.7, 0.8]

        def call(x: torch.Tensor) -> torch.Tensor:
            return operator(x, *extent, 0, -0.75, False, False)

        expected = torch.stack([call(image) for image in self.batch])
        assert torch.equal(torch.func.vmap(call, in_dims=1)(self.batch.movedim(0, 1)), expected)

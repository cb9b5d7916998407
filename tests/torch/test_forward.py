"""Values, shapes and layouts of the torch front end in eager mode."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from cases import DTYPES, KINDS, MODES, random_cases
from torch_arrays import to_array, to_tensor

import sr_ops
from sr_ops import dynamic_upscale, reference

TORCH_DTYPES = tuple(name for name in DTYPES if name != "int8")  # int8 is an ONNX type only
SCALES = (0.3, 1 / 3, 0.75, 1.0, 1.1, 1.4, 2.0, 2.7, 3.0, 8.0)

# Beside float32's own: the last rounding of the narrower types, and of float64 the sums.
RELATIVE_ERROR = {"float32": 5e-7, "float64": 1e-13, "float16": 2.0**-11, "bfloat16": 2.0**-8}


def assert_right(y: torch.Tensor, expected: Any, largest: float) -> None:
    actual = to_array(y)
    assert actual.shape == expected.shape
    if actual.dtype == np.uint8:
        rounded = np.clip(np.rint(expected), 0, 255)
        assert np.abs(actual - rounded).max(initial=0) <= 1
        assert (actual == rounded).mean() >= 0.99 if actual.size > 1000 else True
        return
    name = actual.dtype.name
    tolerance = RELATIVE_ERROR[name] * max(largest, np.abs(expected).max(initial=0))
    if name == "float16":
        tolerance += float(ml_dtypes.finfo(np.float16).smallest_subnormal)
    assert np.abs(actual.astype(np.float64) - expected).max(initial=0) <= tolerance


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_matches_the_float64_reference(kind: str, dtype: str) -> None:
    for case in random_cases(12, seed=41, kinds=[kind], dtypes=[dtype]):
        x = case.array()
        y = dynamic_upscale(to_tensor(x), case.scale, size=case.size, **case.attributes)
        assert_right(y, case.expected(), float(np.abs(x.astype(np.float64)).max(initial=0)))


@pytest.mark.parametrize("scale", SCALES)
def test_float32_is_within_the_promised_error(rng: np.random.Generator, scale: float) -> None:
    for _ in range(8):
        shape = (1, 2, *rng.integers(4, 71, 2))
        x = rng.uniform(-1, 1, shape).astype(np.float32)
        y = dynamic_upscale(torch.from_numpy(x), scale)
        expected = reference.dynamic_upscale(x, scale)
        assert np.abs(y.numpy() - expected).max() <= 5e-7 * np.abs(x).max()


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_attribute_reaches_the_kernel(rng: np.random.Generator, mode: str) -> None:
    x = rng.uniform(size=(1, 2, 13, 11))
    for attributes in (
        {},
        {"cubic_coeff_a": -0.5},
        {"exclude_outside": True},
        {"antialias": True},
        {"antialias": True, "exclude_outside": True, "cubic_coeff_a": -0.5},
    ):
        y = dynamic_upscale(
            torch.from_numpy(x), (0.7, 1.6), coordinate_transformation_mode=mode, **attributes
        )
        expected = reference.dynamic_upscale(
            x, (0.7, 1.6), coordinate_transformation_mode=mode, **attributes
        )
        np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("scale", "pair"),
    [
        (2, (2.0, 2.0)),
        (2.7, (2.7, 2.7)),
        (np.float32(2.7), (2.7, 2.7)),
        ((1.5, 2), (1.5, 2.0)),
        ([1.5, 2], (1.5, 2.0)),
        ((1, 1, 1.5, 2), (1.5, 2.0)),
        (torch.tensor(2), (2.0, 2.0)),
        (torch.tensor(2.7), (2.7, 2.7)),
        (torch.tensor(2.7, dtype=torch.float64), (2.7, 2.7)),
        (torch.tensor([2.7]), (2.7, 2.7)),
        (torch.tensor([1.5, 2.0], dtype=torch.float16), (1.5, 2.0)),
        (torch.tensor([3, 2], dtype=torch.uint8), (3.0, 2.0)),
        (torch.tensor([1, 1, 1.5, 2]), (1.5, 2.0)),
        (torch.nn.Parameter(torch.tensor([1.5, 2.0])), (1.5, 2.0)),
        (torch.tensor([9.0, 1.5, 9.0, 2.0])[1::2], (1.5, 2.0)),
    ],
    ids=repr,
)
def test_scale_forms(scale: Any, pair: tuple[float, float]) -> None:
    x = torch.rand(2, 3, 6, 7)
    expected = reference.dynamic_upscale(x.numpy(), pair)
    y = dynamic_upscale(x, scale)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=5e-7)
    attributes = (0, -0.75, False, False)
    if isinstance(scale, torch.Tensor):
        assert torch.equal(torch.ops.sr_ops.dynamic_upscale(x, scale, *attributes), y)


def test_a_scale_is_a_float32() -> None:
    x = torch.rand(1, 1, 45, 45)
    for scale in (1.4, torch.tensor(1.4), torch.tensor(1.4, dtype=torch.float64)):
        assert dynamic_upscale(x, scale).shape == (1, 1, 63, 63)  # floor(45 * 1.4) is 62


@pytest.mark.parametrize("size", [(9, 5), [9, 5], torch.Size([9, 5]), (np.int64(9), 5)], ids=repr)
def test_size_forms(size: Any) -> None:
    x = torch.rand(2, 3, 6, 7)
    expected = reference.dynamic_upscale(x.numpy(), size=(9, 5))
    np.testing.assert_allclose(dynamic_upscale(x, size=size).numpy(), expected, rtol=0, atol=5e-7)


def test_a_size_maps_by_the_ratio_of_sizes_and_a_scale_by_itself() -> None:
    x = torch.rand(1, 1, 10, 10)
    by_scale, by_size = dynamic_upscale(x, 1.55), dynamic_upscale(x, size=(15, 15))
    assert by_scale.shape == by_size.shape
    assert (by_scale - by_size).abs().max() > 1e-3


@pytest.mark.parametrize("shape", [(0, 3, 5, 4), (2, 0, 5, 4), (0, 0, 5, 4)])
@pytest.mark.parametrize("scale", [2, torch.tensor(2.5)], ids=repr)
def test_empty_batches_and_channels(shape: tuple[int, ...], scale: Any) -> None:
    x = torch.empty(shape, requires_grad=True)
    y = dynamic_upscale(x, scale)
    assert y.shape[:2] == shape[:2]
    assert y.shape[2:] == dynamic_upscale(torch.rand(1, 1, *shape[2:]), scale).shape[2:]
    y.sum().backward()
    assert x.grad is not None and x.grad.shape == shape


def layouts(x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same values, differently in memory."""
    n, c, h, w = x.shape
    holes = x.new_zeros(n, c + 1, 2 * h, 3 * w)
    holes[:, 1:, ::2, 1::3] = x
    frame = x.new_zeros(n, c + 2, h + 3, w + 2).to(memory_format=torch.channels_last)
    frame[:, 1:-1, 2:-1, 1:-1] = x
    return {
        "channels_last": x.contiguous(memory_format=torch.channels_last),
        "transposed": x.transpose(2, 3).contiguous().transpose(2, 3),
        "every other": holes[:, 1:, ::2, 1::3],
        "part of channels_last": frame[:, 1:-1, 2:-1, 1:-1],
        "permuted batch": x.permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2),
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.uint8])
@pytest.mark.parametrize("scale", [0.6, 2.0, 2.7])
def test_strides_do_not_change_a_bit(dtype: torch.dtype, scale: float) -> None:
    x = (torch.rand(2, 3, 17, 19) * 200).to(dtype)
    expected = dynamic_upscale(x, scale)
    for name, view in layouts(x).items():
        assert torch.equal(view, x)
        assert torch.equal(dynamic_upscale(view, scale), expected), name


def test_expanded_input() -> None:
    pixel_rows = torch.rand(1, 1, 1, 9).expand(2, 3, 8, 9)
    assert torch.equal(dynamic_upscale(pixel_rows, 2), dynamic_upscale(pixel_rows.clone(), 2))


@pytest.mark.parametrize(
    "shape", [(2, 3, 5, 6), (1, 1, 5, 6), (2, 4, 1, 1), (1, 3, 1, 7), (3, 2, 7, 1), (0, 2, 3, 4)]
)
def test_memory_format_follows_torch(shape: tuple[int, ...]) -> None:
    x = torch.rand(shape)
    samples = {"contiguous": x, **layouts(x)} if x.numel() else {"contiguous": x}
    for name, view in samples.items():
        y = dynamic_upscale(view, size=(4, 6))
        expected = torch.nn.functional.interpolate(view, size=(4, 6), mode="bicubic")
        assert y.stride() == expected.stride(), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_threads_do_not_change_a_bit(dtype: torch.dtype) -> None:
    x = torch.rand(1, 3, 150, 170).to(dtype)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3, 8):
            torch.set_num_threads(threads)
            results.append(dynamic_upscale(x, 2.3))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(result, results[0]) for result in results)


def test_module_and_its_override() -> None:
    x = torch.rand(1, 2, 6, 7)
    module = sr_ops.DynamicUpscale(2.5, cubic_coeff_a=-0.5)
    assert torch.equal(module(x), dynamic_upscale(x, 2.5, cubic_coeff_a=-0.5))
    assert torch.equal(module(x, (1.5, 3)), dynamic_upscale(x, (1.5, 3), cubic_coeff_a=-0.5))
    scale = torch.tensor([1, 1, 2.0, 3.0])
    assert torch.equal(module(x, scale), dynamic_upscale(x, scale, cubic_coeff_a=-0.5))
    sized = sr_ops.DynamicUpscale(size=(8, 9))
    assert torch.equal(sized(x), dynamic_upscale(x, size=(8, 9)))
    assert torch.equal(sized(x, 3), dynamic_upscale(x, 3))
    assert repr(module) == "DynamicUpscale(scale=(2.5, 2.5), cubic_coeff_a=-0.5)"
    assert repr(sized) == "DynamicUpscale(size=(8, 9))"


class TestOut:
    """``sr_ops::dynamic_upscale_to_size.out``."""

    attributes = (0, -0.75, False, False)

    def call(self, x: torch.Tensor, out: torch.Tensor) -> None:
        torch.ops.sr_ops.dynamic_upscale_to_size.out(
            x, list(out.shape[2:]), None, None, *self.attributes, out=out
        )

    def test_writes_in_place(self) -> None:
        x = torch.rand(2, 3, 6, 7)
        expected = dynamic_upscale(x, size=(9, 11))
        wide = torch.full((2, 5, 12, 20), -1.0)
        for out in (
            torch.empty(2, 3, 9, 11),
            torch.empty(2, 3, 9, 11).to(memory_format=torch.channels_last),
            torch.empty(2, 9, 3, 11).transpose(1, 2),
            torch.empty(3, 2, 11, 9).permute(1, 0, 3, 2),
            wide[:, 1:4, 2:11, 5:16],
        ):
            self.call(x, out)
            assert torch.equal(out, expected)
        wide[:, 1:4, 2:11, 5:16] = -1
        assert (wide == -1).all()

    def test_refuses_what_does_not_fit(self) -> None:
        x = torch.rand(1, 2, 4, 4)
        operator = torch.ops.sr_ops.dynamic_upscale_to_size.out
        for out in (torch.empty(1, 2, 8, 9), torch.empty(2, 2, 8, 8), torch.empty(1, 2, 8)):
            with pytest.raises(ValueError, match=r"out: .*expected .*\[1, 2, 8, 8\]"):
                operator(x, [8, 8], None, None, *self.attributes, out=out)
        with pytest.raises(ValueError, match=r"out: .*dtype"):
            self.call(x, torch.empty(1, 2, 8, 8, dtype=torch.float64))
        with pytest.raises(ValueError, match=r"out: .*overlaps x"):
            self.call(x, x)
        with pytest.raises(ValueError, match=r"out: .*itself"):
            self.call(x, torch.empty(1, 1, 8, 8).expand(1, 2, 8, 8))

"""``rounding="pillow"`` through torch: every way that a call can take, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops.errors import InvalidArgumentError, InvalidTypeError


def picture(height: int = 33, width: int = 29, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (2, 3, height, width), np.uint8))


def expected(x: torch.Tensor, **target: Any) -> torch.Tensor:
    return torch.from_numpy(
        sr_ops.numpy.dynamic_upscale(x.numpy(), **target, rounding="pillow").copy()
    )


def pillow(x: torch.Tensor, *scale: Any, **target: Any) -> torch.Tensor:
    return sr_ops.dynamic_upscale(x, *scale, **target, rounding="pillow")


@pytest.mark.parametrize("target", [{"size": (17, 41)}, {"scale": 0.4}, {"scale": (2.3, 0.9)}])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_it_has_the_bytes_of_numpy(target: dict[str, Any], memory: torch.memory_format) -> None:
    x = picture()
    y = pillow(x.contiguous(memory_format=memory), **target)
    assert torch.equal(y, expected(x, **target))
    assert y.is_contiguous(memory_format=memory)


def test_a_scale_tensor_and_the_module() -> None:
    x = picture()
    y = expected(x, scale=1.7)
    assert torch.equal(pillow(x, torch.tensor(1.7)), y)
    module = sr_ops.DynamicUpscale(1.7, rounding="pillow")
    assert torch.equal(module(x), y)
    assert "rounding='pillow'" in repr(module)
    scripted = torch.jit.script(module)
    assert torch.equal(scripted(x), y)
    assert torch.equal(scripted(x, 0.6), expected(x, scale=0.6))
    sized = torch.jit.script(sr_ops.DynamicUpscale(size=(9, 11), rounding="pillow"))
    assert torch.equal(sized(x), expected(x, size=(9, 11)))


def test_a_trace_keeps_it() -> None:
    module = sr_ops.DynamicUpscale(size=(9, 11), rounding="pillow")
    traced = torch.jit.trace(module, (picture(),))
    x = picture(40, 51, seed=1)
    assert torch.equal(traced(x), expected(x, size=(9, 11)))


def test_out_and_vmap() -> None:
    x = picture()
    y = expected(x, size=(9, 11))
    out = torch.empty_like(y)
    torch.ops.sr_ops.dynamic_upscale_to_size(
        x, [9, 11], None, None, 0, -0.75, False, False, 1, out=out
    )
    assert torch.equal(out, y)
    stacked = torch.stack([x, picture(seed=1)])
    mapped = torch.vmap(lambda image: pillow(image, size=(9, 11)))(stacked)
    assert torch.equal(mapped[0], y)


def test_compiled_and_exported_code() -> None:
    compiled = torch.compile(pillow, backend="aot_eager", fullgraph=True)
    for height in (33, 34, 35):
        x = picture(height)
        assert torch.equal(compiled(x, size=(9, 11)), expected(x, size=(9, 11)))
        assert torch.equal(compiled(x, 2), expected(x, scale=2))
    module = sr_ops.DynamicUpscale(0.7, rounding="pillow")
    dynamic = {2: torch.export.Dim("h"), 3: torch.export.Dim("w")}
    program = torch.export.export(module, (picture(),), dynamic_shapes={"x": dynamic})
    x = picture(50, 40, seed=2)
    assert torch.equal(program.module()(x), expected(x, scale=0.7))


def test_fake_and_meta_tensors() -> None:
    assert pillow(picture().to("meta"), size=(9, 11)).shape == (2, 3, 9, 11)


def test_calls_without_the_argument_mean_what_they_meant() -> None:
    x = picture()
    old = torch.ops.sr_ops.dynamic_upscale_to_size(x, [9, 11], None, None, 0, -0.5, True, True)
    new = sr_ops.dynamic_upscale(
        x, size=(9, 11), cubic_coeff_a=-0.5, antialias=True, exclude_outside=True
    )
    assert torch.equal(old, new)


@pytest.mark.parametrize("compile_it", [False, True])
@pytest.mark.parametrize(
    ("dtype", "keywords", "error", "message"),
    [
        (torch.uint8, {"rounding": "up"}, InvalidArgumentError, "rounding: got 'up'"),
        (torch.float32, {}, InvalidTypeError, "float32"),
        (torch.uint8, {"cubic_coeff_a": -1.0}, InvalidArgumentError, "cubic_coeff_a"),
        (
            torch.uint8,
            {"coordinate_transformation_mode": "align_corners"},
            InvalidArgumentError,
            "align_corners",
        ),
    ],
)
def test_bad_input(
    dtype: torch.dtype,
    keywords: dict[str, Any],
    error: type[Exception],
    message: str,
    compile_it: bool,
) -> None:
    x = torch.zeros(1, 1, 4, 4, dtype=dtype)

    def call(x: torch.Tensor) -> torch.Tensor:
        return sr_ops.dynamic_upscale(x, 2, **{"rounding": "pillow", **keywords})

    if compile_it:
        call = torch.compile(call, backend="eager", fullgraph=True)
    with pytest.raises(error if not compile_it else Exception, match=message):
        call(x)


def test_the_op_itself_refuses_what_the_function_does() -> None:
    x = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="takes uint8"):
        torch.ops.sr_ops.dynamic_upscale_to_size(x, [8, 8], None, None, 0, -0.75, False, False, 1)
    with pytest.raises(ValueError, match="rounding: got 2"):
        torch.ops.sr_ops.dynamic_upscale_to_size(
            x.byte(), [8, 8], None, None, 0, -0.75, False, False, 2
        )
    with pytest.raises(InvalidTypeError, match="float32"):
        sr_ops.DynamicUpscale(2, rounding="pillow")(x)
    with pytest.raises(InvalidArgumentError, match="rounding"):
        sr_ops.DynamicUpscale(2, rounding="half_up")

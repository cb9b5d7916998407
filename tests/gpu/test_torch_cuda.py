"""The torch door on a GPU: right, the CPU's bits, deterministic, in step with torch's streams."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import assert_same_bits, random_cases
from torch_arrays import to_array, to_tensor

import sr_ops
from sr_ops import reference
from sr_ops.errors import InvalidArgumentError

TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8)
FORMATS = (torch.contiguous_format, torch.channels_last)
#: One for each kernel: strips and tiles, small (one launch) and large (tables in a workspace).
SHAPES = {
    "strips": ((2, 3, 37, 41), 2.7),
    "strips, workspace": ((2, 3, 400, 500), 2.5),
    "tiles": ((2, 3, 60, 50), 0.6),
    "tiles, workspace": ((1, 3, 2000, 1900), 0.7),
}


def picture(
    shape: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format
) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(shape, generator=generator, dtype=torch.float64) * 255
    return x.to(dtype).contiguous(memory_format=layout)


def test_right_within_float32s_bound(record) -> None:
    worst = 0.0
    for shape, scale in SHAPES.values():
        x = picture(shape, torch.float32, torch.contiguous_format)
        y = sr_ops.dynamic_upscale(x.cuda(), scale).cpu().numpy()
        right = reference.dynamic_upscale(x.numpy(), scale)
        worst = max(worst, float(np.abs(y - right).max() / np.abs(x.numpy()).max()))
    record("largest error against float64, of max |x| (5e-7 allowed)", f"{worst:.1e}")
    assert worst <= 5e-7


@pytest.mark.parametrize("layout", FORMATS, ids=["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_bits_of_the_cpu(name: str, dtype: torch.dtype, layout: torch.memory_format) -> None:
    shape, scale = SHAPES[name]
    x = picture(shape, dtype, layout)
    for antialias in (False, True):
        expected = sr_ops.dynamic_upscale(x, scale, antialias=antialias)
        y = sr_ops.dynamic_upscale(x.cuda(), scale, antialias=antialias)
        assert y.is_contiguous(memory_format=layout)
        assert torch.equal(y.cpu(), expected)


def test_bits_of_the_cpu_on_random_problems(record) -> None:
    """Every mode and attribute, edges, odd sizes, non-contiguous sources; forward and backward."""
    total = 0
    for case in random_cases(300, seed=6, dtypes=("float32", "float64", "float16", "bfloat16")):
        x = to_tensor(case.array())
        for source in (
            x,
            x.transpose(2, 3).contiguous().transpose(2, 3),
            x.repeat(1, 1, 1, 2)[..., ::2],
        ):
            results = []
            for device in ("cpu", "cuda"):
                leaf = source.to(device).detach().requires_grad_()
                y = sr_ops.dynamic_upscale(leaf, **case.keywords)
                generator = torch.Generator().manual_seed(case.seed)
                grad = torch.rand(y.shape, generator=generator, dtype=torch.float64).to(y.dtype)
                (grad_x,) = torch.autograd.grad(y, leaf, grad.to(device))
                results.append([to_array(y.detach().cpu()), to_array(grad_x.cpu())])
            for ours, expected in zip(results[1], results[0], strict=True):
                assert_same_bits(ours, expected, case)
            total += 1
    record("random problems with the CPU's bits, forward and backward", total)


def test_bits_of_the_cpu_on_random_pictures(record) -> None:
    total = 0
    for case in random_cases(200, seed=7, dtypes=("uint8",)):
        x = to_tensor(case.array())
        expected = sr_ops.dynamic_upscale(x, **case.keywords)
        y = sr_ops.dynamic_upscale(x.cuda(), **case.keywords)
        assert_same_bits(to_array(y.cpu()), to_array(expected), case)
        total += 1
    record("random uint8 problems with the CPU's bits", total)


def test_backward_is_deterministic(record) -> None:
    x = picture((2, 3, 300, 400), torch.float32, torch.contiguous_format).cuda().requires_grad_()
    torch.use_deterministic_algorithms(True)
    try:
        y = sr_ops.dynamic_upscale(x, 2.3)
        grad = torch.rand(y.shape, device="cuda", generator=torch.Generator("cuda").manual_seed(3))
        grads = [torch.autograd.grad(y, x, grad, retain_graph=True)[0] for _ in range(20)]
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(grads[0], other) for other in grads[1:])
    record("backward, 20 runs under use_deterministic_algorithms(True)", "the same bits")


def test_gradcheck() -> None:
    x = torch.rand(1, 2, 5, 4, dtype=torch.float64, device="cuda", requires_grad=True)
    for scale in (1.7, 0.6):
        assert torch.autograd.gradcheck(lambda x, s=scale: sr_ops.dynamic_upscale(x, s), x)
        assert torch.autograd.gradgradcheck(lambda x, s=scale: sr_ops.dynamic_upscale(x, s), x)


@pytest.mark.parametrize("name", SHAPES)
def test_a_graph_captures_it(name: str, record) -> None:
    shape, scale = SHAPES[name]
    x = picture(shape, torch.float32, torch.contiguous_format).cuda()
    sr_ops.dynamic_upscale(x, scale)  # loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = sr_ops.dynamic_upscale(x, scale)
    x.copy_(x.flip(2) + 1)
    graph.replay()
    assert torch.equal(y, sr_ops.dynamic_upscale(x, scale))
    record(f"captured into a CUDA graph: {name}", "replays with new values")


def test_the_current_stream_is_used() -> None:
    x = torch.zeros(1, 3, 2000, 2000, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(50_000_000)
        x.fill_(1)
        y = sr_ops.dynamic_upscale(x, 2)  # elsewhere it would read zeros
    stream.synchronize()
    assert torch.all((y - 1).abs() < 1e-5)


def test_sized_ops_never_wait() -> None:
    x = torch.rand(1, 3, 64, 64, device="cuda", requires_grad=True)
    grad = torch.rand(1, 3, 128, 128, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        sr_ops.dynamic_upscale(x, 2.0).backward(grad)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_scale_tensor_may_lie_on_the_gpu() -> None:
    x = torch.rand(1, 3, 20, 30, device="cuda")
    y = sr_ops.dynamic_upscale(x, torch.tensor([1.5, 2.0], device="cuda"))
    assert torch.equal(y, sr_ops.dynamic_upscale(x, (1.5, 2.0)))


def test_out() -> None:
    x = torch.rand(2, 3, 20, 30, device="cuda")
    expected = sr_ops.dynamic_upscale(x, 2)
    op = torch.ops.sr_ops.dynamic_upscale_to_size.out
    for out in (
        torch.empty_like(expected),
        torch.empty(2, 3, 40, 80, device="cuda")[..., 10:70],
        torch.empty(2, 3, 60, 40, device="cuda").transpose(2, 3),
    ):
        op(x, [40, 60], 2.0, 2.0, 0, -0.75, False, False, out=out)
        assert torch.equal(out, expected)
    with pytest.raises(ValueError, match="device"):
        op(x, [40, 60], 2.0, 2.0, 0, -0.75, False, False, out=torch.empty(2, 3, 40, 60))


def test_autocast_and_compile() -> None:
    x = torch.rand(1, 3, 20, 30, device="cuda")
    with torch.autocast("cuda", torch.float16):
        y = sr_ops.dynamic_upscale(x.half(), 2)
    assert y.dtype == torch.float32  # torch's rule for bicubic
    compiled = torch.compile(lambda x: sr_ops.dynamic_upscale(x, 2) * 2, fullgraph=True)
    assert torch.allclose(compiled(x), sr_ops.dynamic_upscale(x, 2) * 2)


@pytest.mark.parametrize(
    ("shape", "scale"),
    [
        ((70000, 1, 3, 5), 2),  # many tiny planes
        ((1, 1, 30000, 7), 2),  # high and narrow
        ((1, 1, 2, 200000), (1, 1.5)),
        ((1, 1, 1, 1), 9),
        ((3, 0, 4, 4), 2),
        ((1, 2, 4096, 8), (1 / 512, 1)),  # with antialias, thousands of taps
    ],
)
@pytest.mark.parametrize("antialias", [False, True])
def test_extreme_shapes(shape: tuple[int, ...], scale: object, antialias: bool) -> None:
    x = picture(shape, torch.float32, torch.contiguous_format)
    expected = sr_ops.dynamic_upscale(x, scale, antialias=antialias)
    y = sr_ops.dynamic_upscale(x.cuda(), scale, antialias=antialias)
    assert torch.equal(y.cpu(), expected)


def test_more_than_2_to_the_31_elements() -> None:
    free, _ = torch.cuda.mem_get_info()
    if free < 14 << 30:
        pytest.skip(f"needs 14 GiB of GPU memory, {free >> 30} are free")
    x = torch.zeros(1, 1, 33000, 33000, dtype=torch.float16, device="cuda")
    x[..., -40:, -40:] = torch.rand(40, 40, device="cuda").half()
    y = sr_ops.dynamic_upscale(x, 2)
    corner = sr_ops.dynamic_upscale(x[..., -40:, -40:], 2)
    assert torch.equal(y[..., -60:, -60:], corner[..., -60:, -60:])


def test_bad_arguments_are_named() -> None:
    with pytest.raises(InvalidArgumentError, match="at least one pixel"):
        sr_ops.dynamic_upscale(torch.rand(1, 1, 2, 2, device="cuda"), 0.1)

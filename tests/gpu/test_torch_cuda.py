"""torch on a GPU: right, the CPU's bits, deterministic, in step with torch's streams."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from cases import assert_same_bits, random_cases
from torch_arrays import to_array, to_tensor

import sr_ops
import sr_ops._torch.library  # which loads torch.ops.sr_ops
from sr_ops import reference
from sr_ops.errors import InvalidArgumentError

TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8)
FORMATS = (torch.contiguous_format, torch.channels_last)
FLOATS = TYPES[:-1]
#: One for each kernel: strips and tiles, small (one launch) and large (tables in a workspace).
SHAPES = {
    "strips": ((2, 3, 37, 41), 2.7),
    "strips, workspace": ((2, 3, 400, 500), 2.5),
    "tiles": ((2, 3, 60, 50), 0.6),
    "tiles, workspace": ((1, 3, 1200, 1300), 0.7),
}
#: How a source may lie in memory.
VIEWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "dense": lambda x: x,
    "rows and columns swapped": lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    "every other column": lambda x: x.repeat(1, 1, 1, 2)[..., ::2],
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "one element off": lambda x: torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape),
    "one row for all": lambda x: x[:, :, :1].expand(x.shape),
}


def bits(tensor: torch.Tensor):
    return to_array(tensor.detach().cpu())


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
        assert_same_bits(bits(y), bits(expected), (name, antialias))


@pytest.mark.parametrize("layout", FORMATS, ids=["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_gradients_have_the_bits_of_the_cpu(
    name: str, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    """In the larger shapes, of a size whose tables are in a workspace here as well."""
    (n, c, h, w), scale = SHAPES[name]
    grad = picture((n, c, int(h * scale), int(w * scale)), dtype, layout)
    backward = torch.ops.sr_ops.dynamic_upscale_to_size_backward
    for antialias in (False, True):
        arguments = ([h, w], None, None, 0, -0.75, antialias, False)
        expected = backward(grad, *arguments)
        grad_x = backward(grad.cuda(), *arguments)
        assert grad_x.is_contiguous(memory_format=layout)
        assert_same_bits(bits(grad_x), bits(expected), (name, antialias))


@pytest.mark.parametrize("view", VIEWS)
def test_bits_of_the_cpu_on_random_problems(view: str, record) -> None:
    """Every mode and attribute, edges, odd sizes; forward and backward."""
    total = 0
    for case in random_cases(120, seed=6, dtypes=("float32", "float64", "float16", "bfloat16")):
        x = to_tensor(case.array())
        results = []
        for device in ("cpu", "cuda"):
            leaf = VIEWS[view](x.to(device)).detach().requires_grad_()
            y = sr_ops.dynamic_upscale(leaf, **case.keywords)
            generator = torch.Generator().manual_seed(case.seed)
            grad = torch.rand(y.shape, generator=generator, dtype=torch.float64).to(y.dtype)
            (grad_x,) = torch.autograd.grad(y, leaf, grad.to(device), retain_graph=True)
            (of_sum,) = torch.autograd.grad(y.sum(), leaf)  # its gradient has strides of 0
            results.append([bits(y), bits(grad_x), bits(of_sum)])
        for ours, expected in zip(results[1], results[0], strict=True):
            assert_same_bits(ours, expected, case)
        total += 1
    record(f"random problems with the CPU's bits, forward and backward, {view}", total)


def test_bits_of_the_cpu_on_random_pictures(record) -> None:
    total = 0
    for case in random_cases(200, seed=7, dtypes=("uint8",)):
        x = to_tensor(case.array())
        expected = sr_ops.dynamic_upscale(x, **case.keywords)
        y = sr_ops.dynamic_upscale(x.cuda(), **case.keywords)
        assert_same_bits(bits(y), bits(expected), case)
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


def test_opcheck() -> None:
    """Schema, fake kernel, autograd and compiled graphs agree with the kernels."""
    x = torch.rand(2, 3, 8, 7, device="cuda", requires_grad=True)
    attributes = (None, None, 0, -0.75, False, False)
    ops = torch.ops.sr_ops
    torch.library.opcheck(ops.dynamic_upscale_to_size.default, (x, [13, 5], *attributes))
    torch.library.opcheck(ops.dynamic_upscale_to_size_backward.default, (x, [13, 5], *attributes))


def test_transforms() -> None:
    x = torch.rand(4, 2, 3, 6, 7, device="cuda")

    def upscale(x: torch.Tensor) -> torch.Tensor:
        return sr_ops.dynamic_upscale(x, 1.7)

    each = torch.stack([upscale(image) for image in x])
    assert torch.equal(torch.func.vmap(upscale)(x), each)
    _, tangent = torch.func.jvp(upscale, (x[0],), (x[1],))
    assert torch.equal(tangent, each[1])


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


@pytest.mark.parametrize("name", SHAPES)
def test_a_graph_captures_gradients(name: str) -> None:
    (n, c, h, w), scale = SHAPES[name]
    grad = picture((n, c, int(h * scale), int(w * scale)), torch.float32, FORMATS[0]).cuda()

    def backward() -> torch.Tensor:
        return torch.ops.sr_ops.dynamic_upscale_to_size_backward(
            grad, [h, w], None, None, 0, -0.75, False, False
        )

    backward()  # loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        grad_x = backward()
    grad.copy_(grad.flip(2) + 1)
    graph.replay()
    assert torch.equal(grad_x, backward())


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


def test_streams_do_not_meet_in_a_workspace(record) -> None:
    """Tables' memory is taken again as soon as a call returns: by its own stream alone."""
    work = []
    for name in ("strips, workspace", "tiles, workspace"):
        shape, scale = SHAPES[name]
        x = picture(shape, torch.float32, torch.contiguous_format).cuda()
        work.append((x, scale, sr_ops.dynamic_upscale(x, scale)))
    torch.cuda.synchronize()

    def run(x: torch.Tensor, scale: float, expected: torch.Tensor) -> bool:
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            results = [sr_ops.dynamic_upscale(x, scale) for _ in range(50)]
        stream.synchronize()
        return all(torch.equal(y, expected) for y in results)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(run, *zip(*work * 2, strict=True)))
    record("200 calls on 4 streams from 4 threads", "the right bits")


def test_the_tensors_device_counts() -> None:
    """Not the current one. (On a machine with one GPU they are the same.)"""
    last = torch.device("cuda", torch.cuda.device_count() - 1)
    for shape, scale in SHAPES.values():
        x = picture(shape, torch.float32, torch.contiguous_format)
        y = sr_ops.dynamic_upscale(x.to(last), scale)
        assert y.device == last and torch.cuda.current_device() == 0
        assert_same_bits(bits(y), bits(sr_ops.dynamic_upscale(x, scale)), shape)


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


def test_autocast() -> None:
    x = torch.rand(1, 3, 20, 30, device="cuda", dtype=torch.float16, requires_grad=True)
    with torch.autocast("cuda", torch.float16):
        y = sr_ops.dynamic_upscale(x, 2)
    assert y.dtype == torch.float32  # torch's rule for bicubic
    y.sum().backward()
    assert x.grad is not None and x.grad.dtype == torch.float16


def test_compile() -> None:
    """Needs Triton and a C compiler, as torch.compile does."""
    x = torch.rand(1, 3, 20, 30, device="cuda")
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


def test_more_than_2_to_the_31_elements(record) -> None:
    """Written by strips, read by tiles: the last corner is that of a small image."""
    free, _ = torch.cuda.mem_get_info()
    if free < 15 << 30:
        pytest.skip(f"needs 15 GiB of GPU memory, {free >> 30} are free")
    x = torch.zeros(1, 1, 33000, 33000, dtype=torch.float16, device="cuda")
    x[..., -40:, -40:] = torch.rand(40, 40, device="cuda").half()
    y = sr_ops.dynamic_upscale(x, 2)
    corner = sr_ops.dynamic_upscale(x[..., -40:, -40:], 2)
    assert torch.equal(y[..., -60:, -60:], corner[..., -60:, -60:])
    assert not y[..., :-90, :].any()
    back = sr_ops.dynamic_upscale(y, 0.5)
    corner = sr_ops.dynamic_upscale(y[..., -120:, -120:], 0.5)
    assert torch.equal(back[..., -50:, -50:], corner[..., -50:, -50:])
    record("an image of 2^32 elements", "right to its last corner")


def test_bad_arguments_are_named() -> None:
    with pytest.raises(InvalidArgumentError, match="at least one pixel"):
        sr_ops.dynamic_upscale(torch.rand(1, 1, 2, 2, device="cuda"), 0.1)

"""compat.interpolate and nn.convert against torch itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch.export import Dim
from torch.nn import functional
from torch.nn.functional import interpolate as borrowed

from sr_ops import compat, dynamic_upscale, nn
from sr_ops.errors import InvalidArgumentError, InvalidTypeError


def opinfo_samples(name: str, variant: str) -> Iterator[Any]:
    # Takes seconds, which whoever only collects the tests need not wait for.
    from torch.testing._internal.common_methods_invocations import op_db

    (info,) = (op for op in op_db if op.name == name and op.variant_test_name == variant)
    return info.sample_inputs("cpu", torch.float64, requires_grad=True)


def assert_same(actual: torch.Tensor, expected: torch.Tensor, atol: float) -> None:
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    assert actual.stride() == expected.stride()
    torch.testing.assert_close(actual, expected, rtol=0, atol=atol)


def test_opinfo_samples_of_bicubic_interpolate() -> None:
    samples = list(opinfo_samples("nn.functional.interpolate", "bicubic"))
    assert len(samples) >= 20
    for sample in samples:
        x, scale = sample.input, sample.input.detach().abs().max().item()
        expected = functional.interpolate(x, *sample.args, **sample.kwargs)
        actual = compat.interpolate(x, *sample.args, **sample.kwargs)
        assert_same(actual, expected, 1e-14 * scale)
        weights = torch.rand_like(expected)
        gradients = [torch.autograd.grad(y, x, weights)[0] for y in (actual, expected)]
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-13)
        single = x.detach().float()
        torch.testing.assert_close(
            compat.interpolate(single, *sample.args, **sample.kwargs).double(),
            actual.detach(),
            rtol=0,
            atol=1e-6 * scale,
        )


def test_opinfo_samples_of_antialiased_upsampling() -> None:
    """The samples of the bilinear op: the bicubic one has the same signature and no entry."""
    samples = list(opinfo_samples("_upsample_bilinear2d_aa", ""))
    assert len(samples) >= 7
    for sample in samples:
        x, keywords = sample.input, sample.kwargs
        expected = torch.ops.aten._upsample_bicubic2d_aa(x, **keywords)
        if keywords.get("scales_h"):
            # A size with factors that lead elsewhere: interpolate has no way to say it, and the op
            # refuses it.
            with pytest.raises(ValueError, match=r"^scale: 1.7 does not make 10 pixels into 3"):
                torch.ops.sr_ops.dynamic_upscale_to_size(x, [3, 3], 1.7, 0.9, 0, -0.5, True, True)
            continue
        actual = compat.interpolate(
            x,
            keywords["output_size"],
            keywords.get("scale_factors"),
            mode="bicubic",
            align_corners=keywords["align_corners"],
            antialias=True,
        )
        assert_same(actual, expected, 1e-13 * x.detach().abs().max().item())


EXTENTS: list[dict[str, Any]] = [
    {"size": 13},
    {"size": (20, 25)},
    {"size": (1, 25)},
    {"size": (1, 1)},
    {"scale_factor": 2},
    {"scale_factor": 0.37},
    {"scale_factor": (1.4, 0.55)},
    {"scale_factor": [2.7, 1]},
    {"scale_factor": (1.4, 0.55), "recompute_scale_factor": True},
]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("align_corners", [None, True])
@pytest.mark.parametrize("extent", EXTENTS, ids=repr)
def test_same_as_torch(extent: dict[str, Any], align_corners: bool | None, antialias: bool) -> None:
    keywords = {"mode": "bicubic", "align_corners": align_corners, "antialias": antialias, **extent}
    for shape in ((2, 3, 9, 11), (1, 2, 45, 29), (1, 1, 3, 7), (0, 3, 4, 5)):
        x = torch.rand(shape, dtype=torch.float64)
        for images in (x, x.contiguous(memory_format=torch.channels_last)):
            expected = functional.interpolate(images, **keywords)
            assert_same(compat.interpolate(images, **keywords), expected, 1e-13)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 1e-6), (torch.bfloat16, 2.0**-7), (torch.float16, 2.0**-10), (torch.uint8, 1)],
)
def test_other_dtypes_against_torchs_float64(
    dtype: torch.dtype, atol: float, antialias: bool
) -> None:
    x = torch.rand(2, 3, 60, 70, generator=torch.Generator().manual_seed(0))
    x = (x * 255).to(dtype) if dtype == torch.uint8 else x.to(dtype)
    for extent in EXTENTS:
        keywords = {"mode": "bicubic", "antialias": antialias, **extent}
        expected = functional.interpolate(x.double(), **keywords)
        if dtype == torch.uint8:
            expected = expected.round().clamp(0, 255)
        actual = compat.interpolate(x, **keywords)
        assert actual.dtype == dtype and actual.shape == expected.shape
        assert (actual.double() - expected).abs().max() <= atol


def test_how_far_torch_itself_is() -> None:
    """The differences that the documentation names."""
    x = torch.rand(1, 1, 1024, 1024, generator=torch.Generator().manual_seed(0))
    keywords = {"scale_factor": 1.1, "mode": "bicubic"}
    exact = functional.interpolate(x.double(), **keywords)
    assert (compat.interpolate(x, **keywords).double() - exact).abs().max() < 5e-7
    assert 1e-6 < (functional.interpolate(x, **keywords).double() - exact).abs().max() < 1e-3
    pictures = (x[..., :64, :64] * 255).to(torch.uint8)
    exact = functional.interpolate(pictures.double(), **keywords).round().clamp(0, 255)
    assert (compat.interpolate(pictures, **keywords).double() - exact).abs().max() <= 1
    # torch rounds and clamps between the two passes.
    assert 1 < (functional.interpolate(pictures, **keywords).double() - exact).abs().max() < 40


def test_size_rule_is_torchs() -> None:
    x = torch.rand(1, 1, 45, 35)
    keywords = {"scale_factor": 1.4, "mode": "bicubic"}
    assert compat.interpolate(x, **keywords).shape == (1, 1, 62, 49)
    assert compat.interpolate(x, **keywords).shape == functional.interpolate(x, **keywords).shape
    assert dynamic_upscale(x, 1.4).shape == (1, 1, 63, 49)


def test_other_modes_go_to_torch() -> None:
    x = torch.rand(1, 2, 5, 6)
    for mode in ("nearest", "bilinear", "area"):
        expected = functional.interpolate(x, scale_factor=2, mode=mode)
        assert torch.equal(compat.interpolate(x, scale_factor=2, mode=mode), expected)
    assert torch.equal(compat.interpolate(x, 9), functional.interpolate(x, 9))


def test_compiled_and_exported() -> None:
    def upscale(x: torch.Tensor) -> torch.Tensor:
        return compat.interpolate(x, scale_factor=1.4, mode="bicubic")

    compiled = torch.compile(upscale, backend="aot_eager", fullgraph=True, dynamic=True)
    for n in (8, 45, 35):
        x = torch.rand(1, 2, n, n + 1)
        assert torch.equal(compiled(x), upscale(x))

    class Model(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return upscale(x)

    dynamic = {2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    program = torch.export.export(Model(), (torch.rand(1, 2, 8, 9),), dynamic_shapes=(dynamic,))
    for n in (45, 35):
        x = torch.rand(1, 2, n, n + 1)
        assert torch.equal(program.module()(x), upscale(x))


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
@pytest.mark.filterwarnings("error::torch.jit.TracerWarning")
def test_traced() -> None:
    x = torch.rand(1, 2, 45, 35)
    for keywords in ({"size": (20, 30)}, {"scale_factor": 1.4, "recompute_scale_factor": True}):

        def upscale(x: torch.Tensor, keywords: Any = keywords) -> torch.Tensor:
            return compat.interpolate(x, mode="bicubic", **keywords)

        traced = torch.jit.trace(upscale, (torch.rand(1, 2, 8, 9),))
        assert torch.equal(traced(x), upscale(x))


@pytest.mark.parametrize(
    ("argument", "keywords"),
    [
        ("size, scale_factor", {}),
        ("size, scale_factor", {"size": 3, "scale_factor": 2}),
        ("size", {"size": (3, 0)}),
        ("size", {"size": (3, 4, 5)}),
        ("scale_factor", {"scale_factor": -1.0}),
        ("scale_factor", {"scale_factor": float("nan")}),
        ("scale_factor", {"scale_factor": (1, 2, 3)}),
        ("scale_factor", {"scale_factor": 0.01}),
        ("scale_factor", {"scale_factor": 1e9}),
        ("recompute_scale_factor", {"size": 3, "recompute_scale_factor": True}),
    ],
    ids=repr,
)
def test_bad_values(argument: str, keywords: dict[str, Any]) -> None:
    def call(x: torch.Tensor) -> torch.Tensor:
        return compat.interpolate(x, mode="bicubic", **keywords)

    x = torch.rand(1, 1, 5, 6)
    with pytest.raises(InvalidArgumentError, match=f"^{argument}: "):
        call(x)
    torch._dynamo.reset()
    with pytest.raises(InvalidArgumentError, match=f"^{argument}: "):
        torch.compile(call, backend="eager", fullgraph=True)(x)


def test_bad_types() -> None:
    with pytest.raises(InvalidTypeError, match=r"^scale_factor: "):
        compat.interpolate(torch.rand(1, 1, 5, 6), scale_factor="2", mode="bicubic")
    with pytest.raises(InvalidTypeError, match=r"^size: "):
        compat.interpolate(torch.rand(1, 1, 5, 6), size=2.5, mode="bicubic")
    with pytest.raises(InvalidArgumentError, match=r"^input: got 3 dimensions"):
        compat.interpolate(torch.rand(1, 5, 6), 3, mode="bicubic")
    with pytest.raises(InvalidTypeError, match=r"^input: got torch.int32"):
        compat.interpolate(torch.zeros(1, 1, 5, 6, dtype=torch.int32), 3, mode="bicubic")


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(2, 2, 3)
        self.up = torch.nn.Upsample(scale_factor=1.4, mode="bicubic")
        self.inner = torch.nn.Sequential(
            torch.nn.Upsample(size=(20, 21), mode="bicubic", align_corners=True),
            torch.nn.Upsample(scale_factor=2, mode="nearest"),
            self.up,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(self.up(self.convolution(x)))


def test_convert() -> None:
    torch.manual_seed(0)
    original = Model().eval()
    calls: list[str] = []
    original.up.register_forward_hook(lambda *_: calls.append("hook"))
    model = copy.deepcopy(original)
    assert nn.convert(model) is model
    assert type(model.up) is nn.BicubicUpsample and model.inner[2] is model.up
    assert type(model.inner[0]) is nn.BicubicUpsample
    assert type(model.inner[1]) is torch.nn.Upsample
    assert model.state_dict().keys() == original.state_dict().keys()
    assert not model.up.training
    x = torch.rand(1, 2, 12, 13)
    torch.testing.assert_close(model(x), original(x), rtol=0, atol=1e-5)
    assert calls == ["hook"] * 4
    assert repr(model.up) == "BicubicUpsample(scale_factor=1.4, mode='bicubic')"
    assert torch.equal(copy.deepcopy(model)(x), model(x))


def test_convert_a_module_itself() -> None:
    converted = nn.convert(torch.nn.Upsample(scale_factor=2, mode="bicubic"))
    assert type(converted) is nn.BicubicUpsample
    other = torch.nn.Upsample(scale_factor=2)
    assert nn.convert(other) is other
    assert nn.convert(converted) is converted
    with pytest.raises(InvalidTypeError, match=r"^module: got function"):
        nn.convert(lambda x: x)  # type: ignore[arg-type]


def vision(x: torch.Tensor) -> torch.Tensor:
    return compat.interpolate(x, size=(32, 48), mode="bicubic", antialias=True)


def to_eighth(x: torch.Tensor) -> torch.Tensor:
    return compat.interpolate(x, size=(x.shape[2] // 8, x.shape[3] // 8), mode="bicubic")


def to_eighth_by_operator(x: torch.Tensor) -> torch.Tensor:
    return dynamic_upscale(x, size=(x.shape[2] // 8, x.shape[3] // 8))


@pytest.mark.parametrize("resize", [vision, to_eighth, to_eighth_by_operator])
class TestChecksNarrowNothing:
    """A check of arguments that passes says nothing about the sizes that come later."""

    def test_compilations(self, resize: Callable[[torch.Tensor], torch.Tensor]) -> None:
        torch._dynamo.reset()
        backend = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(resize, backend=backend, fullgraph=True)
        for n in (40, 48, 24, 56, 32):
            x = torch.rand(1, 2, n, n + 8)
            assert torch.equal(compiled(x), resize(x))
        assert backend.frame_count == 2

    @pytest.mark.parametrize("strict", [False, True])
    def test_export(self, resize: Callable[[torch.Tensor], torch.Tensor], strict: bool) -> None:
        class Model(torch.nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return resize(x)

        axes = {
            0: Dim("batch"),
            2: Dim("height", min=16),
            3: Dim("width", min=16),
        }  # torch: not 0, not 1
        x = torch.rand(2, 3, 40, 24)
        program = torch.export.export(Model(), (x,), dynamic_shapes=(axes,), strict=strict)
        ranges = list(program.range_constraints.values())
        assert len(ranges) == 3 and all(r.lower <= 16 for r in ranges)
        for shape in ((1, 3, 16, 104), (5, 3, 64, 16)):
            x = torch.rand(shape)
            assert torch.equal(program.module()(x), resize(x))


class TestPatch:
    """Calls of functional.interpolate in code that knows nothing of sr_ops."""

    x = torch.rand(1, 2, 9, 11, generator=torch.Generator().manual_seed(0))

    @staticmethod
    def theirs(x: torch.Tensor) -> torch.Tensor:
        return borrowed(x, scale_factor=1.4, mode="bicubic")

    def ours(self) -> torch.Tensor:
        return compat.interpolate(self.x, scale_factor=1.4, mode="bicubic")

    def test_eager(self) -> None:
        before = self.theirs(self.x)
        with compat.patch():
            assert torch.equal(self.theirs(self.x), self.ours())
            assert torch.equal(functional.interpolate(self.x, None, 1.4, "bicubic"), self.ours())
            module = torch.nn.Upsample(scale_factor=1.4, mode="bicubic")
            assert torch.equal(module(self.x), self.ours())
        assert torch.equal(self.theirs(self.x), before)
        assert not torch.equal(before, self.ours())

    def test_what_stays_with_torch(self) -> None:
        for mode, align_corners in (("bilinear", False), ("bicubic", True)):
            keywords: dict[str, Any] = {
                "size": 5,
                "mode": mode,
                "antialias": True,
                "align_corners": align_corners,
            }
            expected = functional.interpolate(self.x, **keywords)
            with compat.patch():
                assert torch.equal(functional.interpolate(self.x, **keywords), expected)

    def test_gradients_and_vmap(self) -> None:
        leaf = self.x.clone().requires_grad_()
        with compat.patch():
            y = self.theirs(leaf)
            assert torch.equal(torch.func.vmap(self.theirs)(self.x[None])[0], self.ours())
        y.sum().backward()
        assert leaf.grad is not None and "UpscaleToSize" in type(y.grad_fn).__name__

    def test_compiled(self) -> None:
        def inside(x: torch.Tensor) -> torch.Tensor:
            with compat.patch():
                return self.theirs(x)

        torch._dynamo.reset()
        compiled = torch.compile(inside, backend="aot_eager", fullgraph=True)
        assert torch.equal(compiled(self.x), self.ours())
        compiled = torch.compile(self.theirs, backend="aot_eager", fullgraph=True)
        with compat.patch():
            assert torch.equal(compiled(self.x), self.ours())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize(
    "keywords",
    [
        {"size": 9},
        {"size": (9, 11)},
        {"scale_factor": 1.4},
        {"scale_factor": (1.4, 0.6)},
        {"scale_factor": 1.4, "recompute_scale_factor": True},
        {"scale_factor": 2, "align_corners": True},
        {"scale_factor": 2, "mode": "bilinear"},
        {"size": 9, "mode": "nearest"},
    ],
    ids=repr,
)
def test_scripted_wherever_upsample_is(keywords: dict[str, Any]) -> None:
    keywords = {"mode": "bicubic", **keywords}
    torch.jit.script(torch.nn.Upsample(**keywords))
    module = nn.BicubicUpsample(**keywords)
    x = torch.rand(1, 2, 45, 35)
    assert torch.equal(torch.jit.script(module)(x), module(x))

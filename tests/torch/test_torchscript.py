"""torch.jit.trace, torch.jit.script, and the exporter that builds on them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch_bad_input import TYPE_ERRORS, VALUE_ERRORS

import sr_ops
from sr_ops import dynamic_upscale
from sr_ops.errors import InvalidArgumentError, InvalidTypeError, ModelError
from sr_ops.onnx import emit

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*torch.jit.*:DeprecationWarning",
    "ignore:.*legacy TorchScript-based ONNX export.*:DeprecationWarning",
    "ignore:The feature will be removed:DeprecationWarning",
    "error::torch.jit.TracerWarning",  # a frozen value
)

X = torch.rand(1, 2, 8, 9)
OTHER = torch.rand(3, 2, 45, 35)


class Upscale(torch.nn.Module):
    def __init__(self, **keywords: Any) -> None:
        super().__init__()
        self.keywords = keywords

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, **self.keywords)


class UpscaleBy(torch.nn.Module):
    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, scale)


class SizedByImage(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return dynamic_upscale(x, size=(x.shape[2] + 3, 2 * x.shape[3]))


MODELS: dict[str, tuple[torch.nn.Module, tuple[Any, ...], tuple[Any, ...]]] = {
    "integer": (Upscale(scale=2), (), ()),
    "float": (Upscale(scale=1.4), (), ()),
    "pair": (Upscale(scale=(1.4, 0.5)), (), ()),
    "size": (Upscale(size=(20, 30)), (), ()),
    "size of image": (SizedByImage(), (), ()),
    "0-d tensor": (UpscaleBy(), (torch.tensor(2.5),), (torch.tensor(1.4),)),
    "one": (UpscaleBy(), (torch.tensor([2.5]),), (torch.tensor([1.4]),)),
    "integers": (UpscaleBy(), (torch.tensor([2, 3]),), (torch.tensor([1, 4]),)),
    "float64": (
        UpscaleBy(),
        (torch.tensor([2.5, 3], dtype=torch.float64),),
        (torch.tensor([1.4, 0.5], dtype=torch.float64),),
    ),
    "four": (UpscaleBy(), (torch.tensor([1, 1, 2.5, 3]),), (torch.tensor([1, 1, 1.4, 0.5]),)),
}


def saved_and_loaded(module: Any) -> Any:
    file = io.BytesIO()
    torch.jit.save(module, file)
    file.seek(0)
    return torch.jit.load(file)


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_trace(name: str, requires_grad: bool) -> None:
    model, first, other = MODELS[name]
    traced = torch.jit.trace(model, (X.clone().requires_grad_(requires_grad), *first))
    traced = saved_and_loaded(traced)
    for arguments in ((X, *first), (OTHER, *other)):
        assert torch.equal(traced(*arguments), model(*arguments))


def test_trace_differentiates() -> None:
    traced = torch.jit.trace(Upscale(scale=1.4), (X,))
    leaves = [OTHER.clone().requires_grad_() for _ in range(2)]
    for forward, leaf in zip((traced, Upscale(scale=1.4)), leaves, strict=True):
        forward(leaf).square().sum().backward()
    assert torch.equal(leaves[0].grad, leaves[1].grad)  # type: ignore[arg-type]


@pytest.mark.parametrize(("argument", "keywords"), [*VALUE_ERRORS, *TYPE_ERRORS], ids=repr)
def test_trace_of_bad_input(argument: str, keywords: dict[str, Any]) -> None:
    with pytest.raises(
        (InvalidArgumentError, InvalidTypeError), match=r"scale|size|output|" + argument
    ):
        torch.jit.trace(Upscale(**keywords), (torch.rand(1, 2, 4, 5),))


class Scripted(torch.nn.Module):
    def __init__(self, **keywords: Any) -> None:
        super().__init__()
        self.upscale = sr_ops.DynamicUpscale(**keywords)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.upscale(x).relu()


class ScriptedWithScales(Scripted):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        by_float, by_integer = self.upscale(x, 2.5), self.upscale(x, 2)
        by_pair, by_list = self.upscale(x, (1.5, 2.5)), self.upscale(x, [1.5, 2.5])
        by_tensor = self.upscale(x, torch.tensor([2, 3]))
        return (
            by_float.sum() + by_integer.sum() + (by_pair - by_list).sum() + by_tensor.sum()
        ) + self.upscale(x)


@pytest.mark.parametrize(
    "model",
    [
        Scripted(scale=2.7),
        Scripted(scale=(1.4, 2)),
        Scripted(scale=0.6, antialias=True, exclude_outside=True, cubic_coeff_a=-0.5),
        Scripted(size=(20, 30), coordinate_transformation_mode="align_corners"),
        ScriptedWithScales(scale=2),
        ScriptedWithScales(size=(11, 12)),
    ],
    ids=repr,
)
def test_script(model: torch.nn.Module) -> None:
    scripted = saved_and_loaded(torch.jit.script(model))
    for x in (X, OTHER, OTHER.contiguous(memory_format=torch.channels_last)):
        assert torch.equal(scripted(x), model(x))
    leaves = [X.clone().requires_grad_() for _ in range(2)]
    for _ in range(3):  # the profiling executor specialises after the first runs
        for forward, leaf in zip((scripted, model), leaves, strict=True):
            leaf.grad = None
            forward(leaf).square().sum().backward()
        # Where several calls share x, torch adds their gradients in an order of its own choice.
        tolerance = 1e-6 if isinstance(model, ScriptedWithScales) else 0.0
        torch.testing.assert_close(leaves[0].grad, leaves[1].grad, rtol=tolerance, atol=0.0)


def test_script_without_scale() -> None:
    scripted = torch.jit.script(sr_ops.DynamicUpscale())
    assert torch.equal(scripted(X, 2.5), dynamic_upscale(X, 2.5))
    with pytest.raises(torch.jit.Error, match=r"scale, size: got neither"):
        scripted(X)


def exported(model: torch.nn.Module, arguments: tuple[Any, ...], opset: int) -> onnx.ModelProto:
    file = io.BytesIO()
    torch.onnx.export(
        model,
        arguments,
        file,
        dynamo=False,
        opset_version=opset,
        input_names=["x", "scale"][: len(arguments)],
        output_names=["y"],
        dynamic_axes={"x": {0: "batch", 2: "height", 3: "width"}},
    )
    proto = onnx.load_from_string(file.getvalue())
    onnx.checker.check_model(proto, full_check=True)
    return proto


def run(proto: onnx.ModelProto, arguments: tuple[Any, ...]) -> Any:
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sr_ops.get_library_path())
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [value.name for value in session.get_inputs()]
    feeds = {name: value.numpy() for name, value in zip(names, arguments, strict=True)}
    return session.run(["y"], feeds)[0]


@pytest.mark.parametrize("opset", [11, 13, 20])
@pytest.mark.parametrize("op", ["Resize", "DynamicUpscale"])
@pytest.mark.parametrize("name", MODELS)
def test_onnx(name: str, op: str, opset: int) -> None:
    model, first, other = MODELS[name]
    with emit(op):
        proto = exported(model, (X, *first), opset)
    ops = [node.op_type for node in proto.graph.node if node.op_type.startswith(op)]
    domains = {entry.domain: entry.version for entry in proto.opset_import}
    if op == "Resize":
        assert ops == ["Resize"] and domains == {"": opset}
    else:
        assert ops == ["DynamicUpscaleToSizes" if "size" in name else "DynamicUpscale"]
        assert domains == {"": opset, "sr_ops": 1}
    for arguments in ((X, *first), (OTHER, *other)):
        result, expected = run(proto, arguments), model(*arguments).numpy()
        assert result.shape == expected.shape
        if op == "DynamicUpscale":
            assert (result == expected).all()
        else:
            np.testing.assert_allclose(result, expected, rtol=0, atol=2e-5)


def test_onnx_output_keeps_known_axes_and_frees_the_others() -> None:
    proto = exported(Upscale(scale=2.5), (X,), 17)
    dimensions = proto.graph.output[0].type.tensor_type.shape.dim
    assert dimensions[1].dim_value == 2
    assert all(dimensions[axis].dim_param for axis in (0, 2, 3))


@pytest.mark.parametrize(
    ("keywords", "opset"),
    [
        ({"antialias": True, "exclude_outside": True, "cubic_coeff_a": -0.5}, 18),
        ({"coordinate_transformation_mode": "half_pixel_symmetric"}, 19),
        ({"coordinate_transformation_mode": "align_corners"}, 11),
        ({"coordinate_transformation_mode": "asymmetric", "cubic_coeff_a": -0.6}, 11),
        ({"coordinate_transformation_mode": "pytorch_half_pixel", "exclude_outside": True}, 11),
    ],
    ids=repr,
)
def test_onnx_attributes(keywords: dict[str, Any], opset: int) -> None:
    model = Upscale(scale=(0.61, 1.37), **keywords)
    proto = exported(model, (X,), opset)
    np.testing.assert_allclose(run(proto, (OTHER,)), model(OTHER).numpy(), rtol=0, atol=2e-5)
    with emit("DynamicUpscale"):
        assert (run(exported(model, (X,), 11), (OTHER,)) == model(OTHER).numpy()).all()
    if opset > 11:
        with pytest.raises(ModelError, match=f"needs opset {opset} or later, got {opset - 1}"):
            exported(model, (X,), opset - 1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.uint8])
def test_onnx_of_other_dtypes(dtype: torch.dtype) -> None:
    x, other = ((images * 200).to(dtype) for images in (X, OTHER))
    model = Upscale(scale=1.4)
    result = run(exported(model, (x,), 17), (other,))
    expected = model(other).numpy()
    assert result.dtype == expected.dtype
    tolerance = {torch.float64: 2e-3, torch.float16: 0.13, torch.uint8: 1}[dtype]
    assert np.abs(result.astype(np.float64) - expected.astype(np.float64)).max() <= tolerance


def test_onnx_of_a_model_in_training() -> None:
    parameters = torch.nn.Conv2d(2, 2, 3, padding=1)
    model = torch.nn.Sequential(parameters, Upscale(scale=1.4), parameters)
    proto = exported(model, (X,), 17)
    expected = model(OTHER).detach().numpy()
    np.testing.assert_allclose(run(proto, (OTHER,)), expected, rtol=0, atol=2e-5)

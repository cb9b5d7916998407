"""Models that call torch.nn.functional.interpolate: our operator, with torch's meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import sr_ops
from sr_ops.errors import InvalidArgumentError

EXPORTERS = ("dynamo", "torchscript")
FLAVOURS = ("DynamicUpscale", "Resize")
OPERATORS = {"Resize", "DynamicUpscale", "DynamicUpscaleToSizes"}


class Interpolate(torch.nn.Module):
    def __init__(self, **keywords: Any) -> None:
        super().__init__()
        self.keywords = keywords

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(x, mode="bicubic", **self.keywords)


class ToComputedSize(Interpolate):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = (x.shape[2] // 2, x.shape[3] * 2)
        return functional.interpolate(x, size=size, mode="bicubic", **self.keywords)


#: The model, whether it is antialiased in torch's sense, and the node that it becomes.
MODELS: dict[str, tuple[type[Interpolate], dict[str, Any], str]] = {
    "size": (Interpolate, {"size": (13, 21)}, "DynamicUpscaleToSizes"),
    "computed size": (ToComputedSize, {}, "DynamicUpscaleToSizes"),
    "factor": (Interpolate, {"scale_factor": 1.4}, "DynamicUpscale"),
    "factors": (Interpolate, {"scale_factor": (0.4, 2.5)}, "DynamicUpscale"),
    "recomputed": (
        Interpolate,
        {"scale_factor": (0.4, 2.5), "recompute_scale_factor": True},
        "DynamicUpscaleToSizes",
    ),
}
CORNERS: dict[str, tuple[type[Interpolate], dict[str, Any], str]] = {
    "size": (Interpolate, {"size": (13, 21), "align_corners": True}, "DynamicUpscaleToSizes"),
    "factor": (Interpolate, {"scale_factor": 1.7, "align_corners": True}, "DynamicUpscale"),
}
CASES = [
    *((f"{name}, antialias={flag}", cls, {**keywords, "antialias": flag}, node)
      for name, (cls, keywords, node) in MODELS.items() for flag in (False, True)),
    *((f"{name}, corners", *case) for name, case in CORNERS.items()),
]  # fmt: skip


def operators(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node if node.op_type in OPERATORS]


def assert_as_eager(exported: Any, model: torch.nn.Module, shapes: Any, atol: float) -> None:
    session = sr_ops.onnx.make_session(exported)
    for shape in shapes:
        x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        expected = model(x.double()).numpy()
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("op", FLAVOURS)
@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize(
    ("cls", "keywords", "node"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_interpolate(
    cls: type[Interpolate], keywords: dict[str, Any], node: str, exporter: str, op: str
) -> None:
    model = cls(**keywords)
    exported = sr_ops.onnx.export(
        model, (torch.rand(1, 3, 20, 30),), op=op, exporter=exporter, verify=False
    )
    assert operators(exported) == ["Resize" if op == "Resize" else node]
    assert_as_eager(exported, model, ((2, 3, 17, 41), (1, 3, 50, 24)), 1e-5)


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("compat", [False, True])
def test_antialias_with_align_corners_is_refused_by_name(exporter: str, compat: bool) -> None:
    keywords = {"size": (13, 21), "antialias": True, "align_corners": True}

    class Model(Interpolate):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return sr_ops.compat.interpolate(x, mode="bicubic", **keywords)

    model = Model() if compat else Interpolate(**keywords)
    with pytest.raises(InvalidArgumentError, match=r"^align_corners: got True with antialias"):
        sr_ops.onnx.export(model, (torch.rand(1, 3, 20, 30),), exporter=exporter)


def test_torchscript_registrations_end_with_the_export(tmp_path: Any) -> None:
    x = torch.rand(1, 3, 20, 30)
    sr_ops.onnx.export(Interpolate(size=(5, 6)), (x,), exporter="torchscript")
    with pytest.raises(torch.onnx.errors.UnsupportedOperatorError):
        model = Interpolate(size=(5, 6), antialias=True)
        torch.onnx.export(model, (x,), tmp_path / "model.onnx", dynamo=False, opset_version=18)


@pytest.mark.parametrize("decomposed", [False, True])
@pytest.mark.parametrize("antialias", [False, True])
def test_plain_torch_export_with_the_table(antialias: bool, decomposed: bool) -> None:
    model = Interpolate(scale_factor=1.4, antialias=antialias)
    axes = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    program = torch.export.export(model, (torch.rand(1, 3, 20, 30),), dynamic_shapes=(axes,))
    if decomposed:  # aten.upsample_bicubic2d.vec falls to pieces, the antialiased one stays whole
        program = program.run_decompositions({})
    exported = torch.onnx.export(
        program,
        dynamo=True,
        verbose=False,
        custom_translation_table=sr_ops.onnx.translation_table(),
    )
    assert operators(exported.model_proto) == ["DynamicUpscale"]


@pytest.mark.parametrize("op", FLAVOURS)
def test_exported_program(op: str) -> None:
    model = Interpolate(scale_factor=1.4)
    axes = {2: torch.export.Dim("rows"), 3: torch.export.Dim("columns")}
    program = torch.export.export(model, (torch.rand(1, 3, 20, 30),), dynamic_shapes=(axes,))
    exported = sr_ops.onnx.export(program, op=op, input_names=["picture"], verify=False)
    (value,) = exported.graph.input
    dims = value.type.tensor_type.shape.dim
    assert value.name == "picture"
    assert [dims[axis].dim_param for axis in (2, 3)] == ["height", "width"]
    assert [dims[axis].dim_value for axis in (0, 1)] == [1, 3]
    assert_as_eager(exported, model, ((1, 3, 17, 41), (1, 3, 50, 24)), 1e-5)


@pytest.mark.parametrize(
    ("keywords", "name"),
    [
        ({"args": (torch.rand(1, 3, 4, 5),)}, "args"),
        ({"kwargs": {"x": 1}}, "kwargs"),
        ({"dynamic_axes": {}}, "dynamic_axes"),
        ({"dynamic_shapes": {}}, "dynamic_shapes"),
        ({"exporter": "torchscript"}, "exporter"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_program_has_its_own_inputs(keywords: dict[str, Any], name: str) -> None:
    program = torch.export.export(Interpolate(size=(4, 5)), (torch.rand(1, 3, 20, 30),))
    with pytest.raises(InvalidArgumentError, match=f"^{name}: "):
        sr_ops.onnx.export(program, **keywords)


def test_a_model_without_bicubic_exports_as_torch_would() -> None:
    class Model(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.interpolate(x, scale_factor=2.0, mode="bilinear").relu()

    exported = sr_ops.onnx.export(Model(), (torch.rand(1, 3, 20, 30),))
    assert operators(exported) == ["Resize"] and not exported.functions
    assert_as_eager(exported, Model(), ((2, 3, 17, 41),), 1e-5)

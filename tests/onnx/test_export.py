"""Exported files: every exporter and flavour, at sizes and scales other than the traced ones."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
import torch
from runtime import run, run_profiled

import sr_ops
from sr_ops.errors import ExportError, FileError, InvalidArgumentError, InvalidTypeError
from sr_ops.models import SRCNN

# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("export")

EXPORTERS = ["dynamo", "torchscript"]
FLAVOURS = ["DynamicUpscale", "Resize"]
#: (batch, height, width) and scale: none of them is what the model is traced with.
CASES = [((1, 17, 23), 2.7), ((3, 9, 8), 1.2), ((2, 30, 7), 4.0), ((1, 12, 12), 0.6)]


class Upscale(torch.nn.Module):
    """Nothing but the operator."""

    def __init__(self, **attributes):
        super().__init__()
        self.attributes = attributes

    def forward(self, x, scale):
        return sr_ops.dynamic_upscale(x, scale, **self.attributes)


def export(model, args, path=None, **keywords):
    return sr_ops.onnx.export(model, args, path, **keywords)


def graph_input(model, name):
    return next(value for value in model.graph.input if value.name == name)


def dims(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


@pytest.fixture(scope="module")
def srcnn():
    torch.manual_seed(3)
    return SRCNN(features=(16, 8)).eval()


@pytest.fixture(scope="module", params=EXPORTERS)
def exporter(request):
    return request.param


@pytest.fixture(scope="module", params=FLAVOURS)
def op(request):
    return request.param


@pytest.fixture(scope="module")
def exported(srcnn, exporter, op):
    return export(srcnn, (torch.rand(1, 3, 10, 14), 3.0), op=op, exporter=exporter)


@pytest.mark.parametrize("library", [False, True], ids=["function", "library"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_file_serves_every_size_and_scale(srcnn, exported, library, case, rng):
    (n, h, w), scale = case
    x = rng.random((n, 3, h, w), dtype=np.float32)
    factor = np.float32(scale)
    (y,), executed = run_profiled(exported, {"x": x, "scale": np.array(factor)}, library=library)
    with torch.no_grad():
        want = srcnn(torch.from_numpy(x), scale).numpy()
    np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)
    resizes = any(node.op_type == "Resize" for node in exported.graph.node)
    expected = "Resize" if resizes else "MatMul"
    expected = "DynamicUpscale" if library and exported.functions else expected
    assert executed & {"DynamicUpscale", "Resize", "MatMul"} == {expected}


def test_model_says_what_is_dynamic(exported, exporter, op):
    onnx.checker.check_model(exported, full_check=True)
    assert dims(graph_input(exported, "x")) == ["batch", 3, "height", "width"]
    assert dims(graph_input(exported, "scale")) == []
    assert [value.name for value in exported.graph.output] == ["output"]
    # torch.export knows that these convolutions keep the size, onnx's shape inference doesn't.
    stem = "upscaled" if exporter == "dynamo" else "output"
    assert dims(exported.graph.output[0]) == ["batch", 3, f"{stem}_height", f"{stem}_width"]
    inner = {value.name: dims(value) for value in exported.graph.value_info}
    upscale = next(n for n in exported.graph.node if n.op_type in ("DynamicUpscale", "Resize"))
    assert inner[upscale.output[0]] == ["batch", 3, "upscaled_height", "upscaled_width"]
    assert exported.ir_version == 8
    assert [f.name for f in exported.functions] == (["DynamicUpscale"] if op != "Resize" else [])


@pytest.mark.parametrize(
    "scale",
    [(2.0, 3.0), torch.tensor([1, 1, 3, 2])],
    ids=str,
)
def test_forms_of_the_scale_input(exporter, op, scale, rng):
    model = export(Upscale(), (torch.rand(1, 2, 5, 6), scale), op=op, exporter=exporter)
    x = rng.random((2, 2, 7, 8), dtype=np.float32)
    other = torch.as_tensor(scale).clone()
    other[... if other.dim() == 0 else slice(-2, None)] += 1
    y = run(model, {"x": x, "scale": other.numpy()})[0]
    want = sr_ops.dynamic_upscale(torch.from_numpy(x), other).numpy()
    assert y.shape == want.shape
    np.testing.assert_allclose(y, want, atol=2e-5)


@pytest.mark.parametrize("size", [(30, 21), None], ids=["constant", "from the image"])
def test_sizes(exporter, op, size, rng):
    class Resized(torch.nn.Module):
        def forward(self, x):
            target = size or (x.shape[2] * 2 + 1, x.shape[3] * 3)
            return sr_ops.dynamic_upscale(x, size=target)

    model = export(Resized(), (torch.rand(1, 3, 10, 7),), op=op, exporter=exporter)
    x = rng.random((2, 3, 12, 9), dtype=np.float32)
    for library in (False, True):
        (y,), executed = run_profiled(model, {"x": x}, library=library)
        np.testing.assert_allclose(y, Resized()(torch.from_numpy(x)).numpy(), atol=2e-5)
        standard = "Resize" if op == "Resize" else "MatMul"
        ours = library and op == "DynamicUpscale"
        assert ("DynamicUpscaleToSizes" if ours else standard) in executed


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float16, torch.uint8], ids=lambda dtype: str(dtype)[6:]
)
def test_dtypes(exporter, op, dtype, rng):
    model = export(
        Upscale(), ((torch.rand(1, 2, 6, 6) * 99).to(dtype), 2.0), op=op, exporter=exporter
    )
    x = (torch.from_numpy(rng.random((1, 2, 9, 7))) * 200).to(dtype)
    want = sr_ops.dynamic_upscale(x, 2.7).numpy().astype(np.float64)
    for library in (False, True):
        feeds = {"x": x.numpy(), "scale": np.float32(2.7)}
        (y,), executed = run_profiled(model, feeds, library=library)
        assert y.dtype == x.numpy().dtype
        step = {torch.float16: 0.13, torch.uint8: 1, torch.float64: 1e-3}[dtype]
        assert np.abs(y - want).max() <= step
        assert ("Cast" in executed) == (not (library and op == "DynamicUpscale"))


def test_attributes(exporter, op, rng):
    module = Upscale(
        coordinate_transformation_mode="align_corners", cubic_coeff_a=-0.5, exclude_outside=True
    )
    model = export(module, (torch.rand(1, 2, 6, 6), 2.0), op=op, exporter=exporter)
    x = rng.random((1, 2, 9, 7), dtype=np.float32)
    want = module(torch.from_numpy(x), 1.6).numpy()
    for library in (False, True):
        y = run(model, {"x": x, "scale": np.float32(1.6)}, library=library)[0]
        np.testing.assert_allclose(y, want, atol=2e-5)


def test_antialias(exporter, op, rng):
    module = Upscale(antialias=True, cubic_coeff_a=-0.5, exclude_outside=True)
    model = export(module, (torch.rand(1, 2, 6, 6), 2.0), op=op, exporter=exporter)
    x = rng.random((1, 2, 19, 17), dtype=np.float32)
    want = module(torch.from_numpy(x), 0.4).numpy()
    for library in (False, True):
        y = run(model, {"x": x, "scale": np.float32(0.4)}, library=library)[0]
        np.testing.assert_allclose(y, want, atol=2e-5)


@pytest.mark.parametrize("opset", range(11, 21))
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_torchscript_opsets(srcnn, flavour, opset, rng):
    model = export(
        srcnn,
        (torch.rand(1, 3, 10, 14), 3.0),
        op=flavour,
        exporter="torchscript",
        opset_version=opset,
    )
    assert [i.version for i in model.opset_import if i.domain == ""] == [opset]
    x = rng.random((2, 3, 8, 9), dtype=np.float32)
    y = run(model, {"x": x, "scale": np.float32(2.7)})[0]
    with torch.no_grad():
        want = srcnn(torch.from_numpy(x), 2.7).numpy()
    np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("opset", [20, 22, 24])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_dynamo_opsets(flavour, opset, rng):
    model = export(Upscale(), (torch.rand(1, 3, 10, 14), 3.0), op=flavour, opset_version=opset)
    assert [i.version for i in model.opset_import if i.domain == ""] == [opset]
    x = rng.random((2, 3, 8, 9), dtype=np.float32)
    y = run(model, {"x": x, "scale": np.float32(2.7)})[0]
    want = sr_ops.dynamic_upscale(torch.from_numpy(x), 2.7).numpy()
    np.testing.assert_allclose(y, want, atol=2e-5)


def test_resize_has_half_pixel_symmetric_from_opset_19_on(exporter, op, rng):
    module = Upscale(coordinate_transformation_mode="half_pixel_symmetric")
    args = (torch.rand(1, 2, 6, 6), 2.0)
    if op == "Resize":
        with pytest.raises(ExportError, match="needs opset 19 or later, got 18"):
            export(module, args, op=op, exporter=exporter)
    opset = 19 if op == "Resize" else 18
    model = export(module, args, op=op, exporter=exporter, opset_version=opset)
    x = rng.random((1, 2, 9, 7), dtype=np.float32)
    want = module(torch.from_numpy(x), 1.6).numpy()
    for library in (False, True):
        y = run(model, {"x": x, "scale": np.float32(1.6)}, library=library)[0]
        np.testing.assert_allclose(y, want, atol=2e-5)


def test_onnx_runtime_copies_where_the_size_stays(op, rng):
    """A known deviation of ONNX Runtime's Resize, not of the function: 9 x 1.1 is still 9."""
    model = export(Upscale(), (torch.rand(1, 2, 6, 6), 2.0), op=op, exporter="torchscript")
    x = rng.random((1, 2, 9, 9), dtype=np.float32)
    want = sr_ops.dynamic_upscale(torch.from_numpy(x), 1.1).numpy()
    assert np.abs(want - x).max() > 0.01
    for library in (False, True):
        y = run(model, {"x": x, "scale": np.float32(1.1)}, library=library)[0]
        np.testing.assert_allclose(y, x if op == "Resize" else want, atol=1e-6)


def test_resize_has_antialias_from_opset_18_on():
    with pytest.raises(ExportError, match="antialias=1 needs opset 18 or later, got 17"):
        export(
            Upscale(antialias=True),
            (torch.rand(1, 2, 6, 6), 2.0),
            op="Resize",
            exporter="torchscript",
            opset_version=17,
        )


def test_dynamo_below_18_is_refused_not_silently_18(srcnn):
    with pytest.raises(ExportError, match="asked for 13, got a model of opset 18"):
        export(srcnn, (torch.rand(1, 3, 10, 14), 3.0), opset_version=13)


class TestPlainTorchExport:
    """torch.onnx.export itself, without sr_ops.onnx.export."""

    def test_default_exporter(self, srcnn, op, rng):
        program = torch.onnx.export(
            srcnn,
            (torch.rand(1, 3, 10, 14), torch.tensor(3.0)),
            dynamic_shapes={"x": {0: "batch", 2: "height", 3: "width"}, "scale": None},
            custom_translation_table=sr_ops.onnx.translation_table(op),
            verbose=False,
        )
        model = program.model_proto
        if op == "DynamicUpscale":
            sr_ops.onnx.add_functions(model)
        self.check(srcnn, model, op, rng)

    def test_torchscript(self, srcnn, op, rng, tmp_path):
        path = tmp_path / "model.onnx"
        with warnings.catch_warnings(), sr_ops.onnx.emit(op):
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                srcnn,
                (torch.rand(1, 3, 10, 14), torch.tensor(3.0)),
                str(path),
                input_names=["x", "scale"],
                dynamic_axes={"x": {0: "batch", 2: "height", 3: "width"}},
                dynamo=False,
            )
        model = onnx.load(path)
        if op == "DynamicUpscale":
            sr_ops.onnx.add_functions(model)
        self.check(srcnn, model, op, rng)

    def check(self, srcnn, model, op, rng):
        onnx.checker.check_model(model, full_check=True)
        x = rng.random((2, 3, 8, 9), dtype=np.float32)
        with torch.no_grad():
            want = srcnn(torch.from_numpy(x), 2.7).numpy()
        for library in (False, True):
            feeds = {"x": x, "scale": np.float32(2.7)}
            (y,), executed = run_profiled(model, feeds, library=library)
            np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)
            standard = "Resize" if op == "Resize" else "MatMul"
            assert (op if library else standard) in executed


def test_files_are_written_and_nothing_else(srcnn, tmp_path):
    path = tmp_path / "model.onnx"
    export(srcnn, (torch.rand(1, 3, 10, 14), 3.0), path, exporter="torchscript")
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    onnx.checker.check_model(str(path), full_check=True)


def test_training_mode_is_restored(exporter):
    module = SRCNN(features=(4, 4)).train()
    module.conv2.eval()
    export(module, (torch.rand(1, 3, 10, 14), 3.0), exporter=exporter)
    assert module.training
    assert module.conv1.training
    assert not module.conv2.training


def test_names_and_axes_as_told(exporter, rng):
    model = export(
        Upscale(),
        (torch.rand(2, 3, 6, 7), 2.0),
        exporter=exporter,
        input_names=["image", "factor"],
        output_names=["enlarged"],
        dynamic_axes={"image": {2: "rows"}},
    )
    assert dims(graph_input(model, "image")) == [2, 3, "rows", 7]
    x = rng.random((2, 3, 9, 7), dtype=np.float32)
    y = run(model, {"image": x, "factor": np.float32(1.5)})[0]
    assert y.shape == (2, 3, 13, 10)
    assert model.graph.output[0].name == "enlarged"


def test_examples_of_any_strides(exporter, rng):
    """A picture that was turned from (H, W, C) to (C, H, W) has the strides of channels_last."""
    network = SRCNN(1, features=(4, 4))
    example = torch.rand(8, 9, 3).permute(2, 0, 1)[None, :1]
    model = export(network, (example, torch.tensor([2.0])), exporter=exporter)
    x = rng.random((1, 1, 6, 7), dtype=np.float32)
    (y,) = run(model, {"x": x, "scale": np.float32([1.5])})
    assert y.shape == (1, 1, 9, 10)


def test_keyword_inputs(exporter, rng):
    model = export(Upscale(), (torch.rand(1, 3, 6, 7),), kwargs={"scale": 2.0}, exporter=exporter)
    x = rng.random((2, 3, 9, 7), dtype=np.float32)
    assert run(model, {"x": x, "scale": np.float32(3)})[0].shape == (2, 3, 27, 21)


class KeywordOnly(torch.nn.Module):
    def forward(self, x, *, scale):
        return sr_ops.dynamic_upscale(x, scale)


def test_keyword_only_inputs(rng):
    model = export(KeywordOnly(), (torch.rand(1, 3, 6, 7),), kwargs={"scale": 2.0})
    x = rng.random((2, 3, 9, 7), dtype=np.float32)
    assert run(model, {"x": x, "scale": np.float32(3)})[0].shape == (2, 3, 27, 21)
    with pytest.raises(InvalidArgumentError, match=r"kwargs: .* keyword-only .*'scale'"):
        export(
            KeywordOnly(),
            (torch.rand(1, 3, 6, 7),),
            kwargs={"scale": 2.0},
            exporter="torchscript",
        )


def test_two_upscales_have_names_of_their_own(exporter):
    class Twice(torch.nn.Module):
        def forward(self, x, scale):
            return sr_ops.dynamic_upscale(sr_ops.dynamic_upscale(x, scale), scale)

    model = export(Twice(), (torch.rand(1, 3, 6, 7), 2.0), exporter=exporter)
    assert dims(model.graph.output[0]) == ["batch", 3, "upscaled_height_2", "upscaled_width_2"]


def test_computed_sizes_have_readable_names():
    class Computed(torch.nn.Module):
        def forward(self, x, scale):
            size = (int(x.shape[2] * scale), int(x.shape[3] * scale))
            return sr_ops.dynamic_upscale(x, size=size)

    model = export(Computed(), (torch.rand(1, 3, 6, 7), 2.0))
    assert dims(model.graph.output[0]) == ["batch", 3, "upscaled_height", "upscaled_width"]


class TestErrors:
    def test_item(self, exporter):
        class Item(torch.nn.Module):
            def forward(self, x, scale):
                return sr_ops.dynamic_upscale(x, scale.item())

        with pytest.raises(ExportError, match=r"\.item\(\)"):
            export(Item(), (torch.rand(1, 3, 6, 7), 2.0), exporter=exporter)

    def test_frozen_scale(self, exporter):
        class Frozen(torch.nn.Module):
            def forward(self, x, scale):
                return sr_ops.dynamic_upscale(x, 2.0 if scale is None else 3.0)

        with pytest.raises(ExportError, match="'scale' has no effect"):
            export(Frozen(), (torch.rand(1, 3, 6, 7), 2.0), exporter=exporter)

    @pytest.mark.parametrize(
        ("keywords", "error", "text"),
        [
            ({"op": "Upsample"}, InvalidArgumentError, "op: got 'Upsample'"),
            ({"exporter": "fx"}, InvalidArgumentError, "exporter: got 'fx'"),
            ({"opset_version": "18"}, InvalidTypeError, "opset_version: got '18'"),
            ({"input_names": ["x"]}, InvalidArgumentError, "got 1 names for 2 input tensors"),
            ({"dynamic_axes": {"x": 2}}, InvalidTypeError, "dynamic_axes: 'x': got 2"),
            (
                {"exporter": "torchscript", "dynamic_shapes": {}},
                InvalidArgumentError,
                "dynamic_shapes: the torchscript exporter",
            ),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_arguments(self, keywords, error, text):
        with pytest.raises(error, match=text):
            export(Upscale(), (torch.rand(1, 3, 6, 7), 2.0), **keywords)

    def test_not_a_module(self):
        with pytest.raises(InvalidTypeError, match="model: got function"):
            export(lambda x: x, (torch.rand(1, 3, 6, 7),))

    def test_arguments_that_do_not_fit_forward(self):
        with pytest.raises(InvalidArgumentError, match="do not fit forward"):
            export(Upscale(), (torch.rand(1, 3, 6, 7),))

    @pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), (1.0, 2.0, 3.0)])
    def test_scale(self, exporter, scale):
        with pytest.raises(InvalidArgumentError, match="scale"):
            export(Upscale(), (torch.rand(1, 3, 6, 7), scale), exporter=exporter)

    def test_errors_of_the_operator_come_through(self, exporter):
        module = Upscale(coordinate_transformation_mode="corners")
        with pytest.raises(InvalidArgumentError, match="coordinate_transformation_mode"):
            export(module, (torch.rand(1, 3, 6, 7), 2.0), exporter=exporter)

    def test_a_model_that_torch_cannot_export(self, exporter):
        class Broken(torch.nn.Module):
            def forward(self, x, scale):
                raise RuntimeError("nothing works here")

        with pytest.raises(ExportError, match="nothing works here"):
            export(Broken(), (torch.rand(1, 3, 6, 7), 2.0), exporter=exporter)

    def test_unwritable(self, tmp_path):
        with pytest.raises(FileError, match="does not exist"):
            export(Upscale(), (torch.rand(1, 3, 6, 7), 2.0), tmp_path / "none" / "model.onnx")
        with pytest.raises(FileError, match="is a folder"):
            export(Upscale(), (torch.rand(1, 3, 6, 7), 2.0), tmp_path)
        assert not list(tmp_path.iterdir())

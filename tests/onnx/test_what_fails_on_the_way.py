"""Exports and model tools where something on the way fails: what is said, and what is left."""

import os
from typing import ClassVar

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import sr_ops
from sr_ops import _diagnosis
from sr_ops.errors import (
    ExportError,
    FileError,
    InvalidArgumentError,
    LibraryLoadError,
    ModelError,
)
from sr_ops.models import export_attempts
from sr_ops.onnx.exporting.frozen import frozen_node
from sr_ops.onnx.graphs import model_files
from sr_ops.onnx.graphs.scopes import scopes
from sr_ops.onnx.rewriting.cubic_resize import Refusal, read
from sr_ops.onnx.running import provider

onnxruntime = pytest.importorskip("onnxruntime")


def parsed(body, inputs="float[N,C,H,W] x", values="", opset=18):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}]> '
        f"graph ({inputs}) => (float[A,B,D,E] y) {values} {{ {body} }}"
    )


class TestFrozenNodes:
    """Which node an export froze to the size of its example."""

    EXAMPLE: ClassVar = {"x": np.zeros((1, 1, 4, 6), np.float32)}
    OTHER: ClassVar = {"x": np.zeros((1, 1, 8, 6), np.float32)}

    def test_one_that_gives_the_old_shape(self):
        model = parsed("s = Constant<value_ints = [4, 6]>() "
                       "z = Constant<value_ints = [0, 0]>() a = Constant<value_ints = [2, 3]>() "
                       "y = Slice(x, z, s, a)")  # fmt: skip
        model.graph.node[-1].name = "cut"
        assert frozen_node(model, self.EXAMPLE, self.OTHER) == "Slice 'cut'"

    def test_one_that_does_not_run_and_where_it_was_written(self):
        model = parsed("s = Constant<value_ints = [1, 1, 4, 6]>() y = Reshape(x, s)")
        node = model.graph.node[-1]
        node.name = "flat"
        assert frozen_node(model, self.EXAMPLE, self.OTHER) == "Reshape 'flat'"
        trace = 'File "torch/nn.py", line 3, in call\n  File "mine.py", line 21, in forward'
        node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=trace)
        found = frozen_node(model, self.EXAMPLE, self.OTHER)
        assert found == "Reshape 'flat' (written in mine.py, line 21)"

    def test_none(self):
        assert frozen_node(parsed("y = Relu(x)"), self.EXAMPLE, self.OTHER) is None


class TestAttempts:
    """Exports of a foreign network by one exporter after another."""

    class Network:
        architecture = "Some"

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(export_attempts, "example_sides", lambda network: (4, 6))

    def model(self, body):
        inputs = "float[N,1,H,W] x, float[2] scale"
        return parsed(body + " n = Neg(scale)", inputs)

    def test_the_first_that_works(self):
        wanted = self.model("y = Relu(x)")
        assert export_attempts.first_that_works(self.Network(), lambda *_: wanted, None) is wanted

    def test_one_whose_batch_mixes_its_pictures(self):
        mixed = self.model("m = ReduceMean<keepdims = 1>(x) y = Add(x, m)")
        with pytest.raises(ExportError, match="the batch is dynamic in name only"):
            export_attempts.first_that_works(
                self.Network(), lambda name, any_batch: _only(any_batch, mixed), None
            )

    def test_one_whose_file_takes_no_batch(self):
        body = "s = Constant<value_ints = [1, 1, 4, 6]>() y = Reshape(x, s)"
        with pytest.raises(ExportError, match="Some cannot be exported with open sizes"):
            export_attempts.first_that_works(
                self.Network(), lambda name, any_batch: _only(any_batch, self.model(body)), None
            )

    def test_one_whose_file_does_not_run(self):
        body = "s = Constant<value_ints = [1, 1, 5, 7]>() y = Reshape(x, s)"
        with pytest.raises(ExportError, match="the file does not run"):
            export_attempts.first_that_works(
                self.Network(), lambda *_: self.model(body), "torchscript"
            )


def _only(any_batch, model):
    if not any_batch:
        raise ExportError("not with a batch of one either")
    return model


@pytest.mark.parametrize(
    ("attributes", "dtype", "reason"),
    [
        ({}, TensorProto.FLOAT, None),
        ({}, None, None),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, 1, "tf_crop_and_resize"),
        ({"keep_aspect_ratio_policy": "not_larger"}, 1, "not_larger changes the sizes"),
        ({"cubic_coeff_a": float("nan")}, 1, "cubic_coeff_a is not finite"),
        ({"antialias": 2}, 1, "antialias is 2, neither 0 nor 1"),
        ({"exclude_outside": -1}, 1, "exclude_outside is -1"),
        ({}, TensorProto.INT32, "X is INT32"),
    ],
)
def test_what_the_provider_leaves(attributes, dtype, reason):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="cubic", **attributes)
    said = provider.refusal(node, dtype)
    assert said is None if reason is None else reason in said


def test_providers_that_an_older_runtime_cannot_combine():
    with pytest.raises(InvalidArgumentError, match=r"beside CPUExecutionProvider only, got \['X'"):
        provider.use_device(onnxruntime.SessionOptions(), ["X", "CPUExecutionProvider"])


def test_a_runtime_that_refuses_the_provider(monkeypatch):
    def refuses(*_):
        raise RuntimeError("undefined symbol: f")

    monkeypatch.setattr(provider, "devices", lambda: [])
    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", refuses)
    with pytest.raises(LibraryLoadError, match=r"undefined symbol: f .*into onnxruntime"):
        sr_ops.onnx.register_provider()
    monkeypatch.setattr(provider, "runtime_version", lambda: (1, 23))
    with pytest.raises(LibraryLoadError, match=r"needs onnxruntime 1\.24 or newer"):
        sr_ops.onnx.register_provider()


@pytest.mark.parametrize(
    ("body", "inputs", "reason"),
    [
        ('y = Resize<mode = "cubic", axes = [2, 3]>(a, , s)', "float x, float[2] s",
         "the number of axes of X is not known"),
        ('y = Resize<mode = "cubic">(a, , s)', "float x, float[K] s",
         "the number of axes of X is not known"),
        ('y = Resize<mode = "cubic", axes = [-3, -1]>(a, , s)', "float[N,C,H,W] x, float[2] s",
         "axes names others than the last two"),
        ('y = Resize<mode = "cubic">(a, , )', "float[N,C,H,W] x", "neither scales nor sizes"),
    ],
)  # fmt: skip
def test_resizes_of_which_too_little_is_known(body, inputs, reason):
    unknown = "c = Shape(x) a = Reshape(x, c) " if inputs.startswith("float x") else ""
    body = unknown + (body if unknown else body.replace("(a,", "(x,"))
    model = parsed(body, inputs)
    for value in model.graph.input:
        if value.name == "x" and unknown:
            value.type.tensor_type.ClearField("shape")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    (scope,) = scopes(model)
    with pytest.raises(Refusal, match=reason):
        read(model.graph.node[-1], scope)


def test_files_that_cannot_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, reason in (
        ("folder", "is a folder"),
        ("none/model.onnx", "does not exist"),
    ):
        with pytest.raises(FileError, match=reason):
            model_files.check_writable(tmp_path / name)
    if os.getuid() != 0:  # whom no folder refuses
        (tmp_path / "folder").chmod(0o500)
        with pytest.raises(FileError, match="not writable"):
            model_files.check_writable(tmp_path / "folder" / "model.onnx")


def test_a_file_without_a_graph(tmp_path):
    (tmp_path / "empty.onnx").write_bytes(onnx.ModelProto(ir_version=8).SerializeToString())
    with pytest.raises(ModelError, match="it has no graph or no opset"):
        model_files.load_model(tmp_path / "empty.onnx")


class TestTriton:
    def refused(self, tmp_path, model, match, **options):
        with pytest.raises(ModelError, match=match):
            sr_ops.onnx.to_triton(model, tmp_path, "name", **options)
        assert list(tmp_path.iterdir()) == []

    def test_a_type_that_it_does_not_have(self, tmp_path):
        model = parsed("y = Cast<to = 1>(x)", "complex64[N,C,H,W] x")
        self.refused(tmp_path, model, "'x' is of a type that Triton does not have")

    def test_a_value_without_a_shape(self, tmp_path):
        model = parsed("y = Relu(x)")
        model.graph.output[0].type.tensor_type.ClearField("shape")
        self.refused(tmp_path, model, "'y' has no shape")

    def test_a_former_model_comes_back(self, tmp_path, monkeypatch):
        target = tmp_path / "name"
        target.mkdir()
        (target / "former").write_text("x")
        rename, calls = os.rename, []

        def once(source, to):
            calls.append(to)
            if len(calls) == 2:
                raise OSError(5, "Input/output error")
            rename(source, to)

        monkeypatch.setattr(os, "rename", once)
        with pytest.raises(FileError, match="Input/output error"):
            sr_ops.onnx.to_triton(parsed("y = Relu(x)"), tmp_path, "name", overwrite=True)
        assert (target / "former").read_text() == "x"
        assert os.listdir(tmp_path) == ["name"]


def test_libraries_that_are_none(tmp_path):
    short = tmp_path / "short.so"
    short.write_bytes(b"\x7fELF\x02\x01" + bytes(10))
    assert "not an ELF library" in _diagnosis.why_not_loaded(str(short), "invalid header")
    assert "there is no such file" in _diagnosis.why_not_loaded(str(tmp_path / "none"), "none")

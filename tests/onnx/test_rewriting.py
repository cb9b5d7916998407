"""What accelerate and standardize share: verification, files, bad input."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from resize_forms import Form, build, feeds_of, text_model

import sr_ops
from sr_ops.errors import FileError, InvalidArgumentError, InvalidTypeError, ModelError


class TestVerify:
    def test_passes(self):
        sr_ops.onnx.accelerate(build(Form("plain", scales="input")), verify=True)

    def test_given_inputs(self, rng):
        form = Form("plain", scales="input")
        sr_ops.onnx.accelerate(build(form), verify=feeds_of(form, rng))

    def test_unknown_inputs(self):
        with pytest.raises(InvalidArgumentError, match=r"unknown \['z'\], missing \['x'\]"):
            sr_ops.onnx.accelerate(build(Form("plain")), verify={"z": np.zeros(1)})

    def test_a_difference_is_found(self, rng):
        # Where no axis changes its size, ONNX Runtime copies instead of resampling.
        form = Form("plain", scales="input")
        x = rng.random((1, 3, 9, 9), dtype=np.float32)
        feeds = {"x": x, "extent": np.array([1, 1, 1.1, 1.1], np.float32)}
        with pytest.raises(ModelError, match=r"verify: output 'y' differs by up to 0\.\d+"):
            sr_ops.onnx.accelerate(build(form), verify=feeds)

    def test_an_original_that_does_not_run(self):
        form = Form("uint8", dtype=TensorProto.UINT8)
        with pytest.raises(ModelError, match="verify: the original does not run"):
            sr_ops.onnx.accelerate(build(form), verify=True)


class TestFiles:
    def test_path_and_external_data(self, tmp_path, rng):
        weight = rng.random((3, 3, 3, 3)).astype(np.float32)
        model = text_model(
            'a = Resize<mode="cubic">(x, , s) y = Conv<pads=[1,1,1,1]>(a, w)',
        )
        model.graph.initializer.append(numpy_helper.from_array(weight, "w"))
        path = tmp_path / "model.onnx"
        onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
        result = sr_ops.onnx.accelerate(path, verify=True)
        kept = {tensor.name: tensor for tensor in result.graph.initializer}["w"]
        np.testing.assert_array_equal(numpy_helper.to_array(kept), weight)

    @pytest.mark.parametrize("tool", ["accelerate", "standardize"])
    def test_bad_input(self, tool, tmp_path):
        function = getattr(sr_ops.onnx, tool)
        with pytest.raises(FileError, match="cannot read"):
            function(tmp_path / "missing.onnx")
        (tmp_path / "text.onnx").write_text("this is not a model")
        with pytest.raises(ModelError, match="not an ONNX model"):
            function(tmp_path / "text.onnx")
        (tmp_path / "empty.onnx").write_bytes(b"")
        with pytest.raises(ModelError, match="not an ONNX model"):
            function(tmp_path / "empty.onnx")
        whole = build(Form("plain")).SerializeToString()
        (tmp_path / "half.onnx").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ModelError):
            function(tmp_path / "half.onnx")
        with pytest.raises(InvalidTypeError, match="model: got int"):
            function(3)

    def test_nothing_to_do(self):
        linear = text_model('y = Resize<mode="linear">(x, , s)')
        with pytest.raises(ModelError, match="no Resize with mode 'cubic', only 1 of mode 'lin"):
            sr_ops.onnx.accelerate(linear)
        with pytest.raises(ModelError, match="no node of the domain 'sr_ops'"):
            sr_ops.onnx.standardize(linear)

    def test_twice_is_once(self):
        once = sr_ops.onnx.accelerate(build(Form("plain")))
        twice, report = sr_ops.onnx.accelerate(once, return_report=True)
        assert not report.converted
        assert twice.SerializeToString(deterministic=True) == once.SerializeToString(
            deterministic=True
        )

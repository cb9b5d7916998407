"""One function for all nodes of an operator, whatever types they have."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from resize_forms import RANGES, TOLERANCES
from runtime import run_profiled

import sr_ops
from sr_ops import reference
from sr_ops.errors import ModelError


class TestMixedTypes:
    """One function serves all nodes of an operator, so some get casts around them."""

    def model(self, dtypes, opset):
        nodes, outputs = [], []
        for i, dtype in enumerate(dtypes):
            nodes += [
                helper.make_node("Cast", ["x"], [f"in{i}"], to=dtype),
                helper.make_node("DynamicUpscale", [f"in{i}", "s"], [f"up{i}"], domain="sr_ops"),
                helper.make_node("Cast", [f"up{i}"], [f"y{i}"], to=TensorProto.FLOAT),
            ]
            outputs.append(helper.make_tensor_value_info(f"y{i}", TensorProto.FLOAT, [None] * 4))
        inputs = [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4),
            helper.make_tensor_value_info("s", TensorProto.FLOAT, [4]),
        ]
        graph = helper.make_graph(nodes, "graph", inputs, outputs)
        imports = [helper.make_opsetid("", opset), helper.make_opsetid("sr_ops", 1)]
        return helper.make_model(graph, opset_imports=imports, ir_version=8)

    @pytest.mark.parametrize("opset", [13, 18])
    @pytest.mark.parametrize(
        "dtypes",
        [
            (TensorProto.FLOAT, TensorProto.UINT8),
            (TensorProto.FLOAT16, TensorProto.UINT8, TensorProto.INT8),
            (TensorProto.UINT8, TensorProto.INT8),
            (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16),
            (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.UINT8),
        ],
        ids=lambda dtypes: "-".join(TensorProto.DataType.Name(d) for d in dtypes),
    )
    def test_runs_with_and_without_the_library(self, dtypes, opset, rng):
        model = sr_ops.onnx.add_functions(self.model(dtypes, opset))
        onnx.checker.check_model(model, full_check=True)
        x = np.round(rng.uniform(0, 100, (1, 2, 7, 8))).astype(np.float32)
        feeds = {"x": x, "s": np.array([1, 1, 2.7, 1.4], np.float32)}
        for library in (False, True):
            outputs, executed = run_profiled(model, feeds, library=library)
            assert ("DynamicUpscale" in executed) == library
            for dtype, y in zip(dtypes, outputs, strict=True):
                want = reference.dynamic_upscale(x, (2.7, 1.4))
                clipped = np.clip(want, *RANGES.get(dtype, (-np.inf, np.inf)))
                assert np.abs(y - clipped).max() <= TOLERANCES.get(dtype, 1e-3)

    def test_adding_functions_twice_changes_nothing(self):
        model = sr_ops.onnx.add_functions(self.model((TensorProto.FLOAT, TensorProto.UINT8), 18))
        once = model.SerializeToString(deterministic=True)
        again = sr_ops.onnx.add_functions(model)
        assert again.SerializeToString(deterministic=True) == once

    def test_an_unknown_type_is_named(self):
        model = self.model((TensorProto.INT32,), 18)
        with pytest.raises(ModelError, match="resamples INT32"):
            sr_ops.onnx.add_functions(model)

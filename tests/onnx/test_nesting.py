"""accelerate and standardize inside If, Loop and model-local functions."""

from __future__ import annotations

import numpy as np
import onnx
from runtime import run, run_profiled

import sr_ops


class TestNesting:
    """If, Loop and model-local functions."""

    def test_if(self, rng):
        original = onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["": 18]>
            graph (float[n,3,h,w] x, bool big, float[4] s) => (float[n,3,a,b] y) {
                y = If (big) <
                    then_branch = one () => (float[n,3,a,b] p) {
                        p = Resize<mode="cubic"> (x, , s)
                    },
                    else_branch = two () => (float[n,3,c,d] q) {
                        half = Constant<value = float[4] {1, 1, 0.5, 0.5}> ()
                        q = Resize<mode="cubic", antialias=1> (x, , half)
                    }
                >
            }"""
        )
        model, report = sr_ops.onnx.accelerate(original, return_report=True)
        assert [c.graph for c in report.converted] == [
            "graph/If:then_branch",
            "graph/If:else_branch",
        ]
        self.check(original, model, rng)

    def check(self, original, model, rng):
        onnx.checker.check_model(model, full_check=True)
        x = rng.random((1, 3, 9, 11), dtype=np.float32)
        for big in (True, False):
            feeds = {"x": x, "big": np.array(big), "s": np.array([1, 1, 2.7, 1.4], np.float32)}
            feeds = {name: feeds[name] for name in (v.name for v in original.graph.input)}
            want = run(original, feeds)[0]
            (y,), executed = run_profiled(model, feeds, library=True)
            assert "DynamicUpscale" in executed
            assert "Resize" not in executed
            np.testing.assert_allclose(y, want, atol=1e-5)
            np.testing.assert_allclose(run(model, feeds)[0], want, atol=1e-5)
            back = sr_ops.onnx.standardize(model)
            np.testing.assert_allclose(run(back, feeds)[0], want, atol=1e-5)

    def test_loop(self, rng):
        original = onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["": 18]>
            graph (float[n,3,h,w] x, bool big, float[4] s) => (float[n,3,a,b] y) {
                two = Constant<value = int64 {2}> ()
                y = Loop (two, big, x) <
                    body = step (int64 i, bool c, float[n,3,p,q] v) => (bool d, float[n,3,r,t] u) {
                        d = Identity (c)
                        u = Resize<mode="cubic"> (v, , s)
                    }
                >
            }"""
        )
        model = sr_ops.onnx.accelerate(original)
        onnx.checker.check_model(model, full_check=True)
        x = rng.random((1, 3, 5, 6), dtype=np.float32)
        feeds = {"x": x, "big": np.array(True), "s": np.array([1, 1, 2, 1.5], np.float32)}
        want = run(original, feeds)[0]
        (y,), executed = run_profiled(model, feeds, library=True)
        assert "DynamicUpscale" in executed
        assert y.shape == (1, 3, 20, 13)
        np.testing.assert_allclose(y, want, atol=1e-5)
        np.testing.assert_allclose(run(model, feeds)[0], want, atol=1e-5)

    FUNCTION = """<ir_version: 8, opset_import: ["": 18, "local": 1]>
        graph (float[n,3,h,w] x, float[4] s) => (float[n,3,a,b] y) {
            one = local.Block (x, s)
            y = local.Block (one, s)
        }
        <domain: "local", opset_import: ["": 18]>
        Block (v, s) => (r) {
            u = Resize<mode="cubic"> (v, , s)
            r = Relu (u)
        }"""

    def test_function(self, rng):
        original = onnx.parser.parse_model(self.FUNCTION)
        model, report = sr_ops.onnx.accelerate(original, return_report=True)
        assert [c.graph for c in report.converted] == ["function local::Block"]
        assert {f.name for f in model.functions} == {"Block", "DynamicUpscale"}
        onnx.checker.check_model(model, full_check=True)
        x = rng.standard_normal((1, 3, 5, 6), dtype=np.float32)
        feeds = {"x": x, "s": np.array([1, 1, 2, 1.5], np.float32)}
        want = run(original, feeds)[0]
        (y,), executed = run_profiled(model, feeds, library=True)
        assert "DynamicUpscale" in executed
        assert "Resize" not in executed
        np.testing.assert_allclose(y, want, atol=1e-5)
        np.testing.assert_allclose(run(model, feeds)[0], want, atol=1e-5)
        np.testing.assert_allclose(run(sr_ops.onnx.standardize(model), feeds)[0], want, atol=1e-5)

    def test_function_called_with_a_type_that_we_lack(self):
        text = self.FUNCTION.replace(
            "y = local.Block (one, s)",
            "i = Cast<to = 6> (one) k = local.Block (i, s) y = Cast<to = 1> (k)",
        )
        _, report = sr_ops.onnx.accelerate(onnx.parser.parse_model(text), return_report=True)
        assert not report.converted
        assert "INT32" in report.left[0].reason

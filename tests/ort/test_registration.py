"""The library is registered any number of times, by any number of sessions and threads."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import onnx
import onnxruntime
import onnxruntime_extensions
import pytest
from onnx import TensorProto, helper

import sr_ops

FEED = {
    "X": np.random.default_rng(1).standard_normal((1, 3, 20, 30)).astype(np.float32),
    "scales": np.array([2.7], np.float32),
}


def test_the_kernel_runs(build_model, open_session, operators_run, tmp_path):
    session = open_session(build_model(), profile=tmp_path)
    session.run(None, FEED)
    assert operators_run(session) == {"DynamicUpscale"}


def test_registering_twice(build_model):
    options = onnxruntime.SessionOptions()
    for _ in range(3):
        options.register_custom_ops_library(sr_ops.get_library_path())
    for _ in range(2):  # and one set of options for two sessions
        session = onnxruntime.InferenceSession(build_model().SerializeToString(), options)
        assert session.run(None, FEED)[0].shape == (1, 3, 54, 81)


def test_two_sessions_at_once(build_model, open_session):
    first, second = open_session(build_model()), open_session(build_model())
    expected = first.run(None, FEED)[0]
    np.testing.assert_array_equal(second.run(None, FEED)[0], expected)
    del first
    np.testing.assert_array_equal(second.run(None, FEED)[0], expected)


def test_sixteen_threads_register_and_run(build_model, open_session):
    expected = open_session(build_model()).run(None, FEED)[0]
    with ThreadPoolExecutor(16) as pool:
        results = pool.map(
            lambda _: open_session(build_model(), threads=1).run(None, FEED)[0], range(48)
        )
        for result in results:
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("ours_first", [True, False])
def test_next_to_onnxruntime_extensions(build_model, ours_first):
    """One graph with a node of each library: encoded picture -> decoded -> upscaled."""
    model = build_model(elem_type=TensorProto.UINT8, rank=3)
    graph = model.graph
    decode = helper.make_node(
        "DecodeImage", ["file"], ["hwc"], domain="com.microsoft.extensions", color_space="bgr"
    )
    transpose = helper.make_node("Transpose", ["hwc"], ["X"], perm=[2, 0, 1])
    nodes = [decode, transpose, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.input[0].CopyFrom(helper.make_tensor_value_info("file", TensorProto.UINT8, [None]))
    model.opset_import.append(helper.make_opsetid("com.microsoft.extensions", 1))

    libraries = [sr_ops.get_library_path(), onnxruntime_extensions.get_library_path()]
    options = onnxruntime.SessionOptions()
    for library in libraries if ours_first else reversed(libraries):
        options.register_custom_ops_library(library)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)

    picture = np.random.default_rng(2).integers(0, 256, (20, 30, 3), np.uint8)
    encoded = cv2.imencode(".png", picture)[1].reshape(-1)
    (y,) = session.run(None, {"file": encoded, "scales": np.array([2.7], np.float32)})
    alone = build_model(elem_type=TensorProto.UINT8, rank=3)
    only_ours = onnxruntime.SessionOptions()
    only_ours.register_custom_ops_library(sr_ops.get_library_path())
    expected = onnxruntime.InferenceSession(alone.SerializeToString(), only_ours).run(
        None, {"X": picture.transpose(2, 0, 1), "scales": np.array([2.7], np.float32)}
    )[0]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("opset", [11, 13, 17, 18, 21])
def test_any_opset(build_model, open_session, opset):
    model: onnx.ModelProto = build_model()
    model.opset_import[0].version = opset
    assert open_session(model).run(None, FEED)[0].shape == (1, 3, 54, 81)


@pytest.mark.parametrize(
    "level",
    [
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    ],
)
def test_inside_an_if(build_model, level):
    """Both branches hold a node; the condition is fed."""
    node = build_model().graph.node[0]

    def branch(name: str) -> onnx.GraphProto:
        inner = onnx.NodeProto()
        inner.CopyFrom(node)
        inner.output[0] = f"Y_{name}"
        inner.attribute.append(helper.make_attribute("antialias", int(name == "then")))
        output = helper.make_tensor_value_info(f"Y_{name}", TensorProto.FLOAT, None)
        return helper.make_graph([inner], name, [], [output])

    model = build_model()
    model.graph.input.append(helper.make_tensor_value_info("condition", TensorProto.BOOL, []))
    del model.graph.node[:]
    model.graph.node.append(
        helper.make_node(
            "If", ["condition"], ["Y"], then_branch=branch("then"), else_branch=branch("else")
        )
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.register_custom_ops_library(sr_ops.get_library_path())
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feed = {"X": FEED["X"], "scales": np.array([0.5], np.float32)}
    smooth = session.run(None, {**feed, "condition": np.array(True)})[0]
    sharp = session.run(None, {**feed, "condition": np.array(False)})[0]
    assert smooth.shape == sharp.shape == (1, 3, 10, 15)
    assert np.abs(smooth - sharp).max() > 0.1


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_only_the_entry_points_are_exported():
    listing = subprocess.run(
        ["nm", "-D", "--defined-only", sr_ops.get_library_path()],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [line.split()[-1] for line in listing.splitlines()]
    assert names == [
        "CreateEpFactories",
        "RegisterCustomOps",
        "ReleaseEpFactory",
        "SrOpsRegisterCustomOps",
    ]

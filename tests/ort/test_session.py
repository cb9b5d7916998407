"""make_session registers what a model needs and what serves it; explain says so."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import sr_ops
from sr_ops import _libraries, errors
from sr_ops.onnx import add_functions, explain, make_session
from sr_ops.onnx.running import explain as paths
from sr_ops.onnx.running.explain import explain_model

FEED = {
    "X": np.random.default_rng(1).standard_normal((1, 3, 20, 30)).astype(np.float32),
    "scales": np.array([1, 1, 2.7, 2.7], np.float32),
}


@pytest.fixture
def model(build_model):
    """Carries its function, as every model that sr_ops writes."""
    return add_functions(build_model())


@pytest.fixture
def int32_model(build_model):
    """An element type that the library has no kernel for, served by a function."""
    model = build_model(elem_type=TensorProto.INT32)
    nodes = [
        helper.make_node("Cast", ["X"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="cubic"),
        helper.make_node("Cast", ["y"], ["Y"], to=TensorProto.INT32),
    ]
    function = helper.make_function(
        "sr_ops", "DynamicUpscale", ["X", "scales"], ["Y"], nodes, [helper.make_opsetid("", 18)]
    )
    model.functions.append(function)
    return model


@pytest.fixture
def no_library(monkeypatch, tmp_path):
    """An installation that was built without the library."""
    monkeypatch.setattr(_libraries, "_PACKAGE", str(tmp_path))


def profiled_options(folder) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    return options


@pytest.mark.parametrize("form", ["path", "bytes", "proto"])
def test_the_library_runs_a_model_in_every_form(model, form, operators_run, tmp_path):
    source = {"bytes": model.SerializeToString(), "proto": model}.get(form, tmp_path / "m.onnx")
    if form == "path":
        onnx.save(model, source)
    session = make_session(source, sess_options=profiled_options(tmp_path))
    assert session.run(None, FEED)[0].shape == (1, 3, 54, 81)
    assert operators_run(session) == {"DynamicUpscale"}
    assert [node.path for node in explain(session).nodes] == ["library"]
    assert explain(session) == explain(source)


def test_weights_beside_the_model_are_found(model, tmp_path):
    model.graph.initializer.append(
        helper.make_tensor("weight", TensorProto.FLOAT, [1, 3, 20, 30], FEED["X"].ravel())
    )
    model.graph.node[0].input[0] = "weight"
    del model.graph.input[0]
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights", size_threshold=0)
    session = make_session(path)
    (y,) = session.run(None, {"scales": FEED["scales"]})
    assert y.shape == (1, 3, 54, 81)
    assert explain(session).nodes[0].dtype == "float32"


def test_a_model_without_our_operators_gets_no_library(build_model):
    model = build_model()
    model.graph.node[0].CopyFrom(
        helper.make_node("Resize", ["X", "", "scales"], ["Y"], name="zoom", mode="cubic")
    )
    session = make_session(model)
    with pytest.raises(RuntimeError):
        session.get_session_options().get_session_config_entry("sr_ops.registered")
    explanation = explain(session)
    assert not explanation.library
    assert [(n.node, n.path) for n in explanation.nodes] == [("zoom", "runtime")]
    assert "accelerate" in str(explanation)


def test_options_serve_several_sessions(model):
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sr_ops.get_library_path())
    for _ in range(2):
        session = make_session(model, sess_options=options)
        assert session.run(None, FEED)[0].shape == (1, 3, 54, 81)


def test_a_type_without_kernel_takes_the_function(int32_model, operators_run, tmp_path):
    session = make_session(int32_model, sess_options=profiled_options(tmp_path))
    (y,) = session.run(None, {**FEED, "X": FEED["X"].astype(np.int32)})
    assert y.dtype == np.int32
    assert "Resize" in operators_run(session)
    explanation = explain(session)
    assert not explanation.library
    assert explanation.reason == "it has no kernel for int32"
    ours = [n for n in explanation.nodes if n.op_type == "DynamicUpscale"]
    assert [(n.dtype, n.path) for n in ours] == [("int32", "function")]


def test_options_with_the_library_are_refused_for_such_a_model(model, int32_model):
    options = onnxruntime.SessionOptions()
    make_session(model, sess_options=options)
    with pytest.raises(errors.InvalidArgumentError, match="pass new SessionOptions"):
        make_session(int32_model, sess_options=options)


def test_a_type_without_kernel_and_function_is_refused(build_model):
    with pytest.raises(errors.ModelError, match=r"'upscale'.*no function.*no kernel for int32"):
        make_session(build_model(elem_type=TensorProto.INT32))


def test_without_the_library_the_function_runs(model, no_library, operators_run, tmp_path):
    session = make_session(model, sess_options=profiled_options(tmp_path))
    assert session.run(None, FEED)[0].shape == (1, 3, 54, 81)
    assert "MatMul" in operators_run(session)
    assert "does not exist" in explain(session).reason


def test_without_library_and_function_nothing_runs(build_model, no_library):
    with pytest.raises(errors.LibraryLoadError, match="carries no function"):
        make_session(build_model())


def test_a_broken_library_is_named(model, monkeypatch, tmp_path):
    monkeypatch.setattr(_libraries, "_PACKAGE", str(tmp_path))
    path = tmp_path / "libsr_ops_ort.so"
    path.write_bytes(b"not a library")
    with pytest.raises(errors.LibraryLoadError, match=str(path)):
        make_session(model)


def test_old_runtimes_take_the_function(model):
    explanation = explain_model(model, "1.16.3", ["CPUExecutionProvider"])
    assert not explanation.library
    assert "needs onnxruntime 1.17 or newer, this is 1.16.3" in explanation.reason
    assert [n.path for n in explanation.nodes] == ["function"]


@pytest.mark.parametrize("runtime", ["1.17.0", "1.20.1+cpu", "2.0", "1.100.0.dev1"])
def test_new_runtimes_take_the_library(model, runtime):
    assert explain_model(model, runtime, ["CPUExecutionProvider"]).library


def test_devices_take_the_function(monkeypatch, model, build_model):
    monkeypatch.setattr(paths, "native_info", lambda: {"cuda_targets": []})
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    explanation = explain_model(model, "1.31.1", providers)
    assert not explanation.library
    assert "CUDAExecutionProvider" in explanation.reason
    assert explain_model(model, "1.31.1", providers[::-1]).library
    # Without a function to take its place, the library is better than nothing.
    assert explain_model(build_model(), "1.31.1", providers).library


@pytest.mark.parametrize(("targets", "library"), [([], False), (["sm_90", "compute_90"], True)])
def test_a_library_with_cuda_kernels_serves_the_gpu(monkeypatch, model, targets, library):
    monkeypatch.setattr(paths, "native_info", lambda: {"cuda_targets": targets})
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert explain_model(model, "1.31.1", providers).library is library
    # Those need a newer runtime than the library itself.
    old = explain_model(model, "1.17.3", providers)
    assert not old.library
    assert ("on the GPU it needs onnxruntime 1.18" in old.reason) is library
    # They are for that provider alone.
    assert not explain_model(model, "1.31.1", ["DmlExecutionProvider"]).library


def test_providers_that_are_not_there_do_not_decide(model):
    providers = [("CUDAExecutionProvider", {"device_id": 0}), "CPUExecutionProvider"]
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    explanation = explain(model, providers=providers)
    assert explanation.library
    assert explanation.providers == ("CPUExecutionProvider",)


def test_nodes_in_branches_and_functions_are_found(build_model):
    node = build_model().graph.node[0]
    local = helper.make_function(
        "local", "Block", ["X", "scales"], ["Y"], [node], build_model().opset_import
    )
    branches = {}
    for name in ("then_branch", "else_branch"):
        output = helper.make_tensor_value_info("Y_inner", TensorProto.FLOAT, None)
        inner = onnx.NodeProto()
        inner.CopyFrom(node)
        inner.output[0] = "Y_inner"
        branches[name] = helper.make_graph([inner], name, [], [output])
    model = build_model(elem_type=TensorProto.FLOAT16)
    model.opset_import.append(helper.make_opsetid("local", 1))
    model.functions.append(local)
    model.graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    del model.graph.node[:]
    model.graph.node.append(helper.make_node("Block", ["X", "scales"], ["mid"], domain="local"))
    model.graph.node.append(helper.make_node("If", ["c"], ["Y"], name="choose", **branches))
    places = {n.graph: n.dtype for n in explain(model).nodes}
    assert places == {
        "function local::Block": "float16",
        "graph/choose:then_branch": "float16",
        "graph/choose:else_branch": "float16",
    }


def test_extensions_are_registered_when_the_model_uses_them(build_model):
    model = build_model(elem_type=TensorProto.UINT8, rank=3)
    model.graph.node.insert(
        0,
        helper.make_node(
            "DecodeImage", ["file"], ["X"], domain="com.microsoft.extensions", color_space="bgr"
        ),
    )
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("file", TensorProto.UINT8, [None]))
    model.opset_import.append(helper.make_opsetid("com.microsoft.extensions", 1))
    options = onnxruntime.SessionOptions()
    for _ in range(2):
        explanation = explain(make_session(model, sess_options=options))
        assert explanation.library
        assert explanation.extensions


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"", errors.ModelError),
        (b"not a model", errors.ModelError),
        ("no such file.onnx", errors.FileError),
        (".", errors.FileError),
        (3, errors.InvalidTypeError),
        (None, errors.InvalidTypeError),
    ],
)
def test_what_is_not_a_model(source, error):
    for front_end in (make_session, explain):
        with pytest.raises(error, match="model"):
            front_end(source)


def test_a_truncated_file(model, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString()[:-20])
    with pytest.raises(errors.ModelError):
        make_session(path)


def test_a_foreign_session_cannot_be_explained(model):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    with pytest.raises(errors.InvalidArgumentError, match="pass its model instead"):
        explain(session)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_the_command_that_brings_it(package):
    script = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import sr_ops.errors, sr_ops.onnx\n"
        "try: sr_ops.onnx.make_session\n"
        "except sr_ops.errors.MissingDependencyError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    expected = f"sr_ops.onnx.make_session needs {package}: pip install 'sr-ops[ort]'"
    assert done.stdout.strip() == expected, done.stderr

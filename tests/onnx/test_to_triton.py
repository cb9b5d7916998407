"""Model repositories for Triton Inference Server: what its own schema reads, and what runs.

No server runs here. The schema is that of the client's package, from which only this file is taken.
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from google.protobuf import text_format

import sr_ops
from sr_ops.errors import FileError, InvalidArgumentError, ModelError

TEXT = """
<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]>
zoom (float[N, 3, H, W] X, float[2] scales) => (float[N, 3, h, w] Y) {
    Y = sr_ops.DynamicUpscale (X, scales)
}
"""
LIBRARY = os.path.basename(sr_ops.get_library_path())


@pytest.fixture(scope="module")
def schema():
    """Triton's model_config.proto, compiled; without the rest of the package, which needs gRPC."""
    path = importlib.metadata.distribution("tritonclient").locate_file(
        "tritonclient/grpc/model_config_pb2.py"
    )
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model():
    return sr_ops.onnx.add_functions(onnx.parser.parse_model(TEXT))


def read(schema, folder):
    return text_format.Parse((folder / "config.pbtxt").read_text(), schema.ModelConfig())


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def run(folder, feed):
    """As the server does: the library by its path, the model by its own."""
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(str(folder / LIBRARY))
    session = onnxruntime.InferenceSession(
        folder / "1" / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feed)[0]


def test_the_scale_as_an_input(schema, model, tmp_path, rng):
    folder = sr_ops.onnx.to_triton(model, tmp_path / "models", "zoom", seen_as="/models/")
    assert folder == tmp_path / "models" / "zoom"
    assert files(folder) == ["1/model.onnx", "config.pbtxt", LIBRARY]
    config = read(schema, folder)
    assert (config.name, config.backend, config.max_batch_size) == ("zoom", "onnxruntime", 0)
    assert not config.HasField("dynamic_batching")
    assert [(i.name, i.data_type, list(i.dims)) for i in config.input] == [
        ("X", schema.TYPE_FP32, [-1, 3, -1, -1]),
        ("scales", schema.TYPE_FP32, [2]),
    ]
    assert [(o.name, list(o.dims)) for o in config.output] == [("Y", [-1, 3, -1, -1])]
    assert config.model_operations.op_library_filename == [f"/models/zoom/{LIBRARY}"]
    x = rng.random((2, 3, 5, 6), np.float32)
    result = run(folder, {"X": x, "scales": np.array([2, 1.5], np.float32)})
    np.testing.assert_array_equal(result, sr_ops.numpy.dynamic_upscale(x, (2, 1.5)))


def test_a_fixed_scale_is_batched(schema, model, tmp_path, rng):
    before = model.SerializeToString()
    folder = sr_ops.onnx.to_triton(
        model, tmp_path, "zoom", values={"scales": [2, 2]}, max_batch_size=4
    )
    assert model.SerializeToString() == before
    config = read(schema, folder)
    assert config.max_batch_size == 4
    assert config.HasField("dynamic_batching")
    assert [(i.name, list(i.dims)) for i in config.input] == [("X", [3, -1, -1])]
    assert [list(o.dims) for o in config.output] == [[3, -1, -1]]
    assert config.model_operations.op_library_filename == [f"{tmp_path}/zoom/{LIBRARY}"]
    x = rng.random((3, 3, 5, 6), np.float32)
    np.testing.assert_array_equal(run(folder, {"X": x}), sr_ops.numpy.dynamic_upscale(x, 2))
    sr_ops.onnx.to_triton(
        model, tmp_path, "zoom", values={"scales": [2, 2]}, max_batch_size=0, overwrite=True
    )
    assert read(schema, folder).max_batch_size == 0
    assert list(read(schema, folder).input[0].dims) == [-1, 3, -1, -1]


def test_standard_operators_need_no_library(schema, model, tmp_path):
    folder = sr_ops.onnx.to_triton(sr_ops.onnx.standardize(model), tmp_path, "zoom")
    assert files(folder) == ["1/model.onnx", "config.pbtxt"]
    assert not read(schema, folder).HasField("model_operations")


def test_what_is_there_stays(model, tmp_path):
    (tmp_path / "zoom").mkdir()
    sr_ops.onnx.to_triton(model, tmp_path, "zoom")  # an empty folder is none
    (tmp_path / "zoom" / "notes.txt").write_text("mine")
    before = files(tmp_path)
    with pytest.raises(InvalidArgumentError, match="exists already; pass overwrite=True"):
        sr_ops.onnx.to_triton(model, tmp_path, "zoom")
    assert files(tmp_path) == before
    sr_ops.onnx.to_triton(model, tmp_path, "zoom", overwrite=True)
    assert files(tmp_path / "zoom") == ["1/model.onnx", "config.pbtxt", LIBRARY]
    assert os.listdir(tmp_path) == ["zoom"]
    (tmp_path / "note").write_text("a file")
    with pytest.raises(FileError, match="there is a file or a link, no folder"):
        sr_ops.onnx.to_triton(model, tmp_path, "note", overwrite=True)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"name": ""}, "name: got ''"),
        ({"name": ".hidden"}, "name: got '.hidden'"),
        ({"name": "a/b"}, "name: got 'a/b'"),
        ({"max_batch_size": -1}, "max_batch_size: got -1"),
        ({"values": {"scale": [2, 2]}}, "no input 'scale', only X, scales"),
        ({"values": {"scales": [2]}}, r"scales is of shape \[2\], got \[2.0\]"),
    ],
)
def test_bad_arguments(model, tmp_path, options, part):
    with pytest.raises(InvalidArgumentError, match=part):
        sr_ops.onnx.to_triton(model, tmp_path / "models", **{"name": "zoom", **options})
    assert os.listdir(tmp_path) == []


def test_models_that_are_none(tmp_path):
    for content in (b"", b"\x08\x08", b"not a model"):
        (tmp_path / "a.onnx").write_bytes(content)
        with pytest.raises(ModelError):
            sr_ops.onnx.to_triton(tmp_path / "a.onnx", tmp_path / "models", "a")
    with pytest.raises(FileError):
        sr_ops.onnx.to_triton(tmp_path / "none.onnx", tmp_path / "models", "a")
    assert os.listdir(tmp_path) == ["a.onnx"]


def test_a_full_disk_and_a_locked_folder(model, tmp_path):
    """Nothing half-written, and a former model is whole: the library does not fit."""
    folder = sr_ops.onnx.to_triton(model, tmp_path, "zoom", seen_as="/before")
    onnx.save(model, tmp_path / "model.onnx")
    script = """
import os, resource, signal, sys
import sr_ops.onnx
from sr_ops.errors import FileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sr_ops.onnx.add_functions
def attempt():
    try:
        sr_ops.onnx.to_triton("model.onnx", ".", "zoom", overwrite=True)
    except FileError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
attempt()
os.chmod(".", 0o555)
os.seteuid(65534 if os.geteuid() == 0 else os.geteuid())
attempt()
"""
    os.chmod(tmp_path, 0o755)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    os.chmod(tmp_path, 0o755)
    full, locked = done.stdout.splitlines()
    assert full == "zoom: cannot be written: File too large"
    assert "Permission denied" in locked
    assert sorted(os.listdir(tmp_path)) == ["model.onnx", "zoom"]
    assert files(folder) == ["1/model.onnx", "config.pbtxt", LIBRARY]
    assert "/before/zoom/" in (folder / "config.pbtxt").read_text()

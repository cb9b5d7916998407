"""``sr-ops export``: what it writes runs, and what it cannot write it says."""

import numpy as np
import onnx
import pytest
import torch

import sr_ops
from sr_ops import imaging, models


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    imaging.write_image(path, pixels)
    return path


@pytest.mark.parametrize(
    ("options", "op", "opset"),
    [
        ((), "DynamicUpscale", 18),
        (("--op", "Resize", "--exporter", "torchscript", "--opset", 19), "Resize", 19),
    ],
)
def test_float_tensors(run, tmp_path, options, op, opset):
    path = tmp_path / "net.onnx"
    code, text, err = run("export", "espcn_x2", path, *options)
    assert (code, err) == (0, "")
    assert f"ESPCN, {op}; inputs x (N, 1, H, W) and scale (2); output y" in text
    model = onnx.load(path)
    assert op in {node.op_type for node in model.graph.node}
    assert {o.domain: o.version for o in model.opset_import}[""] == opset
    x = np.random.default_rng(0).random((2, 1, 9, 12), np.float32)
    scale = np.array([2.7, 1.5], np.float32)
    result = sr_ops.onnx.make_session(path).run(None, {"x": x, "scale": scale})[0]
    with torch.no_grad():
        expected = models.load("espcn_x2")(torch.from_numpy(x), torch.from_numpy(scale))
    np.testing.assert_allclose(result, expected.numpy(), rtol=1e-3, atol=1e-5)


def test_from_file_to_file(run, photo, tmp_path):
    path, large = tmp_path / "net.onnx", tmp_path / "large.png"
    code, text, err = run("export", "espcn_x3", path, "--image-io")
    assert (code, err) == (0, "")
    assert "inputs image (bytes of a PNG or JPEG) and scale (2); output png (bytes)" in text
    expected = sr_ops.upscale_image(imaging.read_image(photo), 2.7, model="espcn_x3").astype(int)
    large.write_bytes(imaging.upscale_encoded(photo.read_bytes(), 2.7, path))
    assert np.abs(imaging.read_image(large) - expected).max() <= 1
    assert run("upscale", photo, large, "--scale", 2.7, "--model", path)[0] == 0
    assert np.abs(imaging.read_image(large) - expected).max() <= 1


def test_a_checkpoint_of_colours(run, tmp_path):
    torch.save(models.SRCNN(features=(4, 4)).state_dict(), tmp_path / "net.pth")
    code, text, _ = run(
        *("export", tmp_path / "net.pth", tmp_path / "net.onnx"),
        *("--image-io", "--colours", "bgr255"),
    )
    assert code == 0
    assert "SRCNN" in text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("espcn_x2", "net.pb"), "ends in .onnx"),
        (("espcn_x2", "nowhere/net.onnx"), "no such folder"),
        (("nothing.pth", "net.onnx"), "nothing.pth: cannot be read"),
        (("espcn_x2", "net.onnx", "--opset", 13), "opset_version: asked for 13"),
        (("espcn_x2", "net.onnx", "--op", "Upsample"), "Upsample"),
        (("espcn_x2",), "expected one of OUT.onnx and --triton FOLDER"),
        (("espcn_x2", "net.onnx", "--triton", "folder"), "expected one of OUT.onnx and --triton"),
        (("espcn_x2", "net.onnx", "--scale", "2"), "work with --triton"),
        (("espcn_x2", "--triton", "folder", "--scale", "0"), "scale"),
        (("espcn_x2", "--triton", "folder", "--image-io"), "works with OUT.onnx"),
        (("nothing.pth", "--triton", "folder"), "nothing.pth: cannot be read"),
    ],
)
def test_errors_leave_nothing(run, tmp_path, monkeypatch, arguments, part):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("export", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err
    assert list(tmp_path.iterdir()) == []


def test_into_a_repository_of_triton(run, tmp_path):
    folder = tmp_path / "models"
    code, text, err = run("export", "espcn_x2", "--triton", folder, "-s", 2.7, "--seen-as", "/m")
    assert (code, err) == (0, "")
    assert text == f"{folder}/espcn_x2: ESPCN, DynamicUpscale; for Triton Inference Server\n"
    config = (folder / "espcn_x2" / "config.pbtxt").read_text()
    assert "max_batch_size: 8" in config
    assert "/m/espcn_x2/" in config
    session = sr_ops.onnx.make_session(folder / "espcn_x2" / "1" / "model.onnx")
    assert [value.name for value in session.get_inputs()] == ["x"]
    x = np.random.default_rng(0).random((2, 1, 9, 12), np.float32)
    with torch.no_grad():
        expected = models.load("espcn_x2")(torch.from_numpy(x), 2.7).numpy()
    np.testing.assert_allclose(session.run(None, {"x": x})[0], expected, rtol=1e-3, atol=1e-5)
    code, text, err = run("export", "espcn_x2", "--triton", folder)
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert "exists already; pass overwrite=True (--overwrite)" in err
    assert run("export", "espcn_x2", "--triton", folder, "--overwrite")[0] == 0
    assert "max_batch_size: 0" in (folder / "espcn_x2" / "config.pbtxt").read_text()

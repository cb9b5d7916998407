"""Models of other frameworks: named for what they are, and what the refusals say to do is done.

TensorFlow and Caffe are not installed here. The converters' commands are compared with their own
options, and what they write is taken: the graphs below are those of tf2onnx 1.17 and caffe2onnx 2.0
for small networks, node by node.
"""

from __future__ import annotations

import re
import shlex
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import sr_ops
from sr_ops import models
from sr_ops.errors import CheckpointError

node = helper.make_node


def refusal(path):
    with pytest.raises(CheckpointError, match="not a checkpoint: ") as caught:
        models.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def weight(*shape):
    return (np.random.default_rng(len(shape)).standard_normal(shape) * 0.1).astype(np.float32)


def written(path, nodes, weights, *, ends, opset):
    """A file of a converter; ``ends`` are name and shape of the input and of the output."""
    source, target = ends
    graph = helper.make_graph(
        nodes,
        "converted",
        [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
        [helper.make_tensor_value_info(target[0], TensorProto.FLOAT, target[1])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def conv(x, w, y, *bias, **attributes):
    return node("Conv", [x, w, *bias], [y], strides=[1, 1], dilations=[1, 1], **attributes)


def as_tf2onnx_writes_dnn_superres(path):
    """Of a sub-pixel network with IN:0 (N, H, W, 1) and NCHW_output:0 (N, 1, H, W)."""
    nodes = [
        node("Unsqueeze", ["IN:0", "axes"], ["unsqueezed"]),
        node("Reshape", ["unsqueezed", "shape"], ["Conv2D__6:0"]),
        conv("Conv2D__6:0", "Const:0", "Conv2D:0", auto_pad="SAME_UPPER"),
        node("Relu", ["Conv2D:0"], ["Relu:0"]),
        conv("Relu:0", "Const_1:0", "Conv2D_1:0", auto_pad="SAME_UPPER"),
        node("DepthToSpace", ["Conv2D_1:0"], ["NHWC_output:0"], blocksize=2),
        node("Reshape", ["NHWC_output:0", "shape"], ["NCHW_output:0"]),
    ]
    weights = {
        "axes": np.array([0]),
        "shape": np.array([-1, 1, 0, 0]),
        "Const:0": weight(8, 1, 5, 5),
        "Const_1:0": weight(4, 8, 3, 3),
    }
    ends = ("IN:0", ["a", "b", "c", 1]), ("NCHW_output:0", ["d", 1, "e", "f"])
    written(path, nodes, weights, ends=ends, opset=15)


def as_tf2onnx_writes_keras(path):
    """Of convolutions and a sub-pixel layer, from (N, H, W, 3) to (N, H, W, 3)."""
    nodes = [
        node("Transpose", ["input_layer:0"], ["turned"], perm=[0, 3, 1, 2]),
        conv("turned", "kernel", "convolution:0", auto_pad="SAME_UPPER"),
        node("Relu", ["convolution:0"], ["Relu:0"]),
        conv("Relu:0", "kernel_1", "convolution_1:0", auto_pad="SAME_UPPER"),
        node("DepthToSpace", ["convolution_1:0"], ["space"], blocksize=2),
        node("Transpose", ["space"], ["Identity:0"], perm=[0, 2, 3, 1]),
    ]
    weights = {"kernel": weight(8, 3, 3, 3), "kernel_1": weight(12, 8, 3, 3)}
    ends = ("input_layer:0", ["a", "b", "c", 3]), ("Identity:0", ["d", "e", "f", 3])
    written(path, nodes, weights, ends=ends, opset=15)


def as_caffe2onnx_writes(path):
    """Of a convolution and a deconvolution, of the one size that stands in the prototxt."""
    nodes = [
        conv("data_input", "conv1_W", "conv1_Y", "conv1_b", kernel_shape=[5, 5], pads=[2] * 4),
        node("Relu", ["conv1_Y"], ["relu1_Y"]),
        node(
            *("ConvTranspose", ["relu1_Y", "conv3_W", "conv3_b"], ["conv3_Y"]),
            **{"kernel_shape": [8, 8], "strides": [2, 2], "pads": [3] * 4, "group": 1},
        ),
    ]
    weights = {
        **{"conv1_W": weight(8, 1, 5, 5), "conv1_b": weight(8)},
        **{"conv3_W": weight(8, 1, 8, 8), "conv3_b": weight(1)},
    }
    ends = ("data_input", [1, 1, 24, 24]), ("conv3_Y", [1, 1, 48, 48])
    written(path, nodes, weights, ends=ends, opset=11)


CONVERTED = {
    "FSRCNN_x2.pb": (
        "-m tf2onnx.convert --graphdef {} --inputs IN:0 --outputs NCHW_output:0 --output net.onnx",
        as_tf2onnx_writes_dnn_superres,
    ),
    "net.TFLITE": ("-m tf2onnx.convert --tflite {} --output net.onnx", as_tf2onnx_writes_keras),
    "net.h5": ("-m tf2onnx.convert --keras {} --output net.onnx", as_tf2onnx_writes_keras),
    "net.keras": ("-m tf2onnx.convert --keras {} --output net.onnx", as_tf2onnx_writes_keras),
    "net.caffemodel": (
        "-m caffe2onnx.convert --prototxt net.prototxt --caffemodel {} --onnx net.onnx",
        as_caffe2onnx_writes,
    ),
    "net.prototxt": (
        "-m caffe2onnx.convert --prototxt {} --caffemodel net.caffemodel --onnx net.onnx",
        as_caffe2onnx_writes,
    ),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_what_a_converter_writes_is_taken(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    expected, write = CONVERTED[name]
    command, target = re.search(
        r"python (-m .*? net\.onnx)\b.*, and give (\S+)$", refusal(name)
    ).groups()
    assert shlex.split(command) == shlex.split(expected.format(name))
    write(target)
    image = np.random.default_rng(0).random((50, 61, 3), np.float32)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "net.onnx: in windows of 24 x 24")
        whole = sr_ops.upscale_image(image, 2.7, model=target, tile=None)
        tiled = sr_ops.upscale_image(image, 2.7, model=target, tile=48)
    assert whole.shape == (135, 164, 3)
    assert np.abs(tiled - whole).max() <= 1e-4 / 255


@pytest.mark.parametrize("name", ["net.param", "net.bin", "net.mlmodel"])
def test_what_nothing_turns_back_leads_to_its_origin(tmp_path, name):
    for ending in (".param", ".bin"):
        (tmp_path / f"net{ending}").touch()
    text = refusal(tmp_path / name)
    assert "give what it was made of: the checkpoint (.pth, .safetensors) or the .onnx" in text
    network = models.ESPCN(2, features=(4, 4, 4)).eval()
    torch.save(network.state_dict(), tmp_path / "net.pth")
    as_tf2onnx_writes_keras(tmp_path / "net.onnx")
    image = np.zeros((9, 11, 3), np.uint8)
    for origin in ("net.pth", "net.onnx"):
        assert sr_ops.upscale_image(image, 2.7, model=tmp_path / origin).shape == (24, 29, 3)


def test_weights_that_end_in_bin_may_be_torchs(tmp_path):
    torch.save(models.ESPCN(2, features=(4, 4, 4)).state_dict(), tmp_path / "model.bin")
    assert models.load(tmp_path / "model.bin").upscale_factor == 2


class Doubles(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)

    def forward(self, x):
        return nn.functional.pixel_shuffle(self.conv(x), 2)


def test_a_program_of_torch_export(tmp_path, monkeypatch):
    sides = {2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    program = torch.export.export(Doubles(), (torch.rand(1, 3, 20, 28),), dynamic_shapes=(sides,))
    torch.export.save(program, tmp_path / "net.pt2")
    call, target = re.search(
        r"call (torch\.onnx\.export\(.*\)), and give (\S+)$", refusal(tmp_path / "net.pt2")
    ).groups()
    monkeypatch.chdir(tmp_path)
    eval(call, {"torch": torch})
    image = np.zeros((30, 41, 3), np.float32)
    assert sr_ops.upscale_image(image, 2.7, model=target).shape == (81, 110, 3)


def test_an_onnx_file_needs_no_export(run, tmp_path):
    """As the refusal says: ``upscale --model`` takes it, and ``make-dynamic`` opens it."""
    path = tmp_path / "net.onnx"
    as_caffe2onnx_writes(path)
    with pytest.raises(CheckpointError, match="sr-ops upscale --model takes it as it is") as caught:
        models.load(path)
    command = re.search(r"sr-ops (make-dynamic)", str(caught.value)).group(1)
    code, _, err = run(command, path, tmp_path / "open.onnx")
    assert code == 0, err
    photo = tmp_path / "photo.png"
    sr_ops.imaging.write_image(photo, np.zeros((30, 41, 3), np.uint8))
    for model in (path, tmp_path / "open.onnx"):
        code, _, err = run("upscale", photo, tmp_path / "a.png", "--model", model, "-s", 2.7)
        assert code == 0, err

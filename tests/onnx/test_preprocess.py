"""sr_ops.onnx.preprocess: an image processor as a model, with Pillow's bytes."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from onnx import TensorProto, helper
from PIL import Image

import sr_ops
from sr_ops.errors import FileError, InvalidArgumentError, InvalidTypeError, ModelError

CLIP: dict[str, Any] = {
    "crop_size": {"height": 24, "width": 24},
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": {"shortest_edge": 32},
}
SIGLIP: dict[str, Any] = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "rescale_factor": 0.00392156862745098,
    "resample": 3,
    "size": {"height": 30, "width": 28},
}
SIZES = [(57, 83), (83, 57), (32, 32), (20, 301), (33, 32), (100, 100), (31, 40)]


def picture(height: int, width: int) -> Any:
    rng = np.random.default_rng(height * width)
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def by_pillow(image: Any, config: dict[str, Any]) -> Any:
    """What the package transformers computes, step by step."""
    height, width = image.shape[:2]
    size = config["size"]
    if "shortest_edge" in size:
        edge, shorter = size["shortest_edge"], min(height, width)
        target = (int(edge * height / shorter), int(edge * width / shorter))
    else:
        target = (size["height"], size["width"])
    resized = Image.fromarray(image).resize(target[::-1], Image.Resampling.BICUBIC)
    values = np.asarray(resized)
    if config.get("do_center_crop"):
        crop = config["crop_size"]["height"]
        top, left = (values.shape[0] - crop) // 2, (values.shape[1] - crop) // 2
        values = values[top : top + crop, left : left + crop]
    values = (values * np.float64(1 / 255) - config["image_mean"]) / config["image_std"]
    return values.transpose(2, 0, 1)[None]


@pytest.mark.parametrize("config", [CLIP, SIGLIP], ids=["CLIP", "SigLIP"])
def test_pillow_has_the_same_bytes(config: dict[str, Any]) -> None:
    model = sr_ops.onnx.preprocess(config=config)
    onnx.checker.check_model(model, full_check=True)
    plain = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for session in (sr_ops.onnx.make_session(model), plain):  # by the library, by the function
        for size in SIZES:
            (y,) = session.run(None, {"image": picture(*size)})
            assert y.dtype == np.float32
            np.testing.assert_allclose(y, by_pillow(picture(*size), config), atol=2e-6)


@pytest.mark.parametrize(
    ("module", "processor", "settings"),
    [
        ("clip", "CLIP", {"size": {"shortest_edge": 32}, "crop_size": 24}),
        ("siglip", "Siglip", {"size": {"height": 30, "width": 28}}),
        ("bit", "Bit", {"size": {"shortest_edge": 30}, "crop_size": 28}),  # DINOv2's
        ("vit", "ViT", {"size": {"height": 32, "width": 24}, "resample": 3}),
    ],
)
def test_the_processors_of_transformers(
    module: str, processor: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    """Those that go by Pillow, with the file that they write themselves."""
    pil = importlib.import_module(f"transformers.models.{module}.image_processing_pil_{module}")
    theirs = getattr(pil, f"{processor}ImageProcessorPil")(**settings)
    theirs.save_pretrained(tmp_path)
    model = sr_ops.onnx.preprocess(config=tmp_path / "preprocessor_config.json")
    session = sr_ops.onnx.make_session(model)
    for size in SIZES:
        (y,) = session.run(None, {"image": picture(*size)})
        want = theirs(Image.fromarray(picture(*size)), return_tensors="np")["pixel_values"]
        np.testing.assert_allclose(y, want, atol=2e-6)


def test_vits_own_filter_is_refused(tmp_path: Path) -> None:
    """Its processor is bilinear unless told otherwise."""
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    ViTImageProcessorPil().save_pretrained(tmp_path)
    with pytest.raises(InvalidArgumentError, match="resample=2"):
        sr_ops.onnx.preprocess(config=tmp_path / "preprocessor_config.json")


def test_arguments_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({**CLIP, "crop_size": 24, "size": 32}))
    given = sr_ops.onnx.preprocess(
        shorter_side=32, crop=(24, 24), mean=CLIP["image_mean"], std=CLIP["image_std"]
    )
    assert sr_ops.onnx.preprocess(config=path) == given


def network(dtype: int, *, name: str = "image") -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", [name], ["y"])],
        "network",
        [helper.make_tensor_value_info(name, dtype, ("N", 3, "H", "W"))],
        [helper.make_tensor_value_info("y", dtype, ("N", 3, 1, 1))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_in_front_of_a_model(dtype: str) -> None:
    elements = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}[dtype]
    model = network(elements)
    before = model.SerializeToString()
    merged = sr_ops.onnx.preprocess(model, size=16, crop=8, dtype=dtype)
    assert model.SerializeToString() == before
    (source,) = [value.name for value in merged.graph.input]
    session = sr_ops.onnx.make_session(merged)
    (y,) = session.run(None, {source: np.full((9, 40, 3), 51, np.uint8)})
    np.testing.assert_allclose(y, np.full((1, 3, 1, 1), 0.2), atol=1e-3)


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (InvalidArgumentError, "shorter_side, size: give one", {}),
        (InvalidArgumentError, "shorter_side, size: give one", {"size": 8, "shorter_side": 8}),
        (InvalidArgumentError, "crop: got .* make the crop smaller", {"size": 8, "crop": 9}),
        (InvalidArgumentError, "size: got 0", {"size": 0}),
        (InvalidTypeError, "size: got 2.5", {"size": 2.5}),
        (InvalidArgumentError, "std: got", {"size": 8, "std": (1, 0, 1)}),
        (InvalidArgumentError, "dtype: got 'int8'", {"size": 8, "dtype": "int8"}),
        (InvalidArgumentError, "config: given together", {"size": 8, "config": CLIP}),
        (InvalidArgumentError, "resample=2", {"config": {**CLIP, "resample": 2}}),
        (InvalidTypeError, "config: size", {"config": {**SIGLIP, "size": {"longest_edge": 3}}}),
        (FileError, "cannot be read", {"config": "no/such/file.json"}),
    ],
)
def test_refusals(error: type[Exception], words: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(error, match=words):
        sr_ops.onnx.preprocess(**arguments)


def test_models_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match="give dtype='float16'"):
        sr_ops.onnx.preprocess(network(TensorProto.FLOAT16), size=8)
    upscaler = network(TensorProto.FLOAT)
    upscaler.graph.input.add().CopyFrom(upscaler.graph.input[0])
    upscaler.graph.input[1].name = "other"
    with pytest.raises(ModelError, match="has 2 inputs of four axes"):
        sr_ops.onnx.preprocess(upscaler, size=8)

"""The oracle against what others compute, wherever they compute the same thing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from cases import MODES, random_array
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image

from sr_ops import _arguments, reference

Float64Array = NDArray[np.float64]

#: float32 numbers, since torch takes a scale as a float64 and we round it. Not 1/3: torch finds a
#: coordinate's pixel by floorf, for which 6.9999998 lies on the seventh.
SCALES = [float(np.float32(s)) for s in (0.3, 0.5, 0.75, 1.0, 1.1, 1.4, 2.0, 2.7, 3.0, 8.0)]


def _image(seed: int, height: int = 17, width: int = 23) -> Float64Array:
    return random_array(np.random.default_rng(seed), (1, 2, height, width), "float64")


def _assert_close(actual: Any, expected: Float64Array, tolerance: float) -> None:
    assert actual.shape == expected.shape
    assert np.abs(np.asarray(actual) - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("scale", SCALES)
def test_torch_bicubic_by_scale(scale: float) -> None:
    x = _image(1)
    assert [_arguments.output_size(n, scale) for n in (17, 23)] == [
        math.floor(n * scale) for n in (17, 23)
    ]
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(x), scale_factor=scale, mode="bicubic", recompute_scale_factor=False
    )
    _assert_close(theirs, reference.dynamic_upscale(x, scale), 1e-13)


@pytest.mark.parametrize("size", [(1, 1), (5, 60), (17, 23), (31, 2), (100, 101)])
@pytest.mark.parametrize("align_corners", [False, True])
def test_torch_bicubic_by_size(size: tuple[int, int], align_corners: bool) -> None:
    x = _image(2)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(x), size=size, mode="bicubic", align_corners=align_corners
    )
    mode = "align_corners" if align_corners else "half_pixel"
    ours = reference.dynamic_upscale(x, size=size, coordinate_transformation_mode=mode)
    _assert_close(theirs, ours, 1e-13)


@pytest.mark.parametrize("size", [(1, 1), (4, 5), (6, 23), (17, 9), (40, 50)])
def test_torch_and_pillow_antialias(size: tuple[int, int]) -> None:
    """Keys' a = -0.5, and taps outside dropped."""
    x = _image(3)
    ours = reference.dynamic_upscale(
        x, size=size, cubic_coeff_a=-0.5, antialias=True, exclude_outside=True
    )
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(x), size=size, mode="bicubic", antialias=True
    )
    _assert_close(theirs, ours, 1e-13)
    picture = Image.fromarray(x[0, 0].astype(np.float32))
    pillow = np.asarray(picture.resize(size[::-1], Image.Resampling.BICUBIC))
    _assert_close(pillow, ours[0, 0], 3e-7)  # float32 between the passes


def _resize_session(scales: tuple[float, float], **attributes: Any) -> onnxruntime.InferenceSession:
    shape = [None] * 4
    node = helper.make_node("Resize", ["X", "", "scales"], ["Y"], mode="cubic", **attributes)
    graph = helper.make_graph(
        [node],
        "resize",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, *scales])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("exclude_outside", [False, True])
def test_onnxruntime_resize(mode: str, antialias: bool, exclude_outside: bool) -> None:
    """On images small enough for its float32 coordinates."""
    x = _image(4).astype(np.float32)
    for a in (-0.75, -0.5):
        # With antialias it copies an axis whose size does not change, whatever the scale: no such
        # scale here.
        for scales in ((0.3, 2.7), (0.5, 1.4), (0.77, 0.4), (3.0, 1.1), (1.6, 0.9)):
            keywords = {
                "coordinate_transformation_mode": mode,
                "antialias": antialias,
                "exclude_outside": exclude_outside,
                "cubic_coeff_a": a,
            }
            (theirs,) = _resize_session(scales, **keywords).run(None, {"X": x})
            ours = reference.dynamic_upscale(x, scales, **keywords)
            assert theirs.shape == ours.shape
            assert np.abs(theirs - ours).max() <= 1e-5 * np.abs(x).max(), (scales, keywords)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("exclude_outside", [False, True])
def test_weights_sum_to_one(mode: str, antialias: bool, exclude_outside: bool) -> None:
    for n, scale in ((1, 3.0), (2, 0.9), (19, 0.31), (19, 1.0), (20, 2.7), (64, 0.02)):
        matrix = reference.axis_matrix(
            n, _arguments.output_size(n, scale), scale, coordinate_transformation_mode=mode,
            antialias=antialias, exclude_outside=exclude_outside,
        )  # fmt: skip
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=1e-14)


def test_weights_halfway_between_two_pixels() -> None:
    """Keys (1981), eq. 4, at distances 1.5, 0.5, 0.5, 1.5: a/8 and (4 - a)/8."""
    for a in (-0.75, -0.5, -1.0):
        matrix = reference.axis_matrix(8, 4, 0.5, cubic_coeff_a=a)
        np.testing.assert_array_equal(matrix[1, 1:5], [a / 8, (4 - a) / 8, (4 - a) / 8, a / 8])


def test_edges_are_repeated() -> None:
    """At the border the taps outside fall upon the edge pixel."""
    matrix = reference.axis_matrix(4, 8, 2.0)
    inner = reference.axis_matrix(8, 16, 2.0)[4]  # the same phase, away from the border
    np.testing.assert_array_equal(matrix[0, :2], [inner[0] + inner[1] + inner[2], inner[3]])


@pytest.mark.parametrize("mode", ["half_pixel", "half_pixel_symmetric", "align_corners"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("exclude_outside", [False, True])
def test_a_mirrored_image_gives_the_mirrored_result(
    mode: str, antialias: bool, exclude_outside: bool
) -> None:
    x = _image(5)
    for size in ((5, 9), (17, 23), (29, 60)):
        keywords: dict[str, Any] = {
            "coordinate_transformation_mode": mode,
            "antialias": antialias,
            "exclude_outside": exclude_outside,
        }
        y = reference.dynamic_upscale(x, size=size, **keywords)
        mirrored = reference.dynamic_upscale(x[..., ::-1, ::-1], size=size, **keywords)
        _assert_close(mirrored[..., ::-1, ::-1], y, 1e-12)


def test_half_pixel_symmetric_is_symmetric_where_the_size_is_truncated() -> None:
    """What it is for: 5 x 1.5 is 7.5, of which seven pixels remain."""
    x = np.arange(5.0)[np.newaxis]
    symmetric = {"coordinate_transformation_mode": "half_pixel_symmetric"}
    y = reference.dynamic_upscale(x, (1, 1.5), **symmetric)
    mirrored = reference.dynamic_upscale(x[:, ::-1], (1, 1.5), **symmetric)
    np.testing.assert_allclose(mirrored[:, ::-1], y, atol=1e-14)
    plain = reference.dynamic_upscale(x, (1, 1.5))
    assert np.abs(reference.dynamic_upscale(x[:, ::-1], (1, 1.5))[:, ::-1] - plain).max() > 0.1


def test_keys_reproduces_parabolas() -> None:
    """With a = -0.5 the interpolation is of third order: exact for x**2, away from the edges."""
    n, scale = 40, 2.75
    source = np.arange(n, dtype=np.float64)
    matrix = reference.axis_matrix(n, 110, scale, cubic_coeff_a=-0.5)
    centres = reference.source_coordinates(n, 110, scale, "half_pixel")
    inside = (centres > 1) & (centres < n - 2)
    np.testing.assert_allclose((matrix @ source**2)[inside], centres[inside] ** 2, rtol=1e-12)


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_asymmetric_keeps_the_source_pixels(factor: int) -> None:
    x = _image(6)
    y = reference.dynamic_upscale(x, factor, coordinate_transformation_mode="asymmetric")
    np.testing.assert_array_equal(y[..., ::factor, ::factor], x)


def test_align_corners_keeps_the_corners() -> None:
    x = _image(7)
    y = reference.dynamic_upscale(x, size=(50, 31), coordinate_transformation_mode="align_corners")
    np.testing.assert_allclose(y[..., :: 50 - 1, :: 31 - 1], x[..., :: 17 - 1, :: 23 - 1])


def test_an_axis_of_one_output_in_the_modes_that_define_it() -> None:
    """pytorch_half_pixel and align_corners read the first pixel; half_pixel reads the centre."""
    x = np.arange(9.0)[np.newaxis]
    for mode, expected in (("pytorch_half_pixel", 0), ("align_corners", 0), ("half_pixel", 4)):
        y = reference.dynamic_upscale(x, size=(1, 1), coordinate_transformation_mode=mode)
        np.testing.assert_allclose(y, [[expected]], atol=0.2)

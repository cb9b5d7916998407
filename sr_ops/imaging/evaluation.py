"""How good an upscaled picture is: the measures of the super-resolution literature.

Luma is BT.601 in studio range (16..235), as ``rgb2ycbcr`` computes it and as papers report it; a
border as wide as the scale, rounded up, is left out.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import sr_ops.numpy
from sr_ops import _arguments
from sr_ops.errors import ImageError
from sr_ops.imaging.pipeline import upscale_image

__all__ = [
    "Score",
    "bicubic_of_papers",
    "degrade",
    "evaluate",
    "luma",
    "psnr",
    "shave",
    "ssim",
]

Image = NDArray[Any]
Float64Image = NDArray[np.float64]

_STUDIO_LUMA = np.array([65.481, 128.553, 24.966]) / 255


def degrade(image: Image, scale: float) -> Image:
    """The small picture that a test enlarges again: antialiased bicubic (a = -0.5), as Pillow's.

    Args:
        image: (H, W) or (H, W, C) uint8.
        scale: >= 1; the picture shrinks by 1 / scale.

    >>> degrade(np.zeros((9, 12, 3), np.uint8), 3).shape
    (3, 4, 3)
    """
    scale_h, scale_w = _arguments.parse_scale(scale)
    # A hair above 1 / scale, so that float32 rounding does not lose the last pixel of a multiple.
    factors = (1 / scale_h * (1 + 1e-7), 1 / scale_w * (1 + 1e-7))
    return _as_pillow(image, factors)


def bicubic_of_papers(image: Image, scale: float) -> Image:
    """The bicubic that papers compare with: a = -0.5, as MATLAB's ``imresize`` and Pillow have it.

    sr_ops's own, OpenCV's and torch's a is -0.75: sharper, and the harder one to beat. (Along the
    picture's edges this is Pillow's: MATLAB's mirrors, for the two outermost pixels of the input.)

    Args:
        image: (H, W) or (H, W, C) uint8.
        scale: >= 1.

    >>> bicubic_of_papers(np.zeros((9, 12, 3), np.uint8), 3).shape
    (27, 36, 3)
    """
    return _as_pillow(image, scale)


def _as_pillow(image: Image, scale: Any) -> Image:
    layout = "HW" if image.ndim == 2 else "HWC"
    return sr_ops.numpy.dynamic_upscale(
        image, scale, layout=layout, cubic_coeff_a=-0.5, antialias=True, exclude_outside=True
    )


def luma(image: Image) -> Float64Image:
    """(H, W) studio-range luma, 16..235, of uint8 gray or RGB; not rounded."""
    if image.ndim == 2 or image.shape[2] == 1:
        return np.asarray(image.reshape(image.shape[:2]) * _STUDIO_LUMA.sum() + 16.0)
    return np.asarray(image[..., :3] @ _STUDIO_LUMA + 16.0)


def shave(image: Float64Image, scale: float) -> Float64Image:
    """Without a border of ceil(scale) pixels.

    Raises:
        ImageError: nothing would be left.
    """
    border = math.ceil(scale)
    inner = image[border:-border, border:-border]
    if inner.size == 0:
        raise ImageError(
            f"image: got shape {image.shape}, of which nothing is left inside a border of {border} "
            "pixels on each side; take a larger picture"
        )
    return inner


def psnr(first: Float64Image, second: Float64Image) -> float:
    """Peak signal-to-noise ratio in dB for a peak of 255; infinite for equal pictures."""
    error = float(np.mean((first - second) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim(first: Float64Image, second: Float64Image) -> float:
    """Structural similarity: Gaussian window of 11 x 11 with sigma 1.5, K 0.01 and 0.03.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Trans. Image Processing 13(4), 2004; averaged where the window fits.

    Raises:
        ImageError: a picture smaller than the window.
    """
    if min(first.shape) < 11:
        raise ImageError(
            f"image: got shape {first.shape}, expected at least SSIM's window, 11 x 11"
        )
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean1, mean2 = _gaussian(first), _gaussian(second)
    var1 = _gaussian(first * first) - mean1 * mean1
    var2 = _gaussian(second * second) - mean2 * mean2
    covariance = _gaussian(first * second) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + c1) / (mean1 * mean1 + mean2 * mean2 + c1)
    return float(np.mean(luminance * (2 * covariance + c2) / (var1 + var2 + c2)))


def _gaussian(image: Float64Image) -> Float64Image:
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    rows = np.lib.stride_tricks.sliding_window_view(image, 11, axis=0) @ window
    return np.asarray(np.lib.stride_tricks.sliding_window_view(rows, 11, axis=1) @ window)


class Score(NamedTuple):
    """One picture, shrunk and enlarged again."""

    picture: str
    scale: float
    model: str  # "bicubic" among them
    psnr: float  # dB, luma
    ssim: float  # luma
    seconds: float


def evaluate(
    image: Image,
    scale: float,
    models: Mapping[str, Any],
    *,
    name: str = "picture",
    **keywords: Any,
) -> list[Score]:
    """Shrink a picture, enlarge it with every model, and compare with the picture.

    Args:
        image: (H, W), (H, W, 1) or (H, W, 3) uint8; what the scale does not divide is cut off.
        scale: >= 1.
        models: label -> what :func:`sr_ops.upscale_image` takes as ``model``, or a function of
            (picture, scale), such as :func:`bicubic_of_papers`.
        name: of the picture, for the scores.
        **keywords: of :func:`sr_ops.upscale_image`.

    Raises:
        ImageError: not uint8, with alpha, or too small for the scale.

    >>> evaluate(np.full((60, 60), 7, np.uint8), 2, {"bicubic": None})[0].psnr
    inf
    """
    if image.dtype != np.uint8 or (image.ndim == 3 and image.shape[2] not in (1, 3)):
        raise ImageError(
            f"{name}: got {image.dtype} of shape {image.shape}, expected uint8, gray or RGB; "
            "convert the picture first"
        )
    if min(image.shape[:2]) < 11 + 2 * math.ceil(scale) + scale:
        raise ImageError(
            f"{name}: got shape {image.shape}, too small to be compared at x{scale:g}; take a "
            "larger picture or a smaller scale"
        )
    small = degrade(image, scale)
    scores = []
    for label, model in models.items():
        start = time.perf_counter()
        if inspect.isfunction(model):
            result = model(small, scale)
        else:
            result = upscale_image(small, scale, model=model, **keywords)
        seconds = time.perf_counter() - start
        truth = image[: result.shape[0], : result.shape[1]]
        pair = [shave(luma(picture), scale) for picture in (truth, result)]
        scores.append(Score(name, scale, label, psnr(*pair), ssim(*pair), seconds))
    return scores

"""The measures against scikit-image's, and the degradation against Pillow's."""

import numpy as np
import pytest
from PIL import Image
from skimage import data, metrics

from sr_ops.errors import ImageError
from sr_ops.imaging import evaluation


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    first = data.camera()[:90, :120].astype(np.float64)
    return first, np.clip(first + rng.normal(0, 9, first.shape), 0, 255)


def test_psnr_is_scikit_images(pair):
    expected = metrics.peak_signal_noise_ratio(*pair, data_range=255)
    assert evaluation.psnr(*pair) == pytest.approx(expected, rel=1e-12)


def test_psnr_of_equal_pictures(pair):
    assert evaluation.psnr(pair[0], pair[0]) == np.inf


def test_ssim_is_scikit_images(pair):
    expected = metrics.structural_similarity(
        *pair, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert evaluation.ssim(*pair) == pytest.approx(expected, rel=1e-10)
    assert evaluation.ssim(pair[0], pair[0]) == pytest.approx(1)


def test_luma_is_studio_range():
    rgb = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0]]], np.uint8)
    np.testing.assert_allclose(evaluation.luma(rgb), [[16, 235, 81.481, 144.553]], atol=1e-9)
    np.testing.assert_allclose(evaluation.luma(rgb[..., 0]), [[16, 235, 235, 16]], atol=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4, 1.5])
def test_degradation_is_pillows(scale):
    image = data.chelsea()[:120, :240]
    small = evaluation.degrade(image, scale)
    size = (small.shape[1], small.shape[0])
    assert size == (240 / scale, 120 / scale)
    theirs = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    assert np.abs(small.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("scale", [2, 3, 1.5])
@pytest.mark.parametrize("image", [data.chelsea()[:60, :80], data.camera()[:60, :80]])
def test_bicubic_of_papers_is_pillows(image, scale):
    large = evaluation.bicubic_of_papers(image, scale)
    size = (large.shape[1], large.shape[0])
    assert size == (80 * scale, 60 * scale)
    theirs = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    assert np.abs(large.astype(int) - theirs).max() <= 1


def test_bicubic_of_papers_is_the_weaker_one():
    """So that a gain over sr_ops's own bicubic is the smaller claim."""
    choices = {"bicubic": None, "papers": evaluation.bicubic_of_papers}
    for image in (data.camera(), data.coffee()):
        own, papers = evaluation.evaluate(image, 3, choices)
        assert (own.model, papers.model) == ("bicubic", "papers")
        assert 0 < own.psnr - papers.psnr < 0.5


def test_shave():
    image = np.arange(100.0).reshape(10, 10)
    assert evaluation.shave(image, 2.2).shape == (4, 4)
    with pytest.raises(ImageError, match="border"):
        evaluation.shave(image, 5)
    with pytest.raises(ImageError, match="window"):
        evaluation.ssim(image, image)

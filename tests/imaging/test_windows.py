"""Windows of the output against the whole, in float64."""

import numpy as np
import pytest

from sr_ops import reference
from sr_ops.imaging.windows import Axis, cut, resample


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("exclude_outside", [False, True])
@pytest.mark.parametrize("scale", [0.3, 0.5, 0.9, 1.0, 1.1, 2.7, 3.0, 8.0])
@pytest.mark.parametrize("source", [1, 2, 7, 40])
def test_every_window_is_cut_from_the_whole_matrix(source, scale, antialias, exclude_outside):
    target = max(1, int(source * scale))
    attributes = {"antialias": antialias, "exclude_outside": exclude_outside}
    axis = Axis(source, target, scale, cubic_coeff_a=-0.5, **attributes)
    whole = reference.axis_matrix(source, target, scale, cubic_coeff_a=-0.5, **attributes)
    for first in range(0, target, 5):
        for last in (first + 1, min(first + 9, target)):
            window = cut(axis, first, last)
            assert 0 <= window.start < window.stop <= source
            expected = whole[first:last]
            np.testing.assert_allclose(
                window.matrix, expected[:, window.start : window.stop], atol=1e-12
            )
            outside = np.delete(expected, np.s_[window.start : window.stop], axis=1)
            assert np.abs(outside).max(initial=0) < 1e-12


def test_a_window_is_no_wider_than_its_taps():
    window = cut(Axis(10_000, 27_000, 2.7), 13_000, 13_256)
    assert window.stop - window.start <= 256 / 2.7 + 5


def test_resample_is_the_operator():
    planes = np.random.default_rng(0).random((3, 20, 30), np.float32)
    rows, columns = cut(Axis(20, 54, 2.7), 10, 40), cut(Axis(30, 81, 2.7), 7, 81)
    crop = planes[:, rows.start : rows.stop, columns.start : columns.stop]
    expected = reference.dynamic_upscale(planes, size=(54, 81))  # the same: 20 * 2.7 is whole
    np.testing.assert_allclose(
        resample(crop, rows, columns), expected[:, 10:40, 7:81], rtol=0, atol=2e-7
    )

"""Pictures in pieces: the bits of the whole, and no more memory than is allowed."""

import numpy as np
import pytest
import torch
from networks_by_hand import identity
from pictures import noise

import sr_ops
from sr_ops.errors import ImageError, ModelError
from sr_ops.imaging import padding, tiles
from sr_ops.models import ESPCN, SRCNN, MultiScale


def tiled_and_whole(image, model, tile, **keywords):
    """Both in levels of 0..255, as floats."""
    results = [
        sr_ops.upscale_image(image, **keywords, model=model, tile=t).astype(np.float64) * 255
        for t in (tile, None)
    ]
    assert results[0].shape == results[1].shape
    return results


@pytest.mark.parametrize("scale", [1.1, 2, 2.7, (1.7, 3.1), 0.8])
@pytest.mark.parametrize(
    "architecture", ["srcnn", "srcnn_luma", "espcn", "espcn_rgb", "multiscale", None]
)
@pytest.mark.parametrize("channels", [3, 4])
def test_tiles_have_no_seams(scale, architecture, channels):
    torch.manual_seed(0)
    model = {
        "srcnn": SRCNN(features=(8, 4)),
        "srcnn_luma": SRCNN(1, features=(8, 4)),
        "espcn": ESPCN(3, features=(8, 8, 4)),
        "espcn_rgb": ESPCN(2, channels=3, features=(8, 8, 4)),
        "multiscale": MultiScale((8, 8)),
    }.get(architecture)
    image = noise(29, 37, channels, dtype=np.float32)
    tiled, whole = tiled_and_whole(image, model, 37, scale=scale)
    if channels == 4:
        # What can be seen of a colour is its product with alpha. The colour by itself is that
        # product divided by alpha: where little can be seen, little of it is known in float32.
        tiled, whole = (
            np.dstack([side[..., :3] * (side[..., 3:] / 255), side[..., 3]])
            for side in (tiled, whole)
        )
    assert np.abs(tiled - whole).max() < 1e-4


@pytest.fixture(params=[1, 2])
def torch_threads(request):
    usual = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(usual)


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("scale", [0.4, 1.3, 2.7, 7.3])
@pytest.mark.parametrize("model", ["espcn_x2", "espcn_x3", "espcn_x4", "srcnn"])
def test_torch_rounds_a_small_tile_as_it_rounds_the_whole(model, scale):
    """By itself it computes convolutions of few elements in another way than those of many."""
    for image in (noise(50, 70, dtype=np.float32), noise(60, 45, 3, dtype=np.float32)):
        tiled, whole = tiled_and_whole(image, model, 37, scale=scale, backend="torch")
        assert np.abs(tiled - whole).max() < 1e-4


def test_tiles_within_inference_mode():
    image = noise(50, 70, dtype=np.float32)
    with torch.inference_mode():
        tiled, whole = tiled_and_whole(image, "espcn_x3", 37, scale=7.3, backend="torch")
    assert np.abs(tiled - whole).max() < 1e-4


@pytest.mark.parametrize("scale", [1.3, 7.3])
@pytest.mark.parametrize("form", ["float", "alpha", "black_and_white"])
def test_tiles_have_the_bits_of_the_whole(form, scale):
    """The operator's part is computed in one way, in how many pieces soever."""
    image = noise(60, 70, 4 if form == "alpha" else 3, dtype=np.float32)
    image = np.round(image) if form == "black_and_white" else image
    for model in (None, identity(1)):
        tiled, whole = tiled_and_whole(image, model, 41, scale=scale)
        np.testing.assert_array_equal(tiled, whole)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiles_of_transparent_pictures_agree_to_a_level_where_anything_is_seen(dtype):
    image = noise(60, 70, 4, dtype=dtype)
    tiled, whole = (
        sr_ops.upscale_image(image, 2.7, model="espcn", tile=tile).astype(np.int64)
        for tile in (48, None)
    )
    assert np.abs(tiled - whole)[whole[..., 3] > 0].max() <= 1
    assert (tiled == whole).mean() > 0.999


def test_memory_that_a_container_may_use(monkeypatch):
    monkeypatch.setattr(tiles, "_limits", lambda: iter([2**40, 2**20]))
    with pytest.raises(ImageError, match=r"600 x 600 pixels, needs 0\.0 GiB of memory; 0\.0 GiB"):
        sr_ops.upscale_image(noise(60, 60, 3), 10)
    assert sr_ops.upscale_image(noise(60, 60, 3), 2).shape == (120, 120, 3)


def test_memory_is_known():
    assert 2**24 < tiles.available_memory() < 2**50


def test_memory_bounds_the_tiles():
    net = SRCNN(features=(8, 4)).eval()
    image = noise(100, 150, 3)
    steps = {}
    for mebibytes in (2, 8, 1024):
        counted = []
        sr_ops.upscale_image(
            *(image, 2),
            model=net,
            max_memory=mebibytes << 20,
            progress=lambda done, total: counted.append(total),  # noqa: B023
        )
        steps[mebibytes] = counted[0]
    assert steps[2] > steps[8] > steps[1024] == 1


def test_a_network_is_asked_at_other_sizes_until_one_does():
    asked = []

    def run(planes):
        asked.append(planes.shape[2:])
        if planes.shape[2] % 8 or planes.shape[3] % 8:
            raise ModelError("sides of 8 only")
        return planes

    planes = np.random.default_rng(0).random((1, 3, 9, 16), np.float32)
    whole = padding.padded(run, 1)
    np.testing.assert_array_equal(whole(planes), planes)
    assert asked[-1] == (16, 16)
    asked.clear()
    np.testing.assert_array_equal(whole(planes), planes)
    assert asked == [(16, 16)]  # what was found is remembered


def test_a_network_that_takes_no_size_says_why():
    def run(planes):
        raise ModelError(f"not {planes.shape[2]} rows")

    with pytest.raises(ModelError, match=r"^not 9 rows$"):
        padding.padded(run, 1)(np.zeros((1, 3, 9, 16), np.float32))


def test_a_network_of_another_factor_is_left_to_the_caller():
    def run(planes):
        return planes[:, :, ::2, ::2]

    result = padding.padded(run, 1)(np.zeros((1, 3, 9, 16), np.float32))
    assert result.shape == (1, 3, 5, 8)

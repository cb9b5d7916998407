"""Photographs that anyone may use: public domain, CC0, CC-BY or BSD, each by its own statement.

They come inside packages of PyPI and of Debian, which are fetched when the training's pictures are
packed (prepare.py). Where source and licence are stated:

=================  ===============================================================================
scikit-image       docstrings of the functions that load them, skimage.data
scikit-learn       sklearn/datasets/images/README.txt
Debian packages    /usr/share/doc/PACKAGE/copyright, and README.md beside the pictures
=================  ===============================================================================

    python training/photographs.py FOLDER    writes those that are held out from training
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import skimage.data
from numpy.typing import NDArray

from sr_ops import imaging

#: Name in skimage.data -> whose picture it is, and its licence.
TRAINING = {
    "brick": "brick wall, CC0Textures, CC0",
    "camera": "photographer at work, Lav Varshney, CC0",
    "grass": "grass, linolafett, CC0",
    "gravel": "gravel, CC0Textures, CC0",
    "horse": "silhouette of a horse, Andreas Preuss, CC0",
    "hubble_deep_field": "Hubble eXtreme Deep Field, NASA, public domain",
    "retina": "fundus of an eye, Mikael Häggström, CC0",
    "rocket": "launch of DSCOVR, SpaceX, public domain",
    "text": "text on paper, Wikipedia, public domain",
}
LUMA = (0.299, 0.587, 0.114)  # BT.601
#: Never seen in training, nor when a recipe is chosen.
HELD_OUT = {
    "astronaut": "Eileen Collins, NASA, public domain",
    "chelsea": "Chelsea the cat, Stefan van der Walt, CC0",
    "coffee": "cup of coffee, Rachel Michetti, CC0",
}
#: Not trained on either; what recipes and the network for a scale are chosen by.
VALIDATION = ("coins", "immunohistochemistry", "page", "stereo_motorcycle")


class Photograph(NamedTuple):
    """A file of a package, and what is to be done before it serves for training."""

    file: str  # within the unpacked package
    shrink: float  # both sides, so that no trace of the camera's and the JPEG's smoothing is left
    credit: str  # what it shows, whose it is, its licence


_LOMIRI = "usr/share/backgrounds"
_JXL = "usr/share/libjxl-testdata"
#: Package -> photographs in it.
PACKAGES = {
    "lomiri-wallpapers-16.04": (
        Photograph(f"{_LOMIRI}/Picture_0B_by_freespace.jpg", 2, "fig, Freespace, CC-BY-4.0"),
        Photograph(f"{_LOMIRI}/Picture_1A_by_freespace.jpg", 2, "brushes, Freespace, CC-BY-4.0"),
        Photograph(f"{_LOMIRI}/Wine_by_Jakkub_Mede.jpg", 3, "room, Jakub Mede, CC-BY-4.0"),
        Photograph(
            f"{_LOMIRI}/aitzgorri_by_Aitzol_Berasategi.jpg",
            2,
            "Aitzgorri, Aitzol Berasategi, CC-BY-4.0",
        ),
        Photograph(
            f"{_LOMIRI}/friends_by_Aitzol_Berasategi.jpg", 2, "dogs, Aitzol Berasategi, CC-BY-4.0"
        ),
        Photograph(
            f"{_LOMIRI}/life_by_Aitzol_Berasategi.jpg", 2, "brook, Aitzol Berasategi, CC-BY-4.0"
        ),
        Photograph(
            f"{_LOMIRI}/picosdeeuropa_by_Aitzol_Berasategi.jpg",
            2,
            "Picos de Europa, Aitzol Berasategi, CC-BY-4.0",
        ),
        Photograph(
            f"{_LOMIRI}/seeding_by_Clements_Engelhardt.jpg",
            3,
            "dandelions, Clemens Engelhardt, CC0",
        ),
        Photograph(
            f"{_LOMIRI}/sunset_by_Aitzol_Berasategi.jpg", 3, "sunset, Aitzol Berasategi, CC-BY-4.0"
        ),
    ),
    "libjxl-testdata": (
        Photograph(f"{_JXL}/jxl/flower/flower.png", 1.5, "flowers, JPEG XL authors, BSD-3-Clause"),
        Photograph(f"{_JXL}/jxl/hdr_room.png", 1, "room, JPEG XL authors, BSD-3-Clause"),
        Photograph(
            f"{_JXL}/external/wesaturate/500px/cvo9xd_keong_macan_srgb8.png",
            1,
            "cliff, Keong Macan, CC0",
        ),
        Photograph(
            f"{_JXL}/external/wesaturate/500px/tmshre_riaphotographs_srgb8.png",
            1,
            "tulips, riaphotographs, CC0",
        ),
        Photograph(
            f"{_JXL}/external/wesaturate/500px/u76c0g_bliznaca_srgb8.png",
            1,
            "blossom, bliznaca, CC0",
        ),
    ),
    "scikit-learn": (
        Photograph("sklearn/datasets/images/china.jpg", 1.5, "pavilion, danielbuechele, CC-BY-2.0"),
        Photograph("sklearn/datasets/images/flower.jpg", 1.5, "flower, vultilion, CC-BY-2.0"),
    ),
}


def load(name: str) -> NDArray[Any]:
    """(H, W, 3) uint8 RGB of a picture in skimage.data; of a stereo pair, the left one."""
    image = getattr(skimage.data, name)()
    if isinstance(image, tuple):
        image = image[0]
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)


def gray() -> list[NDArray[Any]]:
    """The luma of those for training that scikit-image has, (H, W) uint8."""
    return [to_gray(load(name)) for name in TRAINING]


def credits() -> list[str]:
    """Of every picture that is trained on."""
    packaged = [photograph.credit for group in PACKAGES.values() for photograph in group]
    return [*TRAINING.values(), *packaged]


def to_gray(picture: NDArray[Any], mixture: Sequence[float] = LUMA) -> NDArray[Any]:
    """(H, W, 3) uint8 to (H, W) uint8; ``mixture`` says how much of each channel."""
    return np.clip(np.round(picture @ np.asarray(mixture)), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    imaging.make_folder(folder)
    for name in HELD_OUT:
        imaging.write_image(folder / f"{name}.png", load(name))

"""Photographs that anyone may use: they come inside scikit-image, public domain or CC0.

Source and licence of each stand in the docstring of the scikit-image function that loads it
(https://scikit-image.org/docs/stable/api/skimage.data.html).

    python examples/python/photographs.py FOLDER    writes those that are held out from training
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
#: Never seen in training.
HELD_OUT = {
    "astronaut": "Eileen Collins, NASA, public domain",
    "chelsea": "Chelsea the cat, Stefan van der Walt, CC0",
    "coffee": "cup of coffee, Rachel Michetti, CC0",
}


def load(name: str) -> NDArray[Any]:
    """(H, W, 3) uint8 RGB."""
    image = getattr(skimage.data, name)()
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)


def gray() -> list[NDArray[Any]]:
    """The luma of those for training, (H, W) uint8."""
    return [to_gray(load(name)) for name in TRAINING]


def to_gray(picture: NDArray[Any], mixture: Sequence[float] = LUMA) -> NDArray[Any]:
    """(H, W, 3) uint8 to (H, W) uint8; ``mixture`` says how much of each channel."""
    return np.clip(np.round(picture @ np.asarray(mixture)), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    imaging.make_folder(folder)
    for name in HELD_OUT:
        imaging.write_image(folder / f"{name}.png", load(name))

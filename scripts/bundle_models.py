"""Put trained weights into the package, as safetensors and as ONNX files that need no torch.

    python scripts/bundle_models.py weights/*.pth

The names are those of the files; notes on the training, NAME.json, come along. What the networks
are worth is measured afterwards: `sr-ops eval FOLDER --markdown docs/model-card.md`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import onnx
import safetensors.torch

from sr_ops import models

FOLDER = Path(models.__file__).parent / "weights"


def main() -> None:
    """Every file that the command line names."""
    FOLDER.mkdir(exist_ok=True)
    for path in map(Path, sys.argv[1:]):
        network = models.load(path)
        weights = {key: value.contiguous() for key, value in network.state_dict().items()}
        safetensors.torch.save_file(weights, FOLDER / f"{path.stem}.safetensors")
        onnx.save(models.to_onnx(network), FOLDER / f"{path.stem}.onnx")
        notes = path.with_suffix(".json")
        if notes.exists() and notes.resolve().parent != FOLDER.resolve():
            shutil.copy(notes, FOLDER)
        print(FOLDER / path.stem)


if __name__ == "__main__":
    main()

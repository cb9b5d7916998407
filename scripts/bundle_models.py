"""Put trained weights into the package, as safetensors and as ONNX files that need no torch.

    python scripts/bundle_models.py weights/*.pth

The names are those of the files. What they are worth is measured afterwards, by
`sr-ops eval --card docs/model-card.json`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import safetensors.torch
import torch

import sr_ops
from sr_ops import models
from sr_ops.models.traits import Traits

FOLDER = Path(models.__file__).parent / "weights"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in map(Path, sys.argv[1:]):
        network = models.load(path)
        weights = {key: value.contiguous() for key, value in network.state_dict().items()}
        safetensors.torch.save_file(weights, FOLDER / f"{path.stem}.safetensors")
        write_onnx(network, FOLDER / f"{path.stem}.onnx")
        print(FOLDER / path.stem)


def write_onnx(network: torch.nn.Module, path: Path) -> None:
    """Inputs x and scale (two elements); says what it is in its metadata."""
    example = (torch.zeros(1, network.channels, 16, 16), torch.tensor([2.0, 2.0]))
    model = sr_ops.onnx.export(network, example, output_names=["y"])
    onnx.helper.set_model_props(model, Traits.of(network).to_metadata())
    onnx.save(model, path)


if __name__ == "__main__":
    main()

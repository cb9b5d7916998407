"""Put trained weights into the package, as safetensors and as ONNX files that need no torch.

    python training/bundle.py build/training/*.safetensors

The names are those of the files; notes on the training, NAME.json, come along. What the networks
are worth is measured afterwards: `sr-ops eval FOLDER --markdown docs/model-card.md`, then
`training/curves.py`, which shows there how training went.

The weights are there once: the ONNX file finds its own, as external data, in the safetensors file.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
import safetensors.torch
from onnx.external_data_helper import set_external_data

from sr_ops import models

FOLDER = Path(models.__file__).parent / "weights"


def main() -> None:
    """Every file that the command line names."""
    FOLDER.mkdir(exist_ok=True)
    for path in map(Path, sys.argv[1:]):
        network = models.load(path)
        weights = {key: value.contiguous() for key, value in network.state_dict().items()}
        weights_file = FOLDER / f"{path.stem}.safetensors"
        safetensors.torch.save_file(weights, weights_file)
        weights_file.chmod(0o644)  # written for its owner alone; a wheel keeps that
        model = models.to_onnx(network)
        leave_weights_in(weights_file, model)
        onnx.save(model, FOLDER / f"{path.stem}.onnx")
        notes = path.with_suffix(".json")
        if notes.exists() and notes.resolve().parent != FOLDER.resolve():
            shutil.copy(notes, FOLDER)
        print(FOLDER / path.stem)


def leave_weights_in(file: Path, model: onnx.ModelProto) -> None:
    """Replace the values of the model's weights by their place in a safetensors file.

    Its layout (https://huggingface.co/docs/safetensors): the length of the header in 8 bytes, the
    header in JSON, then the tensors, whose offsets count from there.
    """
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    for tensor in initializers(model.graph):
        if tensor.name in header:
            first, end = (8 + length + offset for offset in header[tensor.name]["data_offsets"])
            set_external_data(tensor, file.name, offset=first, length=end - first)
            tensor.ClearField("raw_data")


def initializers(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Of a graph and of those within it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from initializers(attribute.g)


if __name__ == "__main__":
    main()

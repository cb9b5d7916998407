"""Export models by both exporters, run the files, and write the table of docs/onnx.md.

    python scripts/docs/export_table.py [WORD ...]

A row: which dimensions were changed, the largest difference to the model itself over three sizes,
and the operators that the file holds. Rows of packages that are not installed here (timm and
torchvision, which make matrix-torch installs) stay as they are, and so do those that have none of
the words in their names.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import sr_ops
from sr_ops.errors import ExportError

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "onnx.md"
BEGIN, END = "<!-- models:begin -->", "<!-- models:end -->"
HEADER = (
    "| model | exporter | dynamic in | largest difference | operator |\n"
    "| --- | --- | --- | --- | --- |\n"
)
SIZES = ((56, 84), (84, 42), (140, 112))
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 28,
    "patch_size": 7,
}


class Subject(NamedTuple):
    """A model, and how it is called.

    Attributes:
        make: the model, with random weights.
        package: what it needs; "": nothing more.
        scales: of the three calls; None: it takes none.
        uint8: it takes bytes.
    """

    make: Callable[[], torch.nn.Module]
    package: str = ""
    scales: tuple[float, float, float] | None = None
    uint8: bool = False


class Hidden(torch.nn.Module):
    """The features of a model of transformers."""

    def __init__(self, name: str, **keywords: Any) -> None:
        super().__init__()
        import transformers

        model = getattr(transformers, f"{name}Model")
        self.keywords = keywords
        self.model = model(getattr(transformers, f"{name}Config")(**SMALL))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any multiple of the patch."""
        features: torch.Tensor = self.model(x, **self.keywords).last_hidden_state
        return features


class PythonFactors(torch.nn.Module):
    """How the original DINOv2 resamples its embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = torch.nn.Parameter(torch.rand(1, 4, 4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any multiple of the patch."""
        height, width = x.shape[2] // 7, x.shape[3] // 7
        factors = (float(height + 0.1) / 4, float(width + 0.1) / 4)
        tokens = torch.nn.functional.interpolate(
            self.embeddings, scale_factor=factors, mode="bicubic"
        )
        return tokens.permute(0, 2, 3, 1).reshape(1, -1, 4) + x.mean((1, 2, 3)).reshape(-1, 1, 1)


class ShorterSide(torch.nn.Module):
    """An image processor written by hand."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any size."""
        height, width = x.shape[-2:]
        size = (48, int(48 * width / height)) if height < width else (int(48 * height / width), 48)
        y = torch.nn.functional.interpolate(x, size=size, mode="bicubic", antialias=True)
        top, left = round((y.shape[2] - 48) / 2), round((y.shape[3] - 48) / 2)
        return (y[:, :, top : top + 48, left : left + 48] - 0.5) / 0.25


def _timm() -> torch.nn.Module:
    import timm  # type: ignore[import-not-found]

    small = {"img_size": 28, "patch_size": 7, "embed_dim": 16, "depth": 1, "num_heads": 2}
    name = "vit_tiny_patch16_224"
    model: torch.nn.Module = timm.create_model(name, num_classes=4, dynamic_img_size=True, **small)
    return model


class Torchvision(torch.nn.Module):
    """Its own transforms; ``patch``, since torch itself rounds bytes between its two passes."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.transforms import (  # type: ignore[import-not-found]
            InterpolationMode,
            v2,
        )

        resize = v2.Resize(48, interpolation=InterpolationMode.BICUBIC, antialias=True)
        self.transforms = v2.Compose(
            [resize, v2.CenterCrop(40), v2.ToDtype(torch.float32, scale=True)]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any size."""
        y: torch.Tensor = self.transforms(x)
        return y


POSITIONS = {"interpolate_pos_encoding": True}
SUBJECTS = {
    "sr_ops: SRCNN": Subject(sr_ops.models.SRCNN, scales=(2.0, 2.7, 1.4)),
    "transformers: ViT": Subject(lambda: Hidden("ViT", **POSITIONS), "transformers"),
    "transformers: CLIP": Subject(lambda: Hidden("CLIPVision", **POSITIONS), "transformers"),
    "transformers: DINOv2": Subject(lambda: Hidden("Dinov2"), "transformers"),
    "transformers: DINOv2 with registers": Subject(
        lambda: Hidden("Dinov2WithRegisters"), "transformers"
    ),
    "timm: ViT (`dynamic_img_size=True`)": Subject(_timm, "timm"),
    "factors made by `float(…)`, as in the original DINOv2": Subject(PythonFactors),
    "shorter side, centre crop, normalise, written by hand": Subject(ShorterSide),
    "torchvision: `v2.Resize`, `CenterCrop`, `ToDtype` on uint8": Subject(
        Torchvision, "torchvision", uint8=True
    ),
}


def main(words: list[str]) -> int:
    """Print the table row by row; write it at the end."""
    old = _split(PAGE.read_text())[1]
    known = {tuple(line.split(" | ")[:2]): line + "\n" for line in old.splitlines()}
    table = HEADER
    for name, subject in SUBJECTS.items():
        for exporter in ("dynamo", "torchscript"):
            there = not subject.package or importlib.util.find_spec(subject.package)
            there = there and (not words or any(word in name for word in words))
            key = (f"| {name}", f"`{exporter}`")
            line = _row(name, subject, exporter) if there else known.get(key)
            line = line or f"{' | '.join(key)} | not run | | |\n"
            print(line, end="", flush=True)
            table += line
    before, _, after = _split(PAGE.read_text())
    PAGE.write_text(f"{before}{BEGIN}\n{table}{END}{after}")
    return 0


def _split(text: str) -> tuple[str, str, str]:
    """The page before the table, the table, and the page after it."""
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    return before, table, after


def _row(name: str, subject: Subject, exporter: str) -> str:
    start = f"| {name} | `{exporter}` |"
    torch.manual_seed(0)
    model = subject.make().eval()
    calls = [_call(subject, position) for position in range(len(SIZES))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exported = sr_ops.onnx.export(model, calls[0], exporter=exporter)
    except ExportError as error:
        return f"{start} refused: {_reason(error)} | | |\n"
    session = sr_ops.onnx.make_session(exported)
    largest = max(_difference(model, session, call) for call in calls)
    dynamic = "batch, H, W" + (", scale" if subject.scales else "")
    nodes = {node.op_type for node in _nodes(exported.graph) if node.domain == "sr_ops"}
    return f"{start} {dynamic} | {largest:.1g} | {', '.join(sorted(nodes))} |\n"


def _call(subject: Subject, position: int) -> tuple[Any, ...]:
    """The first is the example; the others have another batch, size and scale."""
    generator = torch.Generator().manual_seed(position)
    shape = (1 + position, 3, *SIZES[position])
    image: torch.Tensor = torch.rand(shape, generator=generator)
    if subject.uint8:
        image = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return (image, subject.scales[position]) if subject.scales else (image,)


def _difference(model: torch.nn.Module, session: Any, call: tuple[Any, ...]) -> float:
    names = [value.name for value in session.get_inputs()]
    arrays = [
        item.numpy() if isinstance(item, torch.Tensor) else np.array(item, np.float32)
        for item in call
    ]
    (got,) = session.run(None, dict(zip(names, arrays, strict=True)))
    with torch.no_grad(), sr_ops.compat.patch():
        want = model(*call).numpy()
    if got.shape != want.shape:
        raise SystemExit(f"{got.shape} instead of {want.shape}")
    return float(np.abs(got - want).max())


def _nodes(graph: Any) -> list[Any]:
    nodes = list(graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                nodes += _nodes(attribute.g)
    return nodes


def _reason(error: ExportError) -> str:
    """What kind of fault it is, without the sizes at which it showed."""
    reason = ": ".join(str(error).split(": ")[:2])
    return reason.split(" (")[0].replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

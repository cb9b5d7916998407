"""Models that stay as they are: ONNX Runtime alone against the same file with the provider.

Three shapes of network in which people use bicubic, written by plain ``torch.onnx.export``. Their
weights are random: the time does not depend on them.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from measure import Contender
from torch import nn
from torch.nn import functional

import sr_ops


class PlainSRCNN(nn.Module):
    """Bicubic ×3, then three convolutions (Dong et al. 2014)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 64, 9, padding=4), nn.ReLU(), nn.Conv2d(64, 32, 1), nn.ReLU(),
            nn.Conv2d(32, 3, 5, padding=2),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = (x.shape[2] * 3, x.shape[3] * 3)
        return self.layers(functional.interpolate(x, size=size, mode="bicubic"))


class ViT(nn.Module):
    """ViT-Tiny: the embedding of the positions is resized to the image, as DINO and others do."""

    def __init__(self, width: int = 192, depth: int = 12, heads: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, stride=16)
        self.positions = nn.Parameter(torch.randn(1, width, 14, 14) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x)
        size = tokens.shape[2:]
        positions = functional.interpolate(self.positions, size=size, mode="bicubic")
        return self.blocks((tokens + positions).flatten(2).transpose(1, 2))


class UNet(nn.Module):
    """Four levels; the decoder enlarges by bicubic, then convolves."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        before = [3, *widths[:-1]]
        self.down = nn.ModuleList(self._block(a, b) for a, b in zip(before, widths, strict=True))
        self.up = nn.ModuleList(
            self._block(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.last = nn.Conv2d(width, 1, 1)

    @staticmethod
    def _block(before: int, after: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1), nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = functional.max_pool2d(x, 2)
        x = kept.pop()
        for block in self.up:
            size = (x.shape[2] * 2, x.shape[3] * 2)
            x = functional.interpolate(x, size=size, mode="bicubic", align_corners=False)
            x = block(torch.cat([x, kept.pop()], dim=1))
        return self.last(x)


#: Name -> (network, height and width of the image)
NETWORKS = {
    "SRCNN, bicubic ×3 first": (PlainSRCNN, 128),
    "ViT-Tiny, bicubic position embedding": (ViT, 384),
    "U-Net, bicubic decoder": (UNet, 256),
}


@functools.cache
def _exported(name: str) -> bytes:
    torch.manual_seed(0)
    make, size = NETWORKS[name]
    step = 16  # of both patches and levels
    height = step * torch.export.Dim("h", min=2, max=64)
    width = step * torch.export.Dim("w", min=2, max=64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            make().eval(), (torch.rand(1, 3, size, size),), path, input_names=["x"],
            dynamic_shapes=({2: height, 3: width},), external_data=False, verbose=False,
        )  # fmt: skip
        return path.read_bytes()


def untouched(threads: int) -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """The same file, opened in two ways."""
    for name, (_, size) in NETWORKS.items():
        content = _exported(name)
        feeds = {"x": np.random.default_rng(0).random((1, 3, size, size), dtype=np.float32)}
        contenders = {}
        for contender, accelerate in (("onnxruntime", None), ("sr_ops", "provider")):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.log_severity_level = 3
            session = sr_ops.onnx.make_session(
                content, providers=["CPUExecutionProvider"], sess_options=options,
                accelerate=accelerate,
            )  # fmt: skip
            contenders[contender] = functools.partial(session.run, None, feeds)
        moved = [node for node in sr_ops.onnx.explain(session).nodes if node.path == "provider"]
        stock, ours = (run()[0] for run in contenders.values())
        case = {
            "model": name,
            "shape": [1, 3, size, size],
            "threads": threads,
            "nodes": len(moved),
            "difference": float(np.abs(stock - ours).max()),
            "largest": float(np.abs(stock).max()),
        }
        yield case, contenders

"""Train the networks that sr_ops brings along, from photographs that come inside scikit-image.

    python examples/python/train.py espcn --factor 3
    python examples/python/train.py espcn --factor 3 --start weights/espcn_x3.pth \\
        --bfloat16 --learning-rate 5e-4 --loss l2 --steps 8000 --output tuned
    python examples/python/train.py srcnn

Writes OUT/NAME.pth. Interrupt it at will: the same command goes on from the last saved state. The
pictures that are held out (photographs.py) are never looked at; `sr-ops eval` does that.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import photographs
import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import sr_ops
from sr_ops.imaging import colour
from sr_ops.imaging.evaluation import degrade
from sr_ops.models import ESPCN, SRCNN, read_state_dict

#: Each photograph is used at these sizes. Much smaller ones are sharper than photographs are.
SIZES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
SRCNN_FACTORS = (1.5, 2, 2.5, 3, 4)
LOSSES = {"l1": nn.functional.l1_loss, "l2": nn.functional.mse_loss}
CANDIDATES = 2
SAVE_EVERY = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("architecture", choices=["srcnn", "espcn"])
    parser.add_argument("--factor", type=int, default=3, help="ESPCN's own factor")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--loss", choices=LOSSES, default="l1")
    parser.add_argument("--start", type=Path, help="weights to begin with, instead of plain ones")
    parser.add_argument(
        "--bfloat16", action="store_true", help="convolve in bfloat16: faster, a little coarser"
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES, help="of photographs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=Path("weights"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    if options.architecture == "srcnn":
        name, network, pairs = "srcnn", srcnn_near_identity(), srcnn_pairs(options.sizes)
        patch, ratio = 48, 1
    else:
        name, network = f"espcn_x{options.factor}", espcn_near_nearest(options.factor)
        pairs, patch, ratio = espcn_pairs(options.factor, options.sizes), 32, options.factor
    if options.start is not None:
        begin_with(network, read_state_dict(options.start))
    train(name, network.to(options.device), Patches(pairs, patch, ratio, options.seed), options)


def train(name: str, network: nn.Module, patches: Patches, options: argparse.Namespace) -> None:
    """Adam, cosine learning rate; what is saved is the moving average of the weights."""
    network = network.to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    optimizer = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    parts = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
    options.output.mkdir(parents=True, exist_ok=True)
    state_file = options.output / f"{name}.state"
    first = resume(state_file, parts, patches)
    with Progress() as progress:
        task = progress.add_task(name, total=options.steps, completed=first)
        smooth = math.nan
        for step in range(first, options.steps):
            x, target = (t.to(options.device) for t in patches.draw(options.batch))
            with torch.autocast(options.device, torch.bfloat16, enabled=options.bfloat16):
                output = network(x, 1) if name == "srcnn" else network(x)
            loss = LOSSES[options.loss](output.float(), target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 0.1)
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            value = float(nn.functional.l1_loss(output.detach(), target)) * 255
            smooth = value if math.isnan(smooth) else 0.99 * smooth + 0.01 * value
            progress.update(task, advance=1, description=f"{name}  L1 {smooth:.3f}")
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == options.steps:
                save(state_file, step + 1, parts, patches)
                torch.save(average.module.state_dict(), options.output / f"{name}.pth")
    notes = describe(options, patches, average.module, name)
    (options.output / f"{name}.json").write_text(json.dumps(notes, indent=1) + "\n")
    print(f"{options.output / name}.pth")


def describe(
    options: argparse.Namespace, patches: Patches, network: nn.Module, name: str
) -> dict[str, object]:
    """What the model card tells about the training."""
    with torch.no_grad():
        losses = []
        for _ in range(100):
            x, target = (t.to(options.device) for t in patches.draw(options.batch))
            output = network(x, 1) if name == "srcnn" else network(x)
            losses.append(float(nn.functional.l1_loss(output, target)) * 255)
    return {
        "photographs": "; ".join(photographs.TRAINING.values()),
        "held_out": "; ".join(photographs.HELD_OUT.values()),
        "photographs_at_sizes": ", ".join(map(str, options.sizes)),
        "degradation": "bicubic (a = -0.5), antialiased, rounded to 8 bits",
        "factors": ", ".join(map(str, SRCNN_FACTORS)) if name == "srcnn" else options.factor,
        "loss": f"{options.loss.upper()}; L1 is {np.mean(losses):.3f} levels of 0..255 on training "
        "patches at the end",
        "optimizer": f"Adam, {options.learning_rate:g} to 0 along a cosine, gradient norm <= 0.1",
        "steps": options.steps,
        "patches_per_step": f"{options.batch} of {patches.patch} x {patches.patch}, each the "
        f"liveliest of {CANDIDATES} drawn at random",
        "weights": "moving average, decay 0.999",
        "convolutions": "bfloat16" if options.bfloat16 else "float32",
        "seed": options.seed,
        **earlier_training(options.start),
    }


def earlier_training(start: Path | None) -> dict[str, str]:
    """What was done before to the weights that this training began with, in short."""
    if start is None:
        return {}
    notes_file = start.with_suffix(".json")
    notes = json.loads(notes_file.read_text()) if notes_file.exists() else {}
    keys = ("factors", "steps", "patches_per_step", "loss", "optimizer", "convolutions", "before")
    return {"before": "; ".join(f"{key} {notes[key]}" for key in keys if key in notes)}


def begin_with(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Take over every tensor that fits: the last layers of ESPCN differ between factors."""
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict({**own, **fitting})


def resume(file: Path, parts: dict[str, nn.Module], patches: Patches) -> int:
    """The step to go on from: 0, or that of the saved state, which is restored."""
    if not file.exists():
        return 0
    state = torch.load(file, weights_only=True)
    for key, part in parts.items():
        part.load_state_dict(state[key])
    patches.random = np.random.default_rng(state["step"])
    return int(state["step"])


def save(file: Path, step: int, parts: dict[str, nn.Module], patches: Patches) -> None:
    state = {key: part.state_dict() for key, part in parts.items()}
    patches.random = np.random.default_rng(step)  # so that a resumed run draws the same patches
    torch.save({"step": step, **state}, file.with_suffix(".tmp"))
    file.with_suffix(".tmp").replace(file)


class Patches:
    """Random patches, turned and mirrored, out of pairs of a network's input and target.

    Args:
        pairs: planes (C, h, w) and (C, ratio h, ratio w), float32 in 0..1.
        patch: side of the input's patches.
    """

    def __init__(
        self, pairs: list[tuple[np.ndarray, np.ndarray]], patch: int, ratio: int, seed: int
    ) -> None:
        self.pairs = [pair for pair in pairs if min(pair[0].shape[1:]) >= patch]
        areas = np.array([pair[0][0].size for pair in self.pairs], np.float64)
        self.weights = np.sqrt(areas) / np.sqrt(areas).sum()
        self.patch, self.ratio = patch, ratio
        self.random = np.random.default_rng(seed)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        drawn = [self._one() for _ in range(count)]
        x, target = (torch.from_numpy(np.stack(side)) for side in zip(*drawn, strict=True))
        return x, target

    def _one(self) -> tuple[np.ndarray, np.ndarray]:
        """The liveliest of a few: much of a photograph is smooth, and teaches nothing."""
        candidates = [self._any() for _ in range(CANDIDATES)]
        return max(candidates, key=lambda pair: float(pair[1].std()))

    def _any(self) -> tuple[np.ndarray, np.ndarray]:
        x, target = self.pairs[self.random.choice(len(self.pairs), p=self.weights)]
        top, left = (self.random.integers(n - self.patch + 1) for n in x.shape[1:])
        turns, mirror = self.random.integers(4), self.random.integers(2)
        patches = []
        for planes, r in ((x, 1), (target, self.ratio)):
            part = planes[:, top * r :, left * r :][:, : self.patch * r, : self.patch * r]
            part = np.rot90(part, turns, axes=(1, 2))
            patches.append(np.ascontiguousarray(part[:, :, ::-1] if mirror else part))
        return patches[0], patches[1]


def photographs_at(sizes: Sequence[float]) -> list[np.ndarray]:
    pictures = [photographs.load(name) for name in photographs.TRAINING]
    return [degrade(picture, 1 / size) for picture in pictures for size in sizes]


def espcn_pairs(factor: int, sizes: Sequence[float]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Small luma and large luma."""
    pairs = []
    for picture in photographs_at(sizes):
        large = picture[
            : picture.shape[0] // factor * factor, : picture.shape[1] // factor * factor
        ]
        pairs.append((luma_plane(degrade(large, factor)), luma_plane(large)))
    return pairs


def srcnn_pairs(sizes: Sequence[float]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The bicubic picture, from several factors, and what it should have been; luma."""
    pairs = []
    for picture in photographs_at(sizes):
        for factor in SRCNN_FACTORS:
            small = luma_plane(degrade(picture, factor))
            x = sr_ops.upscale_image(small[0], factor)[None]
            pairs.append((x, luma_plane(picture)[:, : x.shape[1], : x.shape[2]]))
    return pairs


def luma_plane(picture: np.ndarray) -> np.ndarray:
    return colour.luma(colour.to_unit(picture).transpose(2, 0, 1))


def srcnn_near_identity() -> SRCNN:
    """The first channel passes the luma on; the rest starts at random, small."""
    network = SRCNN(channels=1)
    with torch.no_grad():
        network.conv3.weight.mul_(0.1)
        for conv in (network.conv1, network.conv2, network.conv3):
            conv.bias.zero_()
            middle = conv.kernel_size[0] // 2
            conv.weight[0] = 0
            conv.weight[0, 0, middle, middle] = 1
    return network


def espcn_near_nearest(factor: int) -> ESPCN:
    """The first channel passes the luma on; the rest starts at random, small."""
    network = ESPCN(factor)
    with torch.no_grad():
        network.conv4.weight.mul_(0.1)
        for conv in (network.conv1, network.conv2, network.conv3, network.conv4):
            conv.bias.zero_()
            middle = conv.kernel_size[0] // 2
            conv.weight[0] = 0
            conv.weight[0, 0, middle, middle] = 1
        network.conv4.weight[:, 0, 1, 1] = 1
    return network


if __name__ == "__main__":
    main()

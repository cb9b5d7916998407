"""Train the networks that sr_ops brings along, from photographs that come inside scikit-image.

    python examples/python/train.py espcn --factor 3
    python examples/python/train.py espcn --factor 3 --features 48 48 48 48 48 48
    python examples/python/train.py espcn --factor 3 --bfloat16 --output coarse
    python examples/python/train.py espcn --factor 3 --start coarse/espcn_x3.pth \\
        --steps 250 --learning-rate 5e-4
    python examples/python/train.py espcn --factor 3 --features 48 48 48 48 48 48 48 48 48 48 \\
        --start six_layers.pth
    python examples/python/train.py srcnn

The photographs are few, so more is made of them: their colour channels and mixtures of these are
pictures too, at several sizes, turned, mirrored, paler and inverted; and pictures that the computer
paints (generated_pictures.py) are mixed with them.

Writes OUT/NAME.pth. Interrupt it at will: the same command goes on from the last saved state. The
pictures that are held out (photographs.py) are never looked at; `sr-ops eval` does that.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import generated_pictures
import numpy as np
import photographs
import torch
from muon import Muon
from rich.progress import Progress
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

import sr_ops
from sr_ops.imaging import colour
from sr_ops.imaging.evaluation import degrade
from sr_ops.models import ESPCN, SRCNN, read_state_dict

#: Each photograph is used at these sizes. Much smaller ones are sharper than photographs are.
SIZES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
MIXTURES = 2  # of the colour channels, for each size
GENERATED_SIDE = 256
SRCNN_FACTORS = (1.5, 2, 2.5, 3, 4)
CANDIDATES = 2
WARM_UP = 200  # steps
SAVE_EVERY = 500
CHECK_PATCHES = 1600  # at the end, to state the error


def psnr_loss(output: Tensor, target: Tensor) -> Tensor:
    """The logarithm of each patch's mean squared error, as PSNR has it, averaged over patches.

    A mean of squared errors is a matter of the few patches of highest contrast. The offset, a
    noise of three levels, keeps the smoothest from ruling instead.
    """
    errors = (output - target).square().flatten(1).mean(1)
    return (errors + (3 / 255) ** 2).log().mean()


LOSSES = {"l1": nn.functional.l1_loss, "l2": nn.functional.mse_loss, "psnr": psnr_loss}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("architecture", choices=["srcnn", "espcn"])
    parser.add_argument("--factor", type=int, default=3, help="ESPCN's own factor")
    parser.add_argument("--features", type=int, nargs="+", default=(64, 64, 32), help="of ESPCN")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--batch", type=int, default=8, help="patches a step")
    parser.add_argument("--patch", type=int, default=40, help="side of the network's input")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--muon", type=float, default=0.01, help="learning rate of hidden layers")
    parser.add_argument("--loss", choices=LOSSES, default="psnr")
    parser.add_argument("--start", type=Path, help="weights to begin with, instead of plain ones")
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="convolve in bfloat16: faster, but brightness drifts by up to a level; "
        "a few hundred steps without it, begun with the result, mend that",
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES, help="of photographs")
    parser.add_argument("--generated", type=int, default=64, help="how many generated pictures")
    parser.add_argument("--share", type=float, default=0.35, help="of patches that are generated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=Path("weights"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    pictures = from_photographs(options.sizes, np.random.default_rng(options.seed))
    if options.generated:
        pictures = mixed(pictures, generated(options.generated, options.seed), options.share)
    if options.architecture == "srcnn":
        name, network, ratio = "srcnn", srcnn_near_identity(), 1
        pairs = [pair for picture in pictures for pair in srcnn_pairs(picture)]
    else:
        ratio = options.factor
        name, network = f"espcn_x{ratio}", espcn_near_nearest(ratio, options.features)
        pairs = [espcn_pair(picture, ratio) for picture in pictures]
    if options.start is not None:
        begin_with(network, read_state_dict(options.start))
    patches = Patches(pairs, options.patch, ratio, options.seed)
    train(name, network.to(options.device), patches, options)


def train(name: str, network: nn.Module, patches: Patches, options: argparse.Namespace) -> None:
    """Muon and Adam, cosine learning rates; what is saved is the moving average of the weights."""
    network = network.to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=average_in)
    optimizers = optimizers_for(network, options)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up_and_cosine(options.steps))
        for optimizer in optimizers
    ]
    parts = {
        "network": network,
        "average": average,
        **{f"optimizer{i}": optimizer for i, optimizer in enumerate(optimizers)},
        **{f"schedule{i}": schedule for i, schedule in enumerate(schedules)},
    }
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
            network.zero_grad()
            loss.backward()
            for part in (*optimizers, *schedules):
                part.step()
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


def optimizers_for(network: nn.Module, options: argparse.Namespace) -> list[torch.optim.Optimizer]:
    """Muon for the kernels of the hidden layers, Adam for the first, the last and the biases."""
    hidden = [p for p in network.parameters() if p.dim() == 4][1:-1]
    others = [p for p in network.parameters() if not any(p is weight for weight in hidden)]
    return [
        Muon(hidden, options.muon),
        torch.optim.Adam(others, options.learning_rate, betas=(0.9, 0.99)),
    ]


def average_in(averages: Sequence[Tensor], latest: Sequence[Tensor], count: Tensor | int) -> None:
    """An exponential moving average that does not hold on to the first steps."""
    decay = min(0.999, (1 + int(count)) / (10 + int(count)))
    for average, values in zip(averages, latest, strict=True):
        average.lerp_(values, 1 - decay)


def warm_up_and_cosine(steps: int) -> Callable[[int], float]:
    """Of the highest learning rate, the part at a step."""
    return lambda step: min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2


def describe(
    options: argparse.Namespace, patches: Patches, network: nn.Module, name: str
) -> dict[str, object]:
    """What the model card tells about the training."""
    with torch.no_grad():
        losses = []
        for _ in range(CHECK_PATCHES // options.batch):
            x, target = (t.to(options.device) for t in patches.draw(options.batch))
            output = network(x, 1) if name == "srcnn" else network(x)
            losses.append(float(nn.functional.l1_loss(output, target)) * 255)
    hidden = [p for p in network.parameters() if p.dim() == 4][:-1]
    return {
        "features_of_hidden_layers": ", ".join(str(len(weight)) for weight in hidden),
        "photographs": "; ".join(photographs.TRAINING.values()),
        "held_out": "; ".join(photographs.HELD_OUT.values()),
        "photographs_at_sizes": ", ".join(map(str, options.sizes)),
        "photographs_as": f"luma, each colour channel, {MIXTURES} random mixtures of these; "
        "turned, mirrored, half of them paler, a quarter inverted",
        "generated_pictures": f"{options.generated} of {GENERATED_SIDE} x {GENERATED_SIDE}, dead "
        f"leaves; {options.share:.0%} of the patches",
        "degradation": "bicubic (a = -0.5), antialiased, rounded to 8 bits",
        "factors": ", ".join(map(str, SRCNN_FACTORS)) if name == "srcnn" else options.factor,
        "loss": f"{options.loss.upper()}; L1 is {np.mean(losses):.3f} levels of 0..255 on training "
        "patches at the end",
        "optimizer": f"Muon, {options.muon:g}, for the hidden layers, and Adam, "
        f"{options.learning_rate:g}, to 0 along a cosine",
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
    """Take over every tensor that fits: the last layers of ESPCN differ between factors.

    Of a network with fewer layers, the last becomes the last; what is put before it passes on.
    """
    own = network.state_dict()
    weights = dict(weights)
    theirs, ours = (sum(key.endswith(".weight") for key in keys) for keys in (weights, own))
    for part in ("weight", "bias"):
        weights[f"conv{ours}.{part}"] = weights.pop(f"conv{theirs}.{part}")
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict({**own, **fitting})


def resume(file: Path, parts: Mapping[str, Any], patches: Patches) -> int:
    """The step to go on from: 0, or that of the saved state, which is restored."""
    if not file.exists():
        return 0
    state = torch.load(file, weights_only=True)
    for key, part in parts.items():
        part.load_state_dict(state[key])
    patches.random = np.random.default_rng(state["step"])
    return int(state["step"])


def save(file: Path, step: int, parts: Mapping[str, Any], patches: Patches) -> None:
    state = {key: part.state_dict() for key, part in parts.items()}
    patches.random = np.random.default_rng(step)  # so that a resumed run draws the same patches
    torch.save({"step": step, **state}, file.with_suffix(".tmp"))
    file.with_suffix(".tmp").replace(file)


class Picture(NamedTuple):
    """Gray, (H, W) uint8, and how much of the patches shall come from it."""

    levels: np.ndarray
    weight: float


class Pair(NamedTuple):
    """A network's input (h, w) and target (ratio h, ratio w), float32 in 0..1."""

    x: np.ndarray
    target: np.ndarray
    weight: float


class Patches:
    """Random patches, turned, mirrored, paler and inverted.

    Args:
        patch: side of the input's patches.
        ratio: of the target's side to the input's.
    """

    def __init__(self, pairs: Sequence[Pair], patch: int, ratio: int, seed: int) -> None:
        self.pairs = [pair for pair in pairs if min(pair.x.shape) >= patch]
        weights = np.array([pair.weight for pair in self.pairs])
        self.weights = weights / weights.sum()
        self.patch, self.ratio = patch, ratio
        self.random = np.random.default_rng(seed)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """(count, 1, patch, patch) and (count, 1, ratio patch, ratio patch)."""
        drawn = [self._one() for _ in range(count)]
        x, target = (torch.from_numpy(np.stack(side)[:, None]) for side in zip(*drawn, strict=True))
        return x, target

    def _one(self) -> tuple[np.ndarray, np.ndarray]:
        """The liveliest of a few: much of a photograph is smooth, and teaches nothing."""
        candidates = [self._any() for _ in range(CANDIDATES)]
        x, target = max(candidates, key=lambda pair: float(pair[1].std()))
        turns, mirror = self.random.integers(4), self.random.random() < 0.5
        contrast, brightness = self._tone()
        return (
            self._varied(x, turns, mirror, contrast, brightness),
            self._varied(target, turns, mirror, contrast, brightness),
        )

    def _any(self) -> tuple[np.ndarray, np.ndarray]:
        x, target, _ = self.pairs[self.random.choice(len(self.pairs), p=self.weights)]
        n, r = self.patch, self.ratio
        top, left = (self.random.integers(side - n + 1) for side in x.shape)
        large = target[top * r : (top + n) * r, left * r : (left + n) * r]
        return x[top : top + n, left : left + n], large

    def _tone(self) -> tuple[float, float]:
        """A factor and what is added after it, such that 0..1 stays within 0..1."""
        if self.random.random() < 0.5:
            return 1, 0
        contrast = self.random.uniform(0.5, 1)
        brightness = self.random.uniform(0, 1 - contrast)
        invert = self.random.random() < 0.5
        return (-contrast, 1 - brightness) if invert else (contrast, brightness)

    @staticmethod
    def _varied(
        patch: np.ndarray, turns: int, mirror: bool, contrast: float, brightness: float
    ) -> np.ndarray:
        patch = np.rot90(patch, turns)
        patch = patch[:, ::-1] if mirror else patch
        return np.float32(contrast) * patch + np.float32(brightness)


def from_photographs(sizes: Sequence[float], random: np.random.Generator) -> list[Picture]:
    """Every photograph for training at every size, in several mixtures of its colour channels."""
    pictures = []
    for name in photographs.TRAINING:
        photograph = photographs.load(name)
        is_gray = bool((photograph == photograph[..., :1]).all())
        for size in sizes:
            picture = degrade(photograph, 1 / size)
            mixtures = [photographs.LUMA, *np.eye(3), *random.dirichlet(np.ones(3), MIXTURES)]
            grays = [
                photographs.to_gray(picture, mixture)
                for mixture in mixtures[: 1 if is_gray else None]
            ]
            weight = math.sqrt(grays[0].size) / len(grays)
            pictures += [Picture(gray, weight) for gray in grays]
    return pictures


def generated(count: int, seed: int) -> list[Picture]:
    made = generated_pictures.pictures(count, GENERATED_SIDE, photographs.gray(), seed)
    return [Picture(levels, 1) for levels in made]


def mixed(first: Sequence[Picture], second: Sequence[Picture], share: float) -> list[Picture]:
    """Both, with ``share`` of the weight on ``second``."""
    pictures = []
    for group, part in ((first, 1 - share), (second, share)):
        total = sum(picture.weight for picture in group)
        pictures += [Picture(levels, weight / total * part) for levels, weight in group]
    return pictures


def espcn_pair(picture: Picture, factor: int) -> Pair:
    """The small picture and the large one."""
    height, width = (side // factor * factor for side in picture.levels.shape)
    large = np.ascontiguousarray(picture.levels[:height, :width])
    return Pair(colour.to_unit(degrade(large, factor)), colour.to_unit(large), picture.weight)


def srcnn_pairs(picture: Picture) -> list[Pair]:
    """The bicubic picture, from several factors, and what it should have been."""
    pairs = []
    for factor in SRCNN_FACTORS:
        x = sr_ops.upscale_image(colour.to_unit(degrade(picture.levels, factor)), factor)
        target = colour.to_unit(picture.levels)[: x.shape[0], : x.shape[1]]
        pairs.append(Pair(x, target, picture.weight))
    return pairs


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


def espcn_near_nearest(factor: int, features: Sequence[int]) -> ESPCN:
    """The first channel passes the luma on; the rest starts at random, small.

    From hidden layer to hidden layer, every channel passes itself on: so many layers can be trained
    at once as if each added something to what came before.
    """
    network = ESPCN(factor, features=tuple(features))
    first, *hidden, last = network.convolutions
    with torch.no_grad():
        for conv in hidden:
            nn.init.kaiming_normal_(conv.weight).mul_(0.1)
            nn.init.dirac_(passing := torch.empty_like(conv.weight))
            conv.weight.add_(passing)
        last.weight.mul_(0.1)
        for conv in (first, *hidden, last):
            conv.bias.zero_()
            middle = conv.kernel_size[0] // 2
            conv.weight[0] = 0
            conv.weight[0, 0, middle, middle] = 1
        last.weight[:, 0, 1, 1] = 1
    return network


if __name__ == "__main__":
    main()

"""Train the networks that sr_ops brings along. Interrupt at will: the same command goes on.

    python training/prepare.py                             # the pictures, once
    python training/train.py multiscale --minutes 60       # as often as there is time
    python training/train.py multiscale --settle 3000      # and at the end
    python training/curves.py

``--minutes`` trains at a constant learning rate, so that every run can add to the ones before.
Where nothing was trained yet, it begins with the bundled weights, unless ``--fresh`` is given.
``--settle`` takes the rate to zero over so many steps, from where training stands, and writes the
weights that are worth using; the state of the training itself stays as it was.

Everything goes to build/training: NAME.state (to resume from), NAME.jsonl (the log, one line every
LOG_EVERY steps) and, after settling, NAME.safetensors with NAME.json, what the model card says.
``--bfloat16`` halves the time of a step where the processor multiplies such numbers (AVX512_BF16,
AMX, a GPU). Go on without it for the last tenth, where steps are small.
The pictures that are held out (photographs.py) are never looked at.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import photographs
import prepare
import recipes
import safetensors.torch
import torch
from muon import Muon
from patches import Patches, from_pack
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from sr_ops.imaging.evaluation import degrade
from sr_ops.models import bundled

WARM_UP = 200  # steps
SAVE_EVERY = 250
LOG_EVERY = 250
VALIDATE_EVERY = 1000
CROP = 320  # pixels, of a validation picture's sides
OFFSET = (3 / 255) ** 2  # of psnr_loss


def psnr_loss(output: Tensor, target: Tensor) -> Tensor:
    """The logarithm of each patch's mean squared error, as PSNR has it, averaged over patches.

    A mean of squared errors is a matter of the few patches of highest contrast. The offset, a
    noise of three levels, keeps the smoothest from ruling instead.
    """
    errors = (output - target).square().flatten(1).mean(1)
    return (errors + OFFSET).log().mean()


def main() -> None:
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    recipe = recipes.RECIPES[options.name]
    training = Training(options, recipe)
    training.resume()
    training.run()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("name", choices=recipes.RECIPES)
    parser.add_argument("--minutes", type=float, default=math.inf, help="of wall time, then stop")
    parser.add_argument("--steps", type=int, help="stop when so many are done in all")
    parser.add_argument("--settle", type=int, metavar="STEPS", help="learning rate to 0 over these")
    parser.add_argument("--fresh", action="store_true", help="not from the bundled weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="convolutions; not at the end")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--pack", type=Path, default=prepare.PACK)
    parser.add_argument("--output", type=Path, default=prepare.BUILD)
    return parser.parse_args()


class Training:
    """Muon and Adam at a constant rate; what counts is the moving average of the weights."""

    def __init__(self, options: argparse.Namespace, recipe: recipes.Recipe) -> None:
        self.options, self.recipe = options, recipe
        self.factors = tuple(recipe.counts)
        self.network = recipe.make().to(options.device, memory_format=torch.channels_last)
        self.average = AveragedModel(self.network, multi_avg_fn=average_in)
        self.optimizers = optimizers_for(self.network, recipe)
        self.step, self.seconds, self.settles_from = 0, 0.0, None
        self.in_bfloat16 = 0  # steps
        self.before: str | None = None  # what was done to the weights that it began with
        pack = np.load(options.pack)
        self.patches = Patches(from_pack(pack, options.seed), self.factors, options.seed)
        self.state_file = options.output / f"{options.name}.state"
        self.log_file = options.output / f"{options.name}.jsonl"
        if options.settle is not None:
            self.log_file = options.output / f"{options.name}.settling.jsonl"

    # Where it stands, on disk.

    def resume(self) -> None:
        """From the state of this phase, or, to begin settling, from that of the training."""
        settling = self.state_file.with_suffix(".settling")
        if self.options.settle is None:
            file = self.state_file
        else:
            file = settling if settling.exists() else self.state_file
            self.state_file = settling
        if file.exists():
            state = torch.load(file, weights_only=True, map_location=self.options.device)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            self.step, self.seconds = state["step"], state["seconds"]
            self.settles_from, self.before = state["settles_from"], state["before"]
            self.in_bfloat16 = state.get("in_bfloat16", 0)
        elif not self.options.fresh:
            self.begin_with_bundled()
        if self.options.settle is not None and self.settles_from is None:
            self.settles_from = self.step
        rows = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        kept = [row for row in rows if json.loads(row)["step"] <= self.step]
        self.log_file.write_text("".join(row + "\n" for row in kept))

    def begin_with_bundled(self) -> None:
        file = bundled.find(self.options.name, ".safetensors")
        if file is None:
            return
        weights = safetensors.torch.load_file(file)
        self.network.load_state_dict(weights)
        self.average.module.load_state_dict(weights)
        notes = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        told = ("steps", "optimizer", "convolutions", "hours of one core", "seed", "before")
        self.before = "; ".join(f"{key} {notes[key]}" for key in told if key in notes)

    def save(self) -> None:
        state = {
            "before": self.before,
            "step": self.step,
            "seconds": self.seconds,
            "settles_from": self.settles_from,
            "in_bfloat16": self.in_bfloat16,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        whole = self.state_file.with_name(self.state_file.name + ".tmp")
        torch.save(state, whole)
        whole.replace(self.state_file)

    # The steps.

    def run(self) -> None:
        """Until the steps are done, the time is over, or a signal asks for an end."""
        with signals_noted() as asked:
            self.run_until(asked)

    def run_until(self, asked: Sequence[int]) -> None:
        """The same; ``asked`` is no longer empty once somebody asks for an end."""
        end = time.monotonic() + 60 * self.options.minutes
        last = self.last_step()
        sums: dict[float, list[float]] = {factor: [] for factor in self.factors}
        clock = time.process_time()
        while self.step < last and time.monotonic() < end and not asked:
            for factor, loss in self.one_step().items():
                sums[factor].append(loss)
            self.seconds += time.process_time() - clock
            clock = time.process_time()
            if self.step % LOG_EVERY == 0:
                self.log(sums)
                sums = {factor: [] for factor in self.factors}
                clock = time.process_time()  # without what validation took
            if self.step % SAVE_EVERY == 0:
                self.save()
        self.save()
        if self.settles_from is not None and self.step == last:
            self.finish()

    def last_step(self) -> float:
        if self.settles_from is not None:
            return self.settles_from + self.options.settle
        return math.inf if self.options.steps is None else self.options.steps

    def one_step(self) -> dict[float, float]:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["highest"] * self.share_of_rate()
        drawn = self.patches.draw(self.step, self.recipe.counts, self.recipe.side)
        pairs = {r: [part.to(self.options.device) for part in pair] for r, pair in drawn.items()}
        with torch.autocast(self.options.device, torch.bfloat16, enabled=self.options.bfloat16):
            outputs = enlarge_all(self.network, {r: x for r, (x, _) in pairs.items()})
        losses = {r: psnr_loss(outputs[r].float(), target) for r, (_, target) in pairs.items()}
        self.network.zero_grad()
        torch.stack(list(losses.values())).mean().backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update_parameters(self.network)
        self.step += 1
        self.in_bfloat16 += self.options.bfloat16
        return {r: float(loss.detach()) for r, loss in losses.items()}

    def share_of_rate(self) -> float:
        """Of the highest learning rate, the part at this step."""
        if self.settles_from is None:
            return min(1, (self.step + 1) / WARM_UP)
        return 1 - (self.step - self.settles_from) / self.options.settle

    def log(self, sums: Mapping[float, Sequence[float]]) -> None:
        row: dict[str, Any] = {
            "step": self.step,
            "cpu_seconds": round(self.seconds, 1),
            "rate": round(self.share_of_rate(), 4),
            "train_psnr": {
                r: round(-10 / math.log(10) * np.mean(sums[r]), 3) for r in self.factors
            },
        }
        if self.step % VALIDATE_EVERY == 0 or self.step == self.last_step():
            row["validation_psnr"] = self.validate()
        with self.log_file.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def validate(self) -> dict[float, float]:
        return validate(self.average.module, self.factors, self.options.device)

    def finish(self) -> None:
        """The settled weights, and what the model card tells about the training."""
        weights = self.average.module.state_dict()
        plain = {key: value.cpu().contiguous() for key, value in weights.items()}
        file = self.options.output / f"{self.options.name}.safetensors"
        safetensors.torch.save_file(plain, file)
        notes = self.describe()
        file.with_suffix(".json").write_text(
            json.dumps(notes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(file)

    def describe(self) -> dict[str, object]:
        recipe = self.recipe
        side = recipe.side
        validation = self.validate()
        return {
            "architecture": recipe.what,
            "weights": sum(p.numel() for p in self.network.parameters()),
            "photographs": "; ".join(photographs.credits()),
            "held out": "; ".join(photographs.HELD_OUT.values()),
            "pictures": "at several sizes; half luma, half colour channels and mixtures of them; "
            "turned, mirrored, half of them paler, a quarter inverted; blurred patches dropped; "
            "a fifth of the patches from generated pictures, dead leaves",
            "degradation": "bicubic (a = -0.5), antialiased, rounded to 8 bits",
            "factors": ", ".join(map(str, self.factors))
            + (", all in every step" if len(self.factors) > 1 else ""),
            "loss": "logarithm of each patch's mean squared error",
            "optimizer": f"Muon, {recipe.muon:g}, for the hidden layers, and Adam, "
            f"{recipe.adam:g}; constant for {self.settles_from} steps, then linearly to 0",
            "steps": self.step,
            "convolutions": f"bfloat16 for {self.in_bfloat16} steps, else float32"
            if self.in_bfloat16
            else "float32",
            "patches per step": f"of {side} x {side}: "
            + ", ".join(f"{n} for x{r:g}" for r, n in recipe.counts.items()),
            "averaging": "exponential moving average, decay 0.999",
            "hours of one core": round(self.seconds / 3600, 2),
            "validation": ", ".join(f"x{r} {psnr:.2f} dB" for r, psnr in validation.items())
            + "; scikit-image's "
            + ", ".join(photographs.VALIDATION),
            "seed": self.options.seed,
            **({} if self.before is None else {"before": self.before}),
        }


@contextlib.contextmanager
def signals_noted() -> Iterator[list[int]]:
    """The numbers of SIGINT and SIGTERM that came. Afterwards they do what they did before."""
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: noted.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def enlarge_all(network: nn.Module, inputs: Mapping[float, Tensor]) -> dict[float, Tensor]:
    """Every batch by its factor; what the factors share is computed for all at once."""
    if not hasattr(network, "shuffled"):
        return {factor: network(x, factor) for factor, x in inputs.items()}
    features = network.features(torch.cat(list(inputs.values())))
    parts = features.split([len(x) for x in inputs.values()])
    return {
        factor: network.shuffled(part, x, factor)
        for (factor, x), part in zip(inputs.items(), parts, strict=True)
    }


def optimizers_for(network: nn.Module, recipe: recipes.Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the kernels of the hidden layers, Adam for the first, the last and vectors."""
    hidden = recipe.hidden(network)
    others = [p for p in network.parameters() if not any(p is weight for weight in hidden)]
    optimizers = [
        Muon(hidden, recipe.muon),
        torch.optim.Adam(others, recipe.adam, betas=(0.9, 0.99)),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest"] = group["lr"]
    return optimizers


def average_in(averages: Sequence[Tensor], latest: Sequence[Tensor], count: Tensor | int) -> None:
    """An exponential moving average that does not hold on to the first steps."""
    decay = min(0.999, (1 + int(count)) / (10 + int(count)))
    for average, values in zip(averages, latest, strict=True):
        average.lerp_(values, 1 - decay)


@torch.no_grad()
def validate(network: nn.Module, factors: Sequence[float], device: str) -> dict[float, float]:
    """PSNR of studio-range luma in dB, the mean over the middles of the validation pictures."""
    scores: dict[float, list[float]] = {factor: [] for factor in factors}
    for name in photographs.VALIDATION:
        picture = photographs.load(name)
        for factor in factors:
            target = middle(picture, math.lcm(12, Fraction(factor).numerator))
            x = torch.from_numpy(luma(degrade(target, factor)))[None, None]
            y = enlarge_all(network, {factor: x.to(device)})[factor][0, 0].cpu().numpy()
            border = math.ceil(factor)
            inside = (slice(border, -border),) * 2
            error = (np.clip(y, 0, 1) - luma(target))[inside] * 219 / 255
            scores[factor].append(-10 * math.log10(np.mean(error**2)))
    return {factor: round(float(np.mean(values)), 3) for factor, values in scores.items()}


def middle(picture: np.ndarray, multiple: int) -> np.ndarray:
    """At most CROP pixels a side, a multiple of so many."""
    height, width = (min(n, CROP) // multiple * multiple for n in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def luma(picture: np.ndarray) -> np.ndarray:
    return (picture @ np.array(photographs.LUMA, np.float32) / 255).astype(np.float32)


if __name__ == "__main__":
    main()

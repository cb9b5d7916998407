"""The whole story on one photograph: why the scale freezes, and one .onnx for every scale.

    python examples/python/demo.py [--output FOLDER] [--scales 2 2.7 3 4]

1. torch alone: three ways to export a model whose scale is an argument, and how each fails.
2. sr_ops: SRCNN exported once per flavour; the same files at x2, x2.7, x3 and x4, in ONNX Runtime
   with sr_ops' library and without it, against torch.

The photograph: Eileen Collins by NASA, public domain; at half its size, so that x2 can be compared
with the original.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import re
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from torch.nn import functional

import sr_ops
from sr_ops import models
from sr_ops.imaging import colour, evaluation, read_image, write_image
from sr_ops.imaging.comparison import Row, compare, nearest

PHOTOGRAPH = Path(__file__).parents[1] / "photographs" / "astronaut.png"
DETAIL = (20, 75, 64, 80)  # top, left, height, width in the small photograph
#: What each session may be off. ONNX Runtime's own cubic Resize has coordinates in float32, off by
#: up to 5e-5, which the network enlarges.
TOLERANCES = {"with the library": 1e-5, "without": 1e-5, "standard Resize": 1e-4}
console = Console(highlight=False, width=max(100, Console().width))


class InterpolateSRCNN(models.SRCNN):
    """SRCNN as one would write it with torch alone."""

    def forward(self, x, scale):
        x = functional.interpolate(x, scale_factor=scale, mode="bicubic")
        return self.conv3(torch.relu(self.conv2(torch.relu(self.conv1(x)))))


class ItemSRCNN(InterpolateSRCNN):
    """The usual way round the TypeError: take the number out of the tensor."""

    def forward(self, x, scale):
        return super().forward(x, scale.item())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output", type=Path, default=Path("demo"))
    parser.add_argument("--scales", type=float, nargs="+", default=[2, 2.7, 3, 4])
    options = parser.parse_args()
    folder: Path = options.output
    folder.mkdir(parents=True, exist_ok=True)
    original = read_image(PHOTOGRAPH)
    photo = evaluation.degrade(original, 2)

    console.rule("1. torch alone: the scale does not survive export")
    show_why(folder)

    console.rule("2. sr_ops: one file, any scale")
    network = models.load("srcnn")
    files = export_once_per_flavour(network, folder)
    run_everywhere(network, files, photo, options.scales)
    compare_with_original(original, photo, network)
    pictures = {
        s: sr_ops.upscale_image(photo, s, model=files["DynamicUpscale"]) for s in options.scales
    }
    for scale, picture in pictures.items():
        write_image(folder / f"srcnn_x{scale:g}.png", picture)
    write_image(folder / "photograph.png", photo)
    write_image(folder / "comparison.png", draw(photo, original, pictures))
    console.print(f"\nPictures and models: [bold]{folder.resolve()}[/]; look at comparison.png")


# ---------------------------------------------------------------------------------------------
# Part 1


def show_why(folder: Path) -> None:
    x, names = torch.rand(1, 3, 16, 16), {"input_names": ["x", "scale"], "output_names": ["y"]}
    frozen = folder / "frozen.onnx"

    failing(
        "functional.interpolate(x, scale_factor=torch.tensor(2.7), mode='bicubic')",
        lambda: functional.interpolate(x, scale_factor=torch.tensor(2.7), mode="bicubic"),
    )
    attempt = "torch.onnx.export(model, (x, 3), 'frozen.onnx', input_names=['x', 'scale'])"
    failing(attempt, lambda: torch.onnx.export(InterpolateSRCNN(), (x, 3), frozen, **names))
    show_inputs(frozen)
    session = onnxruntime.InferenceSession(frozen)
    failing(
        "session.run(None, {'x': x, 'scale': 2})",
        lambda: session.run(None, {"x": x.numpy(), "scale": np.array(2, np.float32)}),
    )
    attempt = "model.forward with scale.item(); torch.onnx.export(…, dynamo=False)"
    example = (x, torch.tensor(3.0))
    failing(attempt, lambda: torch.onnx.export(ItemSRCNN(), example, frozen, dynamo=False, **names))
    show_inputs(frozen)
    attempt = "the same with torch's default exporter"
    failing(attempt, lambda: torch.onnx.export(ItemSRCNN(), example, frozen, **names))


def failing(what: str, attempt: Callable[[], object]) -> None:
    """Run what does not work, and print what it says."""
    console.print(f"\n>>> {what}", style="bold", markup=False)
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            attempt()
        except Exception as error:
            said = [f"{type(error).__name__}: {error}"]
        else:
            tracer = [w for w in caught if "TracerWarning" in w.category.__name__]
            said = [f"{w.category.__name__}: {w.message}" for w in tracer]
    logging.disable(logging.NOTSET)
    for text in said:
        first = re.sub("\x1b.*?m", "", text.splitlines()[0])  # torch colours its messages
        shown = first[:150] + ("…" if len(first) > 150 else "")
        console.print(Padding(Text(shown, style="red"), (0, 0, 0, 4)))


def show_inputs(path: Path) -> None:
    names = [value.name for value in onnx.load(path).graph.input]
    text = f"exported, but the file's inputs are {names}: the scale is frozen"
    console.print(Padding(Text(text, style="red"), (0, 0, 0, 4)))


# ---------------------------------------------------------------------------------------------
# Part 2


def export_once_per_flavour(network: torch.nn.Module, folder: Path) -> dict[str, Path]:
    files = {op: folder / f"srcnn_{op}.onnx" for op in ("DynamicUpscale", "Resize")}
    for op, path in files.items():
        sr_ops.onnx.export(network, (torch.rand(1, 1, 16, 16), 3.0), path, op=op)  # luma
        graph = onnx.load(path).graph
        inputs = ", ".join(describe(value) for value in graph.input)
        console.print(f"{path.name}: inputs {inputs}; {path.stat().st_size / 1024:.0f} KiB")
    return files


def describe(value: onnx.ValueInfoProto) -> str:
    extents = (d.dim_param or str(d.dim_value) for d in value.type.tensor_type.shape.dim)
    return f"{value.name} ({', '.join(extents)})"


def run_everywhere(
    network: torch.nn.Module, files: dict[str, Path], photo: np.ndarray, scales: Sequence[float]
) -> None:
    """The photograph's luma at every scale through the same three sessions."""
    sessions = {
        "with the library": sr_ops.onnx.make_session(files["DynamicUpscale"]),
        "without": onnxruntime.InferenceSession(files["DynamicUpscale"]),
        "standard Resize": onnxruntime.InferenceSession(files["Resize"]),
    }
    x = colour.luma(colour.to_unit(photo).transpose(2, 0, 1))[None]
    table = Table(
        title=f"SRCNN on {photo.shape[1]} x {photo.shape[0]}: milliseconds, and the largest "
        "difference to torch (0…1)"
    )
    for heading in ("scale", "output", "torch", *sessions):
        table.add_column(heading, justify="right", no_wrap=True)
    for scale in scales:
        expected, milliseconds = timed(partial(run_torch, network, x, scale))
        row = [f"x{scale:g}", f"{expected.shape[3]} x {expected.shape[2]}", f"{milliseconds:.0f}"]
        for name, session in sessions.items():
            y, milliseconds = timed(partial(run_session, session, x, scale))
            np.testing.assert_allclose(y, expected, rtol=1e-3, atol=TOLERANCES[name])
            row.append(f"{milliseconds:.0f}   {np.abs(y - expected).max():.1e}")
        table.add_row(*row)
    console.print(table)


def run_torch(network: torch.nn.Module, x: np.ndarray, scale: float) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(x), scale).numpy()


def run_session(session: onnxruntime.InferenceSession, x: np.ndarray, scale: float) -> np.ndarray:
    image, factor = session.get_inputs()
    return session.run(
        None, {image.name: x, factor.name: np.full(factor.shape, scale, np.float32)}
    )[0]


def timed(run: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """The result, and the better of two times in milliseconds."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        result = run()
        times.append((time.perf_counter() - start) * 1e3)
    return result, min(times)


def compare_with_original(
    original: np.ndarray, photo: np.ndarray, network: torch.nn.Module
) -> None:
    truth = evaluation.shave(evaluation.luma(original), 2)
    said = []
    for name, model in (("SRCNN", network), ("bicubic", None)):
        picture = sr_ops.upscale_image(photo, 2, model=model)
        decibels = evaluation.psnr(truth, evaluation.shave(evaluation.luma(picture), 2))
        said.append(f"{name} {decibels:.2f} dB")
    console.print(f"x2 against the original photograph (PSNR of luma): {', '.join(said)}")


def draw(photo: np.ndarray, original: np.ndarray, pictures: dict[float, np.ndarray]) -> np.ndarray:
    """One row a scale: pixels as they are, bicubic, and the model in ONNX Runtime."""
    rows = []
    for scale, picture in pictures.items():
        columns = {
            "nearest": nearest(photo, *picture.shape[:2]),
            "bicubic": sr_ops.upscale_image(photo, scale, model=None),
            "SRCNN, ONNX Runtime": picture,
        }
        if scale == 2:
            columns["the original"] = original
        rows.append(Row(f"x{scale:g}: {picture.shape[1]} x {picture.shape[0]}", columns, scale))
    return compare(photo, DETAIL, rows)


if __name__ == "__main__":
    main()

"""The command line: any arguments give a result, or one line of error and exit code 2."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from fuzz.choices import Choices
from fuzz.onnx_models import _TEXTS

from sr_ops.cli import main
from sr_ops.imaging import write_image

LONGEST = 256  # bytes

_COMMANDS = ("upscale", "inspect", "accelerate", "standardize", "make-dynamic", "eval", "export")
_OPTIONS = (
    *("--scale", "-s", "--width", "--height", "--max-side", "--model", "-m", "--backend", "-b"),
    *("--colours", "--quality", "--format", "--jobs", "-j", "--max-memory", "--max-pixels"),
    *("--strip", "--recursive", "-r", "--skip-existing", "--overwrite", "--no-overwrite"),
    *("--dry-run", "--tile", "--compare", "--json", "--svg", "--op", "--scale-name", "--node"),
    *("--help", "-h", "--version", "--", "--verify", "--opset", "--exporter", "-", "--image-io"),
)
# Nothing that is allowed and takes long: large factors are absurd ones.
_VALUES = (
    *("2", "1.5", "0.5", "2,1.5", "1", "0", "-1", "nan", "inf", "1e-30", "1e30", "1e400", "x", ""),
    *("2,", ",2", "2,2,2", "9" * 400, "-0", "1_0", "٣", "0x10", "16", "7", "bicubic", "auto"),
    *("a.png", "b.png", "folder", "out.png", "out.jpg", "out.xyz", "a.onnx", "out.onnx", "no.pth"),
    *("broken.png", "broken.onnx", "pictures", "pictures/", "./a.png", "*.png", "[", "-", "."),
    *("1G", "1M", "500K", "0", "-1G", "1Q", "G", "png", "jpg", ".webp", "torch", "ort", "rgb"),
    *("Resize", "MatMul", "DynamicUpscale", "b", "\udcff", "a\0b", "x" * 300, "\x1b[2J", "out.svg"),
)
_HOME = Path(tempfile.mkdtemp(prefix="sr_ops_fuzz_"))


def _furnish() -> None:
    shutil.rmtree(_HOME)
    (_HOME / "pictures").mkdir(parents=True)
    (_HOME / "folder").mkdir()
    picture = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    for name in ("a.png", "b.png", "pictures/c.png"):
        write_image(_HOME / name, picture)
    onnx.save(onnx.parser.parse_model(_TEXTS[0]), _HOME / "a.onnx")
    (_HOME / "broken.png").write_bytes((_HOME / "a.png").read_bytes()[:60])
    (_HOME / "broken.onnx").write_bytes(b"\x08\x08:\x99")


def _arguments(choices: Choices) -> list[str]:
    arguments = [choices.pick(_COMMANDS)] if not choices.flag(16) else []
    if arguments == ["export"]:  # a network's export takes seconds: only what is refused
        arguments.append("no.pth")
    for _ in range(choices.below(8)):
        kind = choices.below(8)
        if kind < 4:
            arguments.append(choices.pick(_VALUES))
        elif kind < 7:
            arguments.append(choices.pick(_OPTIONS))
        else:
            arguments.append(choices.text())
    if arguments[:1] == ["eval"]:  # every bundled network is tried if none is named
        arguments += ["--model", "bicubic"]
    return arguments


def run(data: bytes) -> None:
    arguments = _arguments(Choices(data))
    _furnish()
    before, here = os.environ.copy(), os.getcwd()
    # stdin and stdout of bytes, as a process has them
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO((_HOME / "a.png").read_bytes()))
    os.chdir(_HOME)
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            code = main(arguments)
    finally:
        os.chdir(here)
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(before)
    for stream in streams:
        stream.flush()
    errors = streams[1].buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert code in (0, 1, 2), (arguments, code)
    if code == 2:
        assert errors.count("sr-ops: error: ") >= 1 or not arguments, (arguments, errors)
    assert "Traceback" not in errors, (arguments, errors)
    left = [path for path in _HOME.rglob("*") if path.name.startswith((".sr_ops", ".sr-ops"))]
    assert not left, (arguments, left)

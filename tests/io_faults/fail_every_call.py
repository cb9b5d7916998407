"""Every call of a command on its files fails once.

    LD_PRELOAD=faulty_io.so python fail_every_call.py FOLDER STEP COMMAND...

After each failure: an error in one line and exit code 2; every file is as it was or complete, and
none is left open or beside the others. Where the command succeeds all the same, its result must be
the one that it has without a failure. Prints the calls that failed.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import dataclasses
import errno
import functools
import gc
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch

import sr_ops.onnx
from sr_ops.cli import main
from sr_ops.imaging import write_image
from sr_ops.models import SRCNN

_SHORT = 0  # no error: reads and writes do half of what they are asked for

WEIGHTS = Path(sr_ops.__file__).parent / "models" / "weights"

_RESIZE = (
    '<ir_version: 8, opset_import: ["": 18]> graph (float[1,3,8,9] x) => (float[N,C,h,w] y) '
    '<float[4] s = {1, 1, 2, 2}> { y = Resize<mode = "cubic">(x, , s) }'
)


class Shim:
    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self.fail = library.sr_ops_test_fail_io
        self.fail.argtypes = (ctypes.c_char_p, ctypes.c_long, ctypes.c_int)
        self.calls = library.sr_ops_test_io_calls
        self.calls.restype = ctypes.c_long
        self.failed = library.sr_ops_test_failed_call
        self.failed.restype = ctypes.c_char_p


def furnish(home: Path) -> None:
    """The files that commands read, and one that they replace."""
    shutil.rmtree(home, ignore_errors=True)
    (home / "pictures").mkdir(parents=True)
    (home / "site").mkdir()
    (home / "tmp").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (24, 30, 3), dtype=np.uint8)
    for name in ("a.png", "pictures/b.png", "pictures/c.jpg"):
        write_image(home / name, picture)
    model = onnx.parser.parse_model(_RESIZE)
    onnx.save(model, home / "resize.onnx")
    onnx.save(sr_ops.onnx.accelerate(model), home / "ours.onnx")
    torch.manual_seed(1)
    torch.save(SRCNN(channels=1, features=(4, 4)).state_dict(), home / "site" / "net.pth")
    shutil.copy(home / "site" / "net.pth", home / "net.pth")
    for name in ("espcn_x2.onnx", "espcn_x2.safetensors"):  # a model and its weights
        shutil.copy(WEIGHTS / name, home / name)
    for name in ("old.png", "old.onnx"):
        (home / name).write_bytes(b"old")


def commands(home: Path, address: str) -> dict[str, list[str]]:
    """Name -> arguments."""
    at = functools.partial(os.path.join, home)
    plain = ["--model", "bicubic"]
    return {
        "picture": ["upscale", at("a.png"), at("out.png"), *plain],
        "replaced": ["upscale", at("a.png"), at("old.png"), *plain, "--compare", at("both.png")],
        "folder": ["upscale", at("pictures"), at("results") + "/", *plain],
        "checkpoint": ["upscale", at("a.png"), at("out.png"), "--model", at("net.pth")],
        "network": ["upscale", at("a.png"), at("out.png"), "--model", at("espcn_x2.onnx")],
        "download": ["upscale", at("a.png"), at("out.png"), "--model", f"{address}/net.pth"],
        "accelerate": ["accelerate", at("resize.onnx"), at("old.onnx")],
        "standardize": ["standardize", at("ours.onnx"), at("out.onnx")],
        "make-dynamic": ["make-dynamic", at("resize.onnx"), at("out.onnx")],
        "inspect": ["inspect", at("resize.onnx"), "--svg", at("out.svg")],
        "export": ["export", at("net.pth"), at("out.onnx"), "--exporter", "torchscript"],
    }


def files(home: Path) -> dict[str, bytes]:
    """Everything that is there; folders, too."""
    found = {}
    for path in home.rglob("*"):
        name = str(path.relative_to(home))
        found[name] = path.read_bytes() if path.is_file() else b"folder"
    return found


def run(arguments: list[str]) -> tuple[int, str]:
    """The exit code and what the command said of errors."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = main(arguments)
    return code, said.getvalue()


def open_files() -> int:
    """How many this process has."""
    return len(os.listdir("/proc/self/fd"))


@dataclasses.dataclass
class Trial:
    """A command; what its files are in the end if nothing fails; which calls have failed."""

    shim: Shim
    home: Path
    arguments: list[str]
    whole: dict[str, bytes]
    failed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def attempt(self, count: int, error: int) -> bool:
        """One run with a failure; False where no call is left that could fail."""
        furnish(self.home)
        before, descriptors = files(self.home), open_files()
        self.shim.fail(str(self.home).encode(), count, error)
        try:
            code, said = run(self.arguments)
        finally:
            call = self.shim.failed().decode()
            self.shim.fail(None, -1, 1)
        gc.collect()  # sessions hold their files
        try:
            assert open_files() <= descriptors, "files left open"
            self.check(before, code, said, call)
        except AssertionError as problem:
            where = f"{' '.join(self.arguments)}: call {count} ({call or 'short'})"
            sys.exit(f"{problem}: {where}: exit code {code}: {said}")
        if call:
            self.failed[call] += 1
        return bool(call)

    def check(self, before: dict[str, bytes], code: int, said: str, call: str) -> None:
        after = files(self.home)
        for name in before.keys() | self.whole.keys() | after.keys():
            there = after.get(name)
            whole = there in (before.get(name), self.whole.get(name))
            assert whole, f"{name} is neither as it was nor complete"
        if code == 0:
            assert after == self.whole, "success with another result"
            return
        assert call, "an error without a failure"
        assert code == 2, "another exit code"
        assert said.count("sr-ops: error: ") >= 1, "no error"
        assert len(said.splitlines()) <= 2, "more than a line"  # a folder has two pictures


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of one that gives a folder's files to whoever asks.

    A process of its own: its connections are not among the open files of this one.
    """
    options = ["--bind", "127.0.0.1", "--directory", str(folder), "0"]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # every request
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split("(")[1].split("/)")[0]
        finally:
            process.kill()


def fail_every_call(shim: Shim, home: Path, name: str, address: str, step: int) -> None:
    """One command, with each of its calls failing once, or every ``step``-th."""
    arguments = commands(home, address)[name]
    for _ in range(2):  # what is loaded once is loaded then
        furnish(home)
        code, said = run(arguments)
        assert code == 0, said
    trial = Trial(shim, home, arguments, files(home))
    trial.attempt(-1, _SHORT)
    count = 0
    while trial.attempt(count, errno.EIO if count % 2 else errno.ENOSPC):
        count += step
    print(f"{name}: {dict(trial.failed)}")


if __name__ == "__main__":
    HOME, STEP = Path(sys.argv[1]).resolve() / "home", int(sys.argv[2])
    os.environ["TORCH_HOME"] = str(HOME / "cache")
    furnish(HOME)
    tempfile.tempdir = str(HOME / "tmp")
    with server(HOME / "site") as ADDRESS:
        for NAME in sys.argv[3:]:
            fail_every_call(Shim(), HOME, NAME, ADDRESS, STEP)

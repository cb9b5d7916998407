"""Nothing is evaluated, unpickled or fetched that was not asked for; downloads are pinned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sr_ops

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(sr_ops.__file__).resolve().parent

#: Calls that run what a file or a string says.
_RUNS_CODE = {"eval", "exec", "compile", "__import__"}
#: Modules that do, or whose readers do.
_UNPICKLES = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
#: Modules that talk to the network.
_NETWORK = {"socket", "urllib", "http", "requests", "httpx", "ftplib", "aiohttp", "urllib3"}


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "build" not in path.parts)


OURS = [
    *_sources(PACKAGE),
    *(path for name in ("examples", "benchmarks", "scripts") for path in _sources(ROOT / name)),
]


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Dotted names of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(path.parents[1])))
def test_no_code_is_run_from_data(path: Path) -> None:
    for name, call in _calls(ast.parse(path.read_text())):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        assert name not in _RUNS_CODE, f"{path}:{call.lineno}: {name}"
        if name.partition(".")[0] in _UNPICKLES:
            raise AssertionError(f"{path}:{call.lineno}: {name}")
        if name == "torch.load":
            safe = keywords.get("weights_only")
            assert isinstance(safe, ast.Constant) and safe.value is True, f"{path}:{call.lineno}"
        if name in ("np.load", "numpy.load"):
            assert "allow_pickle" not in keywords, f"{path}:{call.lineno}"
        if name.startswith("subprocess."):
            assert "shell" not in keywords, f"{path}:{call.lineno}: a shell"
        assert name not in ("os.system", "os.popen"), f"{path}:{call.lineno}: {name}"


def test_one_module_of_the_package_knows_the_network() -> None:
    found = set()
    for path in _sources(PACKAGE):
        for module in _imported(ast.parse(path.read_text())):
            if module.partition(".")[0] in _NETWORK:
                found.add(path.relative_to(PACKAGE).as_posix())
        if "torch.hub." in path.read_text() or "torch.hub import" in path.read_text():
            found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"models/downloads.py"}


#: Everything that a user does without an address, while no socket can be made.
_OFFLINE = """
import socket, sys
import numpy as np

class Refused(Exception):
    pass

def refuse(event, arguments):
    if event.startswith("socket.") or event == "urllib.Request":
        raise Refused(f"{event} {arguments}")

sys.addaudithook(refuse)
try:
    socket.socket()
except Refused:
    pass
else:
    sys.exit("the hook does not work")

import sr_ops
picture = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
assert sr_ops.numpy.dynamic_upscale(picture, 2, layout="HWC").shape == (40, 60, 3)

import torch
x = torch.rand(1, 3, 16, 16)
assert sr_ops.dynamic_upscale(x, 1.5).shape == (1, 3, 24, 24)

file = sys.argv[1]
sr_ops.onnx.export(sr_ops.models.SRCNN().eval(), (x, 2.0), file)
session = sr_ops.onnx.make_session(file)
(y,) = session.run(None, {"x": x.numpy(), "scale": np.float32([2])})
assert y.shape == (1, 3, 32, 32)

assert sr_ops.upscale_image(picture, 2).shape == (40, 60, 3)  # the bundled network
print("done")
"""


def test_ordinary_use_needs_no_network(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _OFFLINE, str(tmp_path / "model.onnx")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("done")


def _build_files() -> list[Path]:
    files = [ROOT / "CMakeLists.txt", ROOT / "Makefile", ROOT / "setup.py", ROOT / ".ci" / "run"]
    files += [path for name in ("cmake", "scripts") for path in (ROOT / name).rglob("*")]
    return [path for path in files if path.is_file() and path.suffix not in {".pyc"}]


def test_what_the_build_downloads_is_pinned() -> None:
    downloads = 0
    for path in _build_files():
        text = path.read_text()
        for call in re.findall(r"sr_ops_download\((?!result)(.*?)\)", text, re.DOTALL):
            if path.name == "SrOpsDownload.cmake":
                continue
            assert re.search(r"\bSHA256\s+[0-9a-f]{64}\b", call), f"{path}: {call}"
            downloads += 1
        if path.name != "SrOpsDownload.cmake":
            assert not re.search(r"file\(DOWNLOAD|ExternalProject|FetchContent", text), path
        assert not re.search(r"\b(curl|wget)\s+-|urlretrieve", text), path
    assert downloads >= 2
    home = (ROOT / "cmake" / "SrOpsDownload.cmake").read_text()
    assert home.count("file(DOWNLOAD") == 1 and "_sr_ops_has_hash" in home


def test_what_builds_the_wheel_is_pinned_by_hash() -> None:
    """Every tool, and what it needs, in one version and by the hashes of its files."""
    release = ROOT / "scripts" / "release"
    text = re.sub(r"#.*", "", (release / "requirements.txt").read_text())
    entries = [entry.split() for entry in text.replace("\\\n", " ").splitlines() if entry.strip()]
    for name, *rest in entries:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", name), name
        hashes = [part for part in rest if part.startswith("--hash")]
        assert hashes, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", part) for part in hashes), name
    pinned = {name.split("==")[0] for name, *_ in entries}
    wanted = re.findall(r"^[a-z]\S*", (release / "requirements.in").read_text(), re.M)
    assert pinned >= set(wanted)
    project = (ROOT / "pyproject.toml").read_text()
    (built_with,) = re.findall(r"^\[build-system\]\nrequires = \[(.*)\]", project, re.M)
    assert pinned >= set(re.findall(r"\"([a-z0-9]+)", built_with))
    script = (release / "check-wheel.sh").read_text()
    assert "--require-hashes" in script and "--no-isolation" in script

"""The C++ libraries as users get them: installed below a prefix from this checkout's build."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: object, check: bool = True, **keywords: object) -> subprocess.CompletedProcess:
    """Run a command; with ``check``, failing shows all that it said."""
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, check=False, **keywords)
    assert done.returncode == 0 or not check, f"{words}\n{done.stdout}{done.stderr}"
    return done


@functools.cache
def cmake() -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    found = shutil.which("cmake", path=path)
    assert found, "cmake was not found; it is among the development requirements"
    return found


@functools.cache
def build_folder() -> Path:
    """Where this checkout was built last."""
    caches = [*ROOT.glob("build/CMakeCache.txt"), *ROOT.glob("build/cmake-*/CMakeCache.txt")]
    caches = [path for path in caches if "SR_OPS_WHEEL:BOOL=ON" not in path.read_text()]
    assert caches, "this checkout has not been built: run `make build`"
    return max(caches, key=lambda path: path.stat().st_mtime).parent


def cache_value(name: str) -> str:
    """What the build was configured with."""
    for line in (build_folder() / "CMakeCache.txt").read_text().splitlines():
        key, _, value = line.partition("=")
        if key.partition(":")[0] == name:
            return value
    return ""


@functools.cache
def prefix() -> Path:
    """A folder that holds what ``cmake --install`` gives, and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="sr_ops_installed_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run(cmake(), "--install", build_folder(), "--component", "sdk", "--prefix", folder)
    return folder


def onnxruntime_include_dir() -> str:
    """The headers that this checkout was built with."""
    for name in ("SR_OPS_ONNXRUNTIME_INCLUDE_DIR", "SR_OPS_ONNXRUNTIME_SYSTEM_INCLUDE_DIR"):
        value = cache_value(name)
        if value and not value.endswith("-NOTFOUND"):
            return value
    headers = sorted(build_folder().glob("third_party/**/onnxruntime_c_api.h"))
    assert headers, "no headers of ONNX Runtime where the build puts them"
    return str(headers[0].parent)


def build_project(source: Path, binary: Path, definitions: Sequence[str]) -> Path:
    """Configure and build a standalone CMake project; its folder of programs."""
    (binary / "CMakeCache.txt").unlink(missing_ok=True)
    options = [f"-D{text}" for text in ("CMAKE_BUILD_TYPE=Release", *definitions)]
    run(cmake(), "-S", source, "-B", binary, *options)
    run(cmake(), "--build", binary)
    return binary

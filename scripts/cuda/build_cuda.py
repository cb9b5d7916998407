#!/usr/bin/env python3
"""Build the CUDA libraries for torch and ONNX Runtime into build/cuda/sr_ops. Needs no GPU.

    python scripts/cuda/build_cuda.py [--architectures 80-real;90]

Takes this interpreter's torch (its headers: a CPU build will do) and nvcc from PATH, CUDA_HOME or
/usr/local/cuda. SR_OPS_CMAKE_ARGS passes arguments to CMake, as in setup.py. SR_OPS_TENSORRT, the
folder of TensorRT's headers, adds its plugins. Then the report on registers:
python scripts/cuda/cuda_report.py
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "cuda"
#: Where setup.py builds.
MAIN = ROOT / "build" / f"cmake-{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
TARGETS = ("sr_ops_torch_cuda", "sr_ops_ort")


def find_nvcc() -> str | None:
    """Path of nvcc, searched where CMake searches it."""
    folders = [os.environ.get(name, "") for name in ("CUDA_HOME", "CUDA_PATH")]
    search = [os.environ.get("PATH", ""), *(f"{f}/bin" for f in folders if f)]
    return shutil.which("nvcc", path=os.pathsep.join([*search, "/usr/local/cuda/bin"]))


def call(*command: str, **options: Any) -> int:
    """Run a command; its status."""
    # cmake and ninja may lie beside an interpreter that is not on PATH.
    search = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    return subprocess.call(command, env={**os.environ, "PATH": search}, **options)


def run(*command: str) -> None:
    """Run a command; end with its status where it fails."""
    status = call(*command)
    if status != 0:
        sys.exit(f"sr_ops: `{shlex.join(command)}` failed with status {status}")


def compiled_kernels() -> str:
    """The main build's folder, its core brought up to date; "" where there is none to be had.

    The CPU's kernels are most of what there is to compile, and the same in both builds.
    """
    cache = MAIN / "CMakeCache.txt"
    settings = cache.read_text(encoding="utf-8") if cache.exists() else ""
    alike = re.search("^CMAKE_BUILD_TYPE:[A-Z]+=Release$", settings, re.MULTILINE)
    if not alike or re.search("^SR_OPS_SANITIZE:[A-Z]+=.", settings, re.MULTILINE):
        return ""
    command = ("cmake", "--build", str(MAIN), "--target", "sr_ops_core")
    # It fails where pip built with tools of its own, which are gone.
    return "" if call(*command, stdout=subprocess.DEVNULL) else str(MAIN)


def build(architectures: str = "all") -> Path:
    """Configure and build; the folder that the libraries are in. A list has a folder of its own."""
    if find_nvcc() is None:
        sys.exit("sr_ops: nvcc was not found; install NVIDIA's CUDA toolkit, or set CUDA_HOME")
    folder = FOLDER
    if architectures != "all":
        folder = FOLDER.with_name("cuda-" + architectures.replace(";", "+"))
    package = folder / "sr_ops"
    # What the main build has downloaded need not be downloaded again.
    downloads = sorted((ROOT / "build").glob("cmake-*/downloads"))
    headers = sorted((ROOT / "build").glob("cmake-*/third_party/libonnxruntime-dev"))
    tensorrt = os.environ.get("SR_OPS_TENSORRT", "")
    run(
        *("cmake", "-S", str(ROOT), "-B", str(folder), "-G", "Ninja"),
        *("-DCMAKE_BUILD_TYPE=Release", "-DSR_OPS_CUDA=on", "-DSR_OPS_TORCH=on"),
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-DSR_OPS_PYTHON_PACKAGE={package}",
        f"-DSR_OPS_CUDA_ARCHITECTURES={architectures}",
        f"-DSR_OPS_KERNEL_OBJECTS={compiled_kernels()}",
        *(f"-DSR_OPS_DOWNLOAD_DIR={folder}" for folder in downloads[:1]),
        *(f"-DSR_OPS_ONNXRUNTIME_INCLUDE_DIR={folder}" for folder in headers[:1]),
        f"-DSR_OPS_TENSORRT={tensorrt}",
        *shlex.split(os.environ.get("SR_OPS_CMAKE_ARGS", "")),
    )
    plugins = ["sr_ops_tensorrt"] if tensorrt else []
    run("cmake", "--build", str(folder), "--target", *TARGETS, *plugins)
    return package


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--architectures", default="all", help="as SR_OPS_CUDA_ARCHITECTURES")
    print(build(parser.parse_args().architectures))

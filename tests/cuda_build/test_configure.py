"""What SR_OPS_CUDA asks of a machine: cmake/SrOpsCuda.cmake up to where it needs a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = f"""
list(APPEND CMAKE_MODULE_PATH "{ROOT / "cmake"}")
set(StableTorch_CUDA FALSE)
include(SrOpsCuda)
"""


@pytest.fixture
def configure(tmp_path, monkeypatch):
    """Runs it with a value of SR_OPS_CUDA, and an nvcc of a release or none at all."""
    search = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    cmake = shutil.which("cmake", path=search)
    assert cmake
    script = tmp_path / "configure.cmake"
    script.write_text(SCRIPT)

    def run(value: str, release: str | None = None) -> tuple[int, str]:
        monkeypatch.delenv("CUDACXX", raising=False)
        if release:
            nvcc = tmp_path / "bin" / "nvcc"
            nvcc.parent.mkdir(exist_ok=True)
            nvcc.write_text(
                f"#!/bin/sh\necho 'Cuda compilation tools, release {release}, V{release}'\n"
            )
            nvcc.chmod(0o755)
            monkeypatch.setenv("CUDACXX", str(nvcc))
        nowhere = ["-DCMAKE_FIND_ROOT_PATH=/nowhere", "-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=ONLY"]
        command = [
            cmake,
            f"-DSR_OPS_CUDA={value}",
            *([] if release else nowhere),
            "-P",
            str(script),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


@pytest.mark.parametrize("value", ["auto", "off"])
def test_a_cpu_build_needs_no_nvcc(configure, value):
    status, said = configure(value)
    assert status == 0
    assert (
        "No CUDA kernels: " + {"auto": "nvcc was not found", "off": "SR_OPS_CUDA is off"}[value]
        in said
    )


def test_asking_for_cuda_without_nvcc_is_an_error(configure):
    status, said = configure("on")
    assert status != 0
    assert "SR_OPS_CUDA=on, but nvcc was not found" in said and "CUDA_HOME" in said


def test_an_old_toolkit_is_named(configure, tmp_path):
    status, said = configure("on", "11.8")
    assert status != 0
    assert f"{tmp_path / 'bin' / 'nvcc'} is of release '11.8', older than 12.0" in said
    assert configure("auto", "11.8")[0] == 0


def test_a_cpu_torch_gets_no_gpu_code(configure):
    status, said = configure("auto", "13.0")
    assert status == 0
    assert "SR_OPS_CUDA=auto, and there is no torch that was built with CUDA" in said


@pytest.mark.parametrize("value", ["ON", "1", "yes"])
def test_other_values_are_refused(configure, value):
    status, said = configure(value)
    assert status != 0
    assert f"SR_OPS_CUDA is '{value}'; expected auto, on or off" in said

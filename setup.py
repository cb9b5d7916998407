"""Drives CMake, which builds everything native; pyproject.toml holds all the rest.

Environment:
    SR_OPS_TORCH        auto (the torch front end is built if torch is found), on, off
    SR_OPS_TORCH_ROOT   folder of the torch package, if it is not where this Python looks
    SR_OPS_CUDA         auto (CUDA kernels are built if nvcc and a torch with CUDA are found), on,
                        off
    SR_OPS_CMAKE_ARGS   further arguments for CMake, separated as in a shell
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / "sr_ops"
NATIVE_BUILD = ROOT / "build" / f"cmake-{sysconfig.get_platform()}-{sys.implementation.cache_tag}"


def torch_root() -> str:
    """The folder of the installed torch package, or "".

    pip's build isolation hides the environment's packages from ``import`` but leaves its paths in
    sysconfig: the headers can be read without torch being a requirement of the build.
    """
    if os.environ.get("SR_OPS_TORCH_ROOT"):
        return os.environ["SR_OPS_TORCH_ROOT"]
    spec = importlib.util.find_spec("torch")
    candidates = list(spec.submodule_search_locations or ()) if spec else []
    candidates += [os.path.join(sysconfig.get_path(key), "torch") for key in ("purelib", "platlib")]
    return next((path for path in candidates if os.path.isdir(os.path.join(path, "include"))), "")


def run_cmake(*arguments: str) -> None:
    """Ends the build, in one line, where CMake is missing or fails (it has said why)."""
    # Without build isolation, cmake and ninja may lie beside an interpreter that is not on PATH.
    search = os.pathsep.join([os.environ.get("PATH", ""), os.path.dirname(sys.executable)])
    cmake = shutil.which("cmake", path=search)
    if not cmake:
        sys.exit("sr_ops: cmake was not found; install it with `python -m pip install cmake`")
    if subprocess.call([cmake, *arguments], env={**os.environ, "PATH": search}) != 0:
        sys.exit("sr_ops: the native build failed; the reason stands above, in CMake's output")


class Build(build):
    """Starts from an empty tree: a file deleted from the sources must not live on in the wheel."""

    def run(self) -> None:
        """Overrides the command of setuptools."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class BuildNative(build_ext):
    """Builds the libraries into the package that is being assembled (or the sources', in place)."""

    def run(self) -> None:
        """Overrides the command of setuptools: one configuration, one build."""
        in_place = self.inplace or self.editable_mode
        package = PACKAGE if in_place else Path(self.build_lib).resolve() / "sr_ops"
        # pip builds in a throw-away environment: a cache from the last one names tools that are
        # gone. Object files and downloads stay.
        (NATIVE_BUILD / "CMakeCache.txt").unlink(missing_ok=True)
        definitions = {
            "CMAKE_BUILD_TYPE": "Debug" if self.debug else "Release",
            "Python_EXECUTABLE": sys.executable,
            "CMAKE_INSTALL_LIBDIR": "lib",
            "SR_OPS_PYTHON_PACKAGE": package,
            "SR_OPS_WHEEL": "OFF" if in_place else "ON",
            "SR_OPS_TORCH": os.environ.get("SR_OPS_TORCH", "auto"),
            "SR_OPS_TORCH_ROOT": torch_root(),
            "SR_OPS_CUDA": os.environ.get("SR_OPS_CUDA", "auto"),
        }
        run_cmake(
            *("-S", str(ROOT), "-B", str(NATIVE_BUILD), "-G", "Ninja"),
            *(f"-D{name}={value}" for name, value in definitions.items()),
            *shlex.split(os.environ.get("SR_OPS_CMAKE_ARGS", "")),
        )
        run_cmake("--build", str(NATIVE_BUILD))

    def get_outputs(self) -> list[str]:
        """What an uninstall has to remove; the wheel takes build_lib as it finds it."""
        package = Path(self.build_lib) / "sr_ops"
        sdk = [path for part in ("include", "lib") for path in (package / part).rglob("*.*")]
        return sorted(map(str, [*package.glob("*.so*"), *sdk]))

    def get_output_mapping(self) -> dict[str, str]:
        """Nothing to link for an editable install: it is built among the sources."""
        return {}


class Wheel(bdist_wheel):
    """Says in the wheel whose code its libraries contain (PEP 770)."""

    def write_wheelfile(self, wheelfile_base: str, *arguments: object) -> None:
        """Overrides the step of setuptools that completes the .dist-info folder."""
        super().write_wheelfile(wheelfile_base, *arguments)
        if not self.distribution.have_run.get("build"):
            return  # an editable installation, which holds no libraries
        target = Path(wheelfile_base, "sboms")
        target.mkdir(exist_ok=True)
        shutil.copy(NATIVE_BUILD / "sr_ops.cdx.json", target)


setup(
    # Names the wheel's tag: there is native code, tied to this Python by the numpy extension.
    ext_modules=[Extension("sr_ops._native", sources=[])],
    cmdclass={"bdist_wheel": Wheel, "build": Build, "build_ext": BuildNative},
)

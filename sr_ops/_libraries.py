"""Where the native libraries lie, and what is in them."""

from __future__ import annotations

import os
import sys
from typing import Any

from sr_ops._diagnosis import damage_of
from sr_ops.errors import LibraryLoadError

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


def library_file(stem: str) -> str:
    """Path of ``lib<stem>`` inside the package.

    Raises:
        LibraryLoadError: the library was not built into this installation, or is damaged.
    """
    prefix = "" if sys.platform == "win32" else "lib"
    path = os.path.join(_PACKAGE, f"{prefix}{stem}{_SUFFIX}")
    if not os.path.exists(path):
        raise LibraryLoadError(
            f"sr_ops: {path} does not exist: this installation was built without it; reinstall "
            "with `pip install --force-reinstall .` from the source tree"
        )
    damage = damage_of(path)
    if damage:
        raise LibraryLoadError(f"sr_ops: {damage}: reinstall sr_ops")
    return path


def get_library_path() -> str:
    """Path of the ONNX Runtime custom-op library.

    For ``SessionOptions.register_custom_ops_library`` and its C and C++ equivalents. Needs no other
    package.

    Raises:
        LibraryLoadError: the library was not built into this installation.

    >>> get_library_path().endswith("sr_ops_ort.so")
    True
    """
    return library_file("sr_ops_ort")


def get_include() -> str:
    """Folder of the C and C++ headers: ``#include <sr_ops/core.h>``, ``<sr_ops/ort.h>``.

    Raises:
        LibraryLoadError: the headers are not part of this installation.

    >>> os.path.exists(os.path.join(get_include(), "sr_ops", "core.h"))
    True
    """
    return _sdk_folder("include", os.path.join("sr_ops", "core.h"))


def get_cmake_dir() -> str:
    """Folder of the CMake package, for ``cmake -D sr_ops_DIR=...`` and ``find_package(sr_ops)``.

    It defines the targets ``sr_ops::core``, ``sr_ops::core_static``, ``sr_ops::ort`` and
    ``sr_ops::ort_static``.

    Raises:
        LibraryLoadError: the CMake package is not part of this installation.

    >>> os.path.exists(os.path.join(get_cmake_dir(), "sr_ops-config.cmake"))
    True
    """
    return _sdk_folder(os.path.join("lib", "cmake", "sr_ops"), "sr_ops-config.cmake")


def _sdk_folder(name: str, content: str) -> str:
    folder = os.path.join(_PACKAGE, name)
    if not os.path.exists(os.path.join(folder, content)):
        raise LibraryLoadError(
            f"sr_ops: {os.path.join(folder, content)} does not exist: this installation was built "
            "without the C++ libraries; reinstall with `pip install --force-reinstall .` from the "
            f"source tree, or `cmake --install BUILD --component sdk --prefix {_PACKAGE}`"
        )
    return folder


def native_info() -> dict[str, Any]:
    """What the native code is and uses.

    Returns:
        ``version``; ``target``: the instruction set in use; ``available_targets``: those that this
        machine can run, best first (choose one with the environment variable ``SR_OPS_TARGET``);
        ``threads``: the numpy front end's; ``cuda_targets``: the GPU architectures that the
        libraries for torch and ONNX Runtime hold code for, as ``"sm_90"`` and, to be compiled for
        later ones, ``"compute_121"``; empty for a build without CUDA.

    Raises:
        LibraryLoadError: the numpy extension is missing or does not load.

    >>> native_info()["target"] in native_info()["available_targets"]
    True
    """
    from sr_ops import numpy

    return numpy._native_info()

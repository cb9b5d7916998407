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


def native_info() -> dict[str, Any]:
    """What the native code is and uses.

    Returns:
        ``version``; ``target``: the instruction set in use; ``available_targets``: those that this
        machine can run, best first (choose one with the environment variable ``SR_OPS_TARGET``);
        ``threads``: the numpy door's.

    Raises:
        LibraryLoadError: the numpy extension is missing or does not load.

    >>> native_info()["target"] in native_info()["available_targets"]
    True
    """
    from sr_ops import numpy

    return numpy._native_info()

"""What is wrong with a native library that does not load. Imports nothing but the standard library.

Each loader puts :func:`why_not_loaded` into its error; ``sr-ops doctor`` shows the same.
"""

from __future__ import annotations

import os
import platform
import struct
import sys

__all__ = ["damage_of", "machine_of", "why_not_loaded"]

#: e_machine of an ELF header -> what platform.machine() calls it.
_ELF_MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
#: What a message says -> what to do about it.
_REMEDIES = {
    "libGL.so.1": "apt-get install libgl1 libglib2.0-0, or use opencv-python-headless",
    "libgthread-2.0.so.0": "apt-get install libglib2.0-0, or use opencv-python-headless",
    "libhwy.so": "apt-get install libhwy1, or reinstall sr_ops from a wheel",
    "libtorch_cpu.so": "import torch first; it needs torch 2.10 or newer",
    "GLIBC_": "the library was built on a newer system: build it here, with `pip install .`",
    "GLIBCXX_": "the library was built with a newer compiler: build it here, with `pip install .`",
    "invalid ELF header": "the file is damaged: reinstall sr_ops",
    "file too short": "the file is damaged: reinstall sr_ops",
}
_REINSTALL = "reinstall sr_ops for this Python and this machine"


def damage_of(path: str) -> str:
    """Why a library file must not be given to the loader, which dies of a truncated one; or "".

    >>> damage_of(__file__)
    ''
    """
    try:
        with open(path, "rb") as file:
            header = file.read(64)
            if len(header) < 64 or header[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian
                return ""
            (table_offset,) = struct.unpack_from("<Q", header, 32)
            entry_size, entries = struct.unpack_from("<HH", header, 54)
            file.seek(table_offset)
            table = file.read(entry_size * entries)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        return str(error)
    segments = [
        struct.unpack_from("<QQQQ", table, start + 8)  # offset, addresses, size in the file
        for start in range(0, len(table) - 55, max(entry_size, 56))
    ]
    whole = max((offset + length for offset, _, _, length in segments), default=0)
    if len(table) < entry_size * entries or whole > size:
        return f"{path} is truncated: {size} bytes of at least {max(whole, table_offset)}"
    return ""


def machine_of(path: str) -> str | None:
    """The processor that an ELF file is for, as ``platform.machine()`` names it; None if unknown.

    >>> machine_of(__file__) is None
    True
    """
    try:
        with open(path, "rb") as file:
            header = file.read(20)
    except OSError:
        return None
    if len(header) < 20 or header[:4] != b"\x7fELF":
        return None
    order = "<" if header[5] == 1 else ">"
    (machine,) = struct.unpack_from(order + "H", header, 18)
    return _ELF_MACHINES.get(machine, f"machine {machine}")


def mismatch_of(path: str) -> str:
    """Why a file is no library for this machine; or "".

    >>> mismatch_of(__file__) if sys.platform == "linux" else "not an ELF library"
    'not an ELF library'
    """
    here = platform.machine()
    machine = machine_of(path)
    if machine is None and sys.platform == "linux":
        return "not an ELF library"
    if machine not in (None, here):
        return f"built for {machine}, this machine is {here}"
    return ""


def why_not_loaded(path: str, error: BaseException | str) -> str:
    """One line: what was tried, what the loader said, what is known about the file, what to do.

    >>> why_not_loaded("/nowhere/libsr_ops_ort.so", "cannot open shared object file")
    'sr_ops: /nowhere/libsr_ops_ort.so does not load: cannot open shared object file (there is no \
such file): reinstall sr_ops for this Python and this machine; `sr-ops doctor` examines the rest'
    """
    said = " ".join(str(error).split()).removeprefix(f"{path}: ")
    remedy = next((text for mark, text in _REMEDIES.items() if mark in said), _REINSTALL)
    return (
        f"sr_ops: {path} does not load: {said} ({_facts(path)}): {remedy}; "
        "`sr-ops doctor` examines the rest"
    )


def _facts(path: str) -> str:
    if not os.path.exists(path):
        return "there is no such file"
    if not os.access(path, os.R_OK):
        return "the file is not readable"
    kind = mismatch_of(path) or f"for {machine_of(path) or sys.platform}"
    return f"{os.path.getsize(path)} bytes, {kind}"

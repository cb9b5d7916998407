"""Which GPUs a library holds code for, read from its ``.nv_fatbin`` section.

The section is a row of containers, each a header of 16 bytes (magic number, version, header's size,
content's size) and entries: kind (1: PTX, 2: machine code), header's size at byte 4, payload's size
at byte 8, architecture at byte 28. NVIDIA documents it nowhere; cuobjdump, which reads it, is no
part of every toolkit.
"""

from __future__ import annotations

import struct
from pathlib import Path

_MAGIC = 0xBA55ED50
_KINDS = {1: "compute", 2: "sm"}


def _section(elf: bytes, wanted: bytes) -> bytes:
    (table,) = struct.unpack_from("<Q", elf, 40)
    entry_size, count, names_index = struct.unpack_from("<HHH", elf, 58)

    def header(index: int) -> tuple[int, int, int]:
        start = table + index * entry_size
        (name,) = struct.unpack_from("<I", elf, start)
        offset, size = struct.unpack_from("<QQ", elf, start + 24)
        return name, offset, size

    _, names, _ = header(names_index)
    for index in range(count):
        name, offset, size = header(index)
        if elf[names + name :].startswith(wanted + b"\0"):
            return elf[offset : offset + size]
    return b""


def targets(library: Path) -> set[str]:
    """As ``{"sm_80", "compute_121"}``: machine code, and PTX to be compiled later."""
    section = _section(library.read_bytes(), b".nv_fatbin")
    found: set[str] = set()
    position = 0
    while position + 16 <= len(section):
        magic, _, header_size, content = struct.unpack_from("<IHHQ", section, position)
        if magic != _MAGIC:  # padding
            position += 8
            continue
        entry = position + header_size
        position = entry + content
        while entry < position:
            kind, _, entry_header, payload = struct.unpack_from("<HHIQ", section, entry)
            (architecture,) = struct.unpack_from("<I", section, entry + 28)
            found.add(f"{_KINDS.get(kind, kind)}_{architecture}")
            entry += entry_header + payload
    return found

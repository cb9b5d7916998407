"""Reads a fuzzer's bytes as choices. Zeros once they are used up: every input is a whole one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: What conversions and limits stumble over.
NUMBERS = (0, 1, 2, 3, 4, 8, 9, 16, 255, -1, -2, 65_535, 2**31 - 1, 2**31, -(2**31), 2**32, 2**40)
NUMBERS += (2**53, 2**62, 2**63 - 1, -(2**63))


class Choices:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, limit: int) -> int:
        size = (max(limit - 1, 1).bit_length() + 7) // 8
        return int.from_bytes(self.take(size).ljust(size, b"\0"), "little") % limit

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def flag(self, one_in: int = 2) -> bool:
        """Rarely true where the bytes are zeros."""
        return self.below(256) % one_in == one_in - 1

    def number(self) -> int:
        return self.pick(NUMBERS)

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def short(self) -> bytes:
        return self.take(self.below(24))

    def text(self) -> str:
        return self.short().decode("latin-1")

    def rest(self) -> bytes:
        return self._data[self._at :]

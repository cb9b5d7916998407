"""Runs random cases with source and destination against unreadable pages; see test_memory.py.

A program of its own, because a kernel that reads or writes one byte too far ends the process. The
last line printed is then the case that did it.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
from cases import ARRAY_DTYPES, Case, assert_same_bits, random_cases
from native import ALL_TARGETS, FUSED_TARGETS, Array, resample, target

PAGE = mmap.PAGESIZE
_PROT_NONE = 0
_libc = ctypes.CDLL(None, use_errno=True)


def guarded(shape: tuple[int, ...], dtype: np.dtype, *, at_end: bool) -> Array:
    """A contiguous array that ends (or begins) where unreadable memory begins (or ends)."""
    size = int(np.prod(shape)) * dtype.itemsize
    pages = -(-size // PAGE)
    region = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(region))
    for page in (0, pages + 1):
        if _libc.mprotect(ctypes.c_void_p(start + page * PAGE), PAGE, _PROT_NONE) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = (1 + pages) * PAGE - size if at_end else PAGE
    return np.frombuffer(region, dtype, size // dtype.itemsize, offset).reshape(shape)


def run(case: Case, adjoint: bool, name: str, layout: str, at_end: bool) -> None:
    values = case.array(case.out_shape if adjoint else None)
    axes = (0, 1, 2, 3) if layout == "NCHW" else (0, 2, 3, 1)
    back = tuple(int(axis) for axis in np.argsort(axes))
    with target("SCALAR"):
        expected = resample(case, values, adjoint=adjoint)
    memory = values.transpose(axes)
    source = guarded(memory.shape, values.dtype, at_end=at_end)
    source[:] = memory
    out = guarded(expected.transpose(axes).shape, values.dtype, at_end=at_end)
    print(f"{name}, {layout}, adjoint={adjoint}, at_end={at_end}, {case}", flush=True)
    with target(name):
        resample(case, source.transpose(back), adjoint=adjoint, out=out.transpose(back), threads=2)
    if name in FUSED_TARGETS:
        assert_same_bits(out.transpose(back), expected, case)
    if not adjoint:
        reverse = (Ellipsis, slice(None, None, -1), slice(None, None, -1))
        with target(name):
            reversed_source = source.transpose(back)[reverse]
            resample(case, reversed_source, out=out.transpose(back), threads=1)


def main() -> None:
    seed = int(sys.argv[1])
    for index, case in enumerate(random_cases(150, seed=seed, dtypes=ARRAY_DTYPES)):
        adjoint = index % 3 == 0 and "int" not in case.dtype
        for name in ALL_TARGETS:
            for layout in ("NCHW", "NHWC"):
                run(case, adjoint, name, layout, at_end=index % 4 != 0)


if __name__ == "__main__":
    main()
    print("done", flush=True)

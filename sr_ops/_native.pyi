"""The extension module built from csrc/numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

version: str
cuda_targets: str
elements_per_thread: int

def available_targets() -> list[str]: ...
def chosen_target() -> str: ...
def choose_target(name: str) -> bool: ...
def resample(
    source: NDArray[Any],
    destination: NDArray[Any],
    dtype: int,
    scale_height: float,
    scale_width: float,
    mode: int,
    cubic_coeff_a: float,
    antialias: bool,
    exclude_outside: bool,
    adjoint: bool,
    threads: int,
    new_destination: bool = False,
    part: tuple[int, int, int, int, int, int, int, int] | None = None,
    rounding: int = 0,
) -> None: ...
def source_rectangle(
    extents: tuple[int, int, int, int],
    scale_height: float,
    scale_width: float,
    mode: int,
    cubic_coeff_a: float,
    antialias: bool,
    exclude_outside: bool,
    window: tuple[int, int, int, int],
    rounding: int,
) -> tuple[int, int, int, int]: ...
def get_limits() -> tuple[int, int]: ...
def set_limits(work: int, table_bytes: int) -> None: ...
def fast_path(
    array: object,
    scale: object,
    size: object,
    layout: int,
    out: object,
    cubic_coeff_a: object,
    antialias: object,
    exclude_outside: object,
    threads: int,
) -> NDArray[Any] | None: ...
def new_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]: ...
def set_flush_denormal(flush: bool) -> None: ...

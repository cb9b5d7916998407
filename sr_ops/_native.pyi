"""The extension module built from csrc/numpy."""

from typing import Any

from numpy.typing import NDArray

version: str

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
) -> None: ...

"""One case of conformance/cases.json through each front end: an array, or an error."""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Array, Case
from front_ends import by_numpy, by_onnxruntime, by_torch

import sr_ops
from sr_ops import _arguments

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "conformance" / "cases.json"
WASM = ROOT / "js" / "sr_ops.wasm"

Request = dict[str, Any]


def number(value: Any) -> float:
    """JSON has no number for "nan" and "inf"."""
    return float(value)


def array_of(request: Request) -> Array:
    dtype = np.dtype(request["dtype"])
    if "x" not in request:
        return np.zeros(request["shape"], dtype)
    return np.array(request["x"], np.float64).astype(dtype).reshape(request["shape"])


def _case_of(request: Request) -> Case:
    attributes = {**request["attributes"]}
    attributes["cubic_coeff_a"] = number(attributes["cubic_coeff_a"])
    scale = tuple(map(number, request["scale"])) if "scale" in request else None
    return Case(
        shape=tuple(request["shape"]), scale=scale, size=request.get("size"),
        dtype=request["dtype"], **attributes, values="", seed=0,
    )  # fmt: skip


def _through(front_end: Callable[[Case, Array], Array]) -> Callable[[Request], Array]:
    return lambda request: front_end(_case_of(request), array_of(request))


class _Status(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int32), ("message", ctypes.c_char * 508)]


def _fields_of(struct: str) -> list[tuple[str, Any]]:
    """A struct's fields as sr_ops/core.h declares them: no second copy to fall behind."""
    header = (ROOT / "csrc" / "include" / "sr_ops" / "core.h").read_text()
    body = re.search(rf"typedef struct {struct} {{(.*?)^}} {struct};", header, re.DOTALL | re.M)
    assert body, struct
    code = re.sub(r"/\*.*?\*/", "", body[1], flags=re.DOTALL)
    types = {"uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64, "float": ctypes.c_float}
    declared = re.findall(r"(\w+) (\w+)(?:\[(\d+)\])?;", code)
    assert len(declared) == code.count(";"), code
    fields: list[tuple[str, Any]] = []
    for kind, name, length in declared:  # enumerations are int32_t by another name
        element = types.get(kind, ctypes.c_int32)
        fields.append((name, element * int(length) if length else element))
    return fields


class _Description(ctypes.Structure):
    _fields_ = _fields_of("sr_ops_description")


@lru_cache
def _core() -> ctypes.CDLL:
    (path,) = (Path(sr_ops.__file__).parent / "lib").glob("libsr_ops_core.so")
    library = ctypes.CDLL(str(path))
    library.sr_ops_output_size.restype = _Status
    library.sr_ops_dynamic_upscale.restype = _Status
    return library


def _position(names: tuple[str, ...], name: str) -> int:
    """What stands for a name in C; of one that does not exist, a number that does not either."""
    return names.index(name) if name in names else len(names)


def _describe(request: Request) -> _Description:
    modes, attributes = _arguments.COORDINATE_TRANSFORMATION_MODES, request["attributes"]
    mode = attributes["coordinate_transformation_mode"]
    description = _Description(
        struct_size=ctypes.sizeof(_Description),
        dtype={"float32": 0, "uint8": 4}[request["dtype"]],
        coordinate_transformation_mode=_position(modes, mode),
        shape=(ctypes.c_int64 * 4)(*request["shape"]),
        cubic_coeff_a=number(attributes["cubic_coeff_a"]),
        exclude_outside=attributes["exclude_outside"],
        antialias=attributes["antialias"],
        rounding=_position(_arguments.ROUNDINGS, attributes.get("rounding", "exact")),
    )
    if "scale" in request:
        description.scale_height, description.scale_width = map(number, request["scale"])
    else:
        description.out_height, description.out_width = request["size"]
    return description


def _check(status: _Status) -> None:
    if status.code != 0:
        raise ValueError(status.message.decode())


def core_upscale(request: Request, x: Array) -> Array:
    """x, of any strides, through the shared library behind sr_ops/core.h."""
    description, size = _describe(request), (ctypes.c_int64 * 2)()
    strides = [s // x.itemsize for s in x.strides]
    if not any(strides):  # all 0 would mean a dense x; an axis of one element may have any
        strides[0] = 1
    description.x_strides = (ctypes.c_int64 * 4)(*strides)
    _check(_core().sr_ops_output_size(ctypes.byref(description), size))
    y = np.empty((*x.shape[:2], *size), x.dtype)
    at = [ctypes.c_void_p(array.ctypes.data) for array in (x, y)]
    _check(_core().sr_ops_dynamic_upscale(ctypes.byref(description), *at, None))
    return y


def by_c(request: Request) -> Array:
    """The shared library behind sr_ops/core.h."""
    return core_upscale(request, array_of(request))


@lru_cache
def _wasm_results() -> dict[str, dict[str, Any]]:
    """By name, for all requests of the file at once."""
    node = shutil.which("node")
    if node is None or not WASM.exists():
        pytest.skip("no WebAssembly: `make wasm` builds js/sr_ops.wasm; Node runs it")
    script = ROOT / "js" / "test" / "conformance.mjs"
    done = subprocess.run(
        [node, str(script), str(CASES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results, requests = json.loads(done.stdout), json.loads(CASES.read_text())
    good = {c["name"]: r for c, r in zip(requests["cases"], results["cases"], strict=True)}
    bad = {c["name"]: {"says": r} for c, r in zip(requests["bad"], results["bad"], strict=True)}
    return {**good, **bad}


def by_wasm(request: Request) -> Array:
    result = _wasm_results()[request["name"]]
    if "says" in result:
        if result["says"] is not None:
            raise ValueError(result["says"])
        return np.empty(0)
    return np.array(result["y"], np.float64).astype(request["dtype"]).reshape(result["shape"])


FRONT_ENDS: dict[str, Callable[[Request], Array]] = {
    "numpy": _through(by_numpy),
    "torch": _through(by_torch),
    "ONNX Runtime": _through(by_onnxruntime),
    "C": by_c,
    "WebAssembly": by_wasm,
}

#!/usr/bin/env python3
"""Write tests/conformance/cases.json: what every front end must give, as data.

    python tests/conformance/write_cases.py

Inputs and the results of sr_ops/reference.py in float64 (neither rounded nor clamped), and requests
that every front end must refuse. Plain JSON, so that a front end in any language can read it. The
file is written anew only where the contract changes; a test compares it with the reference.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from sr_ops import _arguments, reference

FILE = Path(__file__).with_name("cases.json")

SOURCE = (
    "Keys, Cubic convolution interpolation for digital image processing, IEEE Trans. ASSP 29(6), "
    "1981; ONNX Resize-19, mode cubic, in exact coordinates; Pillow for its rounding. Written by "
    "tests/conformance/write_cases.py from sr_ops/reference.py."
)

MODES = _arguments.COORDINATE_TRANSFORMATION_MODES

#: Shape and target: every path of a kernel, and the sizes at which implementations differ.
TARGETS: tuple[tuple[tuple[int, int, int, int], dict[str, Any]], ...] = (
    ((1, 1, 4, 5), {"scale": [2.0, 2.0]}),
    ((1, 3, 5, 7), {"scale": [2.7, 2.7]}),
    ((2, 2, 3, 4), {"scale": [1.5, 3.0]}),
    ((1, 4, 6, 5), {"size": [9, 4]}),
    ((1, 1, 1, 1), {"scale": [3.0, 3.0]}),
    ((1, 2, 1, 9), {"scale": [1.0, 1.4]}),
    ((1, 1, 9, 8), {"scale": [0.5, 0.6]}),
    ((1, 1, 12, 10), {"size": [1, 3]}),
    ((1, 1, 1, 45), {"scale": [1.0, 1.4]}),  # 63; 62 elsewhere
)

#: Pillow's rounding takes the rows first in the second of the last two, not in the first.
PILLOW_TARGETS = (
    *TARGETS,
    ((1, 3, 20, 21), {"size": [9, 11]}),
    ((1, 3, 21, 12), {"size": [9, 11]}),
)

VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"cubic_coeff_a": -0.5},
    {"exclude_outside": True},
    {"antialias": True},
    {"antialias": True, "exclude_outside": True, "cubic_coeff_a": -0.5},
)

#: The last: what the message names, in the words of one front end or another.
BAD: tuple[tuple[str, dict[str, Any], list[str]], ...] = (
    ("a scale of 0", {"scale": [0.0, 2.0]}, ["scale"]),
    ("a negative scale", {"scale": [2.0, -1.0]}, ["scale"]),
    ("a scale that is no number", {"scale": ["nan", 2.0]}, ["scale"]),
    ("an infinite scale", {"scale": [2.0, "inf"]}, ["scale"]),
    ("an output axis without pixels", {"scale": [0.1, 1.0]}, ["at least one pixel"]),
    ("an output beyond 2^40 elements", {"scale": [2.0e6, 2.0e6]}, ["elements"]),
    ("a size of 0", {"size": [0, 4]}, ["size", "out_height"]),
    ("a negative size", {"size": [4, -4]}, ["size", "out_height"]),
    ("a coefficient that is no number", {"scale": [2.0, 2.0], "cubic_coeff_a": "nan"},
     ["cubic_coeff_a"]),
    ("a mode that does not exist",
     {"scale": [2.0, 2.0], "coordinate_transformation_mode": "half_pixels"},
     ["coordinate_transformation_mode"]),
    ("a rounding that does not exist", {"scale": [2.0, 2.0], "rounding": "half_up"}, ["rounding"]),
    ("Pillow's rounding of float32", {"scale": [2.0, 2.0], "rounding": "pillow"}, ["rounding"]),
)  # fmt: skip


def _values(seed: int, shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    if dtype == "uint8":
        return rng.integers(0, 256, shape).astype(np.uint8)
    signs = rng.choice([-1.0, 1.0], shape)
    return (signs * rng.integers(1, 65, shape) / 64).astype(np.float32)  # few digits, exact


def expected(case: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The reference's result for a case of the file."""
    x = np.array(case["x"], case["dtype"]).reshape(case["shape"])
    target = {name: case[name] for name in ("scale", "size") if name in case}
    return reference.dynamic_upscale(x, **target, **case["attributes"])


def _cases() -> list[dict[str, Any]]:
    combinations = [(mode, {}) for mode in MODES[1:]] + [(MODES[0], v) for v in VARIANTS]
    problems = [*itertools.product(TARGETS, combinations, ("float32", "uint8"))]
    problems += [(target, (MODES[0], {"rounding": "pillow"}), "uint8") for target in PILLOW_TARGETS]
    cases = []
    for seed, ((shape, target), (mode, variant), dtype) in enumerate(problems):
        attributes = {"coordinate_transformation_mode": mode, "cubic_coeff_a": -0.75,
                      "antialias": False, "exclude_outside": False, **variant}  # fmt: skip
        x = _values(seed, shape, dtype)
        name = f"{len(cases)} {dtype} {mode} {'x'.join(map(str, shape))} {next(iter(target))}"
        values = [v if v % 1 else int(v) for v in x.ravel().tolist()]
        case = {"name": " ".join([name, *variant]), "dtype": dtype, "shape": list(shape), **target,
                "attributes": attributes, "x": values}  # fmt: skip
        y = expected(case)
        case["y_shape"] = list(y.shape)
        case["y"] = [float(f"{v:.10g}") for v in y.ravel()]
        cases.append(case)
    return cases


def _bad_cases() -> list[dict[str, Any]]:
    plain = {"coordinate_transformation_mode": MODES[0], "cubic_coeff_a": -0.75,
             "antialias": False, "exclude_outside": False}  # fmt: skip
    bad = []
    for name, request, says in BAD:
        target = {key: request[key] for key in ("scale", "size") if key in request}
        attributes = {**plain, **{k: v for k, v in request.items() if k not in target}}
        bad.append({"name": name, "dtype": "float32", "shape": [1, 1, 4, 5], **target,
                    "attributes": attributes, "says": says})  # fmt: skip
    return bad


def document() -> dict[str, Any]:
    """What the file holds."""
    return {"source": SOURCE, "tolerance_float32": "5e-7 * max|x|", "cases": _cases(),
            "bad": _bad_cases()}  # fmt: skip


if __name__ == "__main__":
    made = document()
    rows = {key: made[key] for key in ("source", "tolerance_float32")}
    lines = [json.dumps(rows)[:-1]]
    for key in ("cases", "bad"):
        entries = ",\n".join(json.dumps(entry) for entry in made[key])
        lines.append(f'"{key}": [\n{entries}\n]')
    FILE.write_text(",\n".join(lines) + "}\n", encoding="utf-8")
    print(FILE)

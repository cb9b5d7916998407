"""Arguments that the torch front end refuses: what the error names, and the keywords of the call.

The image is (1, 2, 4, 5).
"""

from __future__ import annotations

import math
from typing import Any

import torch

TOO_SMALL_OR_LARGE: list[tuple[str, dict[str, Any]]] = [
    ("scale", {"scale": 0.1}),  # an output axis without a pixel
    ("scale", {"scale": 2.0**19}),  # more than 2^40 elements
    ("scale", {"scale": 1e30}),
]
VALUE_ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("scale", {"scale": 0}),
    ("scale", {"scale": -2.0}),
    ("scale", {"scale": math.nan}),
    ("scale", {"scale": math.inf}),
    ("scale", {"scale": 1e-60}),  # 0 in float32
    ("scale", {"scale": 1e60}),  # infinite in float32
    ("scale", {"scale": 10**400}),  # beyond float64
    ("scale", {"scale": (2, -(10**400))}),
    ("scale", {"scale": (2.0, 0.0)}),
    ("scale", {"scale": (1.0, 2.0, 3.0)}),
    ("scale", {"scale": ()}),
    ("scale", {"scale": (2, 1, 3, 3)}),
    ("scale", {"scale": torch.tensor(0)}),
    ("scale", {"scale": torch.tensor(-1.5)}),
    ("scale", {"scale": torch.tensor(math.nan)}),
    ("scale", {"scale": torch.tensor([2.0, math.inf])}),
    ("scale", {"scale": torch.ones(3)}),
    ("scale", {"scale": torch.ones(0)}),
    ("scale", {"scale": torch.ones(2, 2)}),
    ("scale", {"scale": torch.tensor([2.0, 1.0, 3.0, 3.0])}),
    *TOO_SMALL_OR_LARGE,
    ("scale, size", {}),
    ("scale, size", {"scale": 2, "size": (8, 8)}),
    ("size", {"size": (8,)}),
    ("size", {"size": (8, 0)}),
    ("size", {"size": (-8, 8)}),
    ("size", {"size": (2**70, 8)}),
    ("size", {"size": (10**400, 8)}),
    ("coordinate_transformation_mode", {"scale": 2, "coordinate_transformation_mode": "cubic"}),
    ("coordinate_transformation_mode", {"scale": 2, "coordinate_transformation_mode": ["x"]}),
    ("cubic_coeff_a", {"scale": 2, "cubic_coeff_a": math.nan}),
    ("cubic_coeff_a", {"scale": 2, "cubic_coeff_a": 10**400}),
]

TYPE_ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("scale", {"scale": "2"}),
    ("scale", {"scale": True}),
    ("scale", {"scale": (2, "2")}),
    ("scale", {"scale": {2}}),
    ("scale", {"scale": torch.tensor(True)}),
    ("scale", {"scale": torch.tensor(2j)}),
    ("size", {"size": 8}),
    ("size", {"size": (8.0, 8)}),
    ("size", {"size": "88"}),
    ("cubic_coeff_a", {"scale": 2, "cubic_coeff_a": "x"}),
    ("antialias", {"scale": 2, "antialias": 1}),
    ("exclude_outside", {"scale": 2, "exclude_outside": None}),
]

"""cases.json through every front end: the reference's values, and the refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from through_front_ends import CASES, FRONT_ENDS, Request, array_of

sys.path.insert(0, str(Path(__file__).parent))
import write_cases

DOCUMENT: dict[str, Any] = json.loads(CASES.read_text())

#: Digits of the file, and the arithmetic of two passes in float32, in levels of a byte.
_LEVELS = 2e-4


@pytest.fixture(params=FRONT_ENDS)
def front_end(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _check(y: np.ndarray[Any, Any], case: Request) -> None:
    expected = np.array(case["y"]).reshape(case["y_shape"])
    assert y.shape == expected.shape and y.dtype == case["dtype"], case["name"]
    if case["dtype"] == "uint8":
        off = np.abs(y - np.clip(expected, 0, 255)).max()
        assert off <= 0.5 + _LEVELS, (case["name"], off)
    else:
        off = np.abs(y - expected).max() / np.abs(array_of(case)).max()
        assert off <= 5e-7, (case["name"], off)


def test_values(front_end: str) -> None:
    """float32 within 5e-7 of the largest input; bytes rounded right."""
    for case in DOCUMENT["cases"]:
        _check(FRONT_ENDS[front_end](case), case)


def test_refusals(front_end: str) -> None:
    """Each names what is wrong."""
    for bad in DOCUMENT["bad"]:
        with pytest.raises(Exception) as raised:
            FRONT_ENDS[front_end](bad)
        said = str(raised.value).lower().replace("_", "")
        named = [word for word in bad["says"] if word.replace("_", "") in said]
        assert named, (bad["name"], str(raised.value))


def test_a_wrong_value_is_noticed() -> None:
    """The comparison itself: one value off by little more than what is allowed."""
    for case in (DOCUMENT["cases"][0], DOCUMENT["cases"][1]):
        y = FRONT_ENDS["numpy"](case).copy()
        y.flat[0] += 1 if case["dtype"] == "uint8" else np.float32(2e-6)
        with pytest.raises(AssertionError):
            _check(y, case)


def test_the_file_is_the_reference_s() -> None:
    """Written anew, it would be the same, to the digits that it has."""
    document = write_cases.document()
    assert {**document, "cases": 0} == {**DOCUMENT, "cases": 0}
    for made, kept in zip(document["cases"], DOCUMENT["cases"], strict=True):
        np.testing.assert_allclose(made.pop("y"), kept["y"], rtol=1e-9, atol=1e-9)
        assert {**kept, "y": 0} == {**made, "y": 0}

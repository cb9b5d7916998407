"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import zlib

import numpy as np
import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name alone, not on which tests ran before."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))

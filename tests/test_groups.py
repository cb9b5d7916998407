"""Tests of a group run in one process, one after another: what they build would be built twice."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("of its own")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist knows a group by the end of its tests' names; not every pytest lets it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@of its own")

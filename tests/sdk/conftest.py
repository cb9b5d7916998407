"""Removes the installation that the tests share when they are done."""

import shutil
from collections.abc import Iterator

import pytest
from sdk import installed


@pytest.fixture(scope="session", autouse=True)
def remove_the_installation() -> Iterator[None]:
    yield
    if installed.prefix.cache_info().currsize:
        shutil.rmtree(installed.prefix(), ignore_errors=True)

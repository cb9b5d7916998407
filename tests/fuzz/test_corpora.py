"""What the fuzz targets have found or come to know, once more. `make fuzz` looks for more of it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from fuzz.run import TARGETS

CORPORA = Path(__file__).parent / "corpus"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", TARGETS)
def test_corpus(target: str) -> None:
    run = importlib.import_module(f"fuzz.{target}").run
    files = sorted((CORPORA / target).iterdir())
    assert len(files) >= 10
    for file in files:
        try:
            run(file.read_bytes())
        except Exception as error:
            error.add_note(f"python tests/fuzz/run.py {target} {file}")
            raise


def test_every_corpus_has_its_target() -> None:
    assert {folder.name for folder in CORPORA.iterdir()} == set(TARGETS)

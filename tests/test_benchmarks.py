"""The benchmark tools; timings themselves are no test's business."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import measure
    import report

    yield measure, report
    for name in ("measure", "report"):
        sys.modules.pop(name, None)


def test_the_documents_quote_the_committed_measurements(tools):
    results = ROOT / "benchmarks" / "results"
    data = json.loads((results / "avx3.json").read_text())
    full, short = tools[1].table(data["results"]), tools[1].short_table(data["results"])
    assert len(full.splitlines()) > len(short.splitlines()) > 15
    assert short in (ROOT / "README.md").read_text()
    assert full in (ROOT / "docs" / "performance.md").read_text()
    models = tools[1].models_table(json.loads((results / "models.json").read_text()))
    assert len(models.splitlines()) == 4 + 5 * 2 * 2  # models, backends, thread counts
    assert models in (ROOT / "docs" / "performance.md").read_text()


def test_every_contender_is_timed_in_every_round(tools):
    calls = {"sr_ops": 0, "peer": 0}

    def contender(name):
        calls[name] += 1

    seconds = tools[0].compare({name: lambda n=name: contender(n) for name in calls}, rounds=2)
    assert set(seconds) == set(calls)
    assert all(0 < times["min"] <= times["median"] for times in seconds.values())
    assert min(calls.values()) >= 2 * 2

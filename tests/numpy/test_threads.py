"""The numpy front end's threads: their number, their results, forks, many callers at once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from cases import assert_same_bits, random_array, random_cases

import sr_ops
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

upscale = sr_ops.numpy.dynamic_upscale
PHOTOGRAPH = random_array(np.random.default_rng(5), (1, 3, 120, 160), "float32")


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    before = sr_ops.numpy.get_num_threads()
    yield
    sr_ops.numpy.set_num_threads(before)


def _child(environment: dict[str, str], code: str) -> str:
    paths = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return result.stdout.strip()


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 64, 1024])
def test_any_number_gives_the_same_bits(threads: int) -> None:
    sr_ops.numpy.set_num_threads(1)
    expected = upscale(PHOTOGRAPH, 2.7)
    sr_ops.numpy.set_num_threads(threads)
    assert sr_ops.numpy.get_num_threads() == threads == sr_ops.native_info()["threads"]
    assert_same_bits(upscale(PHOTOGRAPH, 2.7), expected, threads)


def test_random_problems_on_several_threads() -> None:
    for case in random_cases(60, seed=24, kinds=("everyday", "deep")):
        sr_ops.numpy.set_num_threads(1)
        expected = upscale(case.array(), **case.keywords)
        sr_ops.numpy.set_num_threads(5)
        assert_same_bits(upscale(case.array(), **case.keywords), expected, case)


@pytest.mark.parametrize("number", [0, -1, 1025, 2**70])
def test_numbers_that_are_refused(number: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"num_threads: got {number}, expected 1 to"):
        sr_ops.numpy.set_num_threads(number)


@pytest.mark.parametrize("number", [2.0, "2", None, True])
def test_types_that_are_refused(number: Any) -> None:
    with pytest.raises(InvalidTypeError, match=r"num_threads: got .*, expected an integer"):
        sr_ops.numpy.set_num_threads(number)


SHOW = "import sr_ops; print(sr_ops.numpy.get_num_threads())"


def test_the_environment_sets_the_number() -> None:
    assert _child({"SR_OPS_NUM_THREADS": "7"}, SHOW) == "7"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")
def test_the_default_is_the_number_of_usable_cores() -> None:
    assert _child({"SR_OPS_NUM_THREADS": ""}, SHOW) == str(len(os.sched_getaffinity(0)))
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);" + SHOW
    assert _child({"SR_OPS_NUM_THREADS": ""}, code) == "1"


@pytest.mark.parametrize("text", ["0", "-3", "four", "2.5", "1e3", "99999"])
def test_an_environment_that_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_OPS_NUM_THREADS", text)
    monkeypatch.setattr(sr_ops.numpy, "_num_threads", None)
    with pytest.raises(InvalidArgumentError, match=f"SR_OPS_NUM_THREADS: .*{text}"):
        sr_ops.numpy.get_num_threads()
    monkeypatch.undo()


def test_many_callers_at_once() -> None:
    sr_ops.numpy.set_num_threads(4)
    images = [random_array(np.random.default_rng(i), (1, 3, 60, 80), "float32") for i in range(8)]
    expected = [upscale(image, 2.7) for image in images]
    with ThreadPoolExecutor(16) as callers:
        for _ in range(10):
            results = callers.map(lambda image: upscale(image, 2.7), images)
            for actual, wanted in zip(results, expected, strict=True):
                assert_same_bits(actual, wanted, "16 callers")


def test_the_interpreter_runs_meanwhile() -> None:
    """A call of some length must let another Python thread go on."""
    sr_ops.numpy.set_num_threads(1)
    x = random_array(np.random.default_rng(6), (1, 1, 1000, 1000), "float64")
    done = threading.Event()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.0005):
            ticks += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    before = ticks
    upscale(x, 4)
    during = ticks - before
    done.set()
    ticker.join()
    assert during >= 3


def _upscale_in_child(expected: bytes) -> bool:
    return upscale(PHOTOGRAPH, 2.7).tobytes() == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_worker_processes(method: str) -> None:
    sr_ops.numpy.set_num_threads(3)
    expected = upscale(PHOTOGRAPH, 2.7).tobytes()  # the parent's threads exist from here on
    with multiprocessing.get_context(method).Pool(2) as pool:
        results = pool.map_async(_upscale_in_child, [expected] * 4).get(timeout=120)
    assert results == [True] * 4


FORK_STORM = """
import os, signal, sys, threading
import numpy as np, sr_ops

sr_ops.numpy.set_num_threads(3)
x = np.random.default_rng(0).random((1, 2, 40, 50)).astype(np.float32)
stop = threading.Event()

def work(seed):
    height = 41
    while not stop.is_set():  # ever new sizes: the cache of tables is written to all the time
        height = 41 + (height * 31 + seed) % 200
        sr_ops.numpy.dynamic_upscale(x, size=(height, 100))

threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
for thread in threads:
    thread.start()
expected = sr_ops.numpy.dynamic_upscale(x, 2.7)
failures = 0
for i in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        same = (sr_ops.numpy.dynamic_upscale(x, 2.7) == expected).all()
        grown = sr_ops.numpy.dynamic_upscale(x, size=(300 + i, 100)).shape[2] == 300 + i
        os._exit(0 if same and grown else 1)
    failures += os.waitpid(pid, 0)[1] != 0
stop.set()
for thread in threads:
    thread.join()
print("failures", failures)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forks_while_other_threads_are_inside() -> None:
    """A child must not inherit a lock that nobody will release."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK_STORM, "150"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    assert result.stdout.strip() == "failures 0", result.stderr

"""The interpreter may end while another thread is inside a call: the process ends as it should."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import threading, time, sys
import numpy as np
import sr_ops

def work(index):
    if {large}:
        image = np.ones((1, 3, 700, 900), np.float32)
    else:
        image = np.ones((1, 1, 60, 60), np.float32)
    out = None
    while True:
        out = sr_ops.numpy.dynamic_upscale(image, 2.7, out=out)
        started[index].set()

started = [threading.Event() for _ in range(3)]
for index in range(3):
    threading.Thread(target=work, args=(index,), daemon=True).start()
for event in started:
    event.wait()
time.sleep({pause})
sys.exit({code})
"""


@pytest.mark.parametrize("code", [0, 7])
@pytest.mark.parametrize("large", [True, False])
def test_exit_while_daemon_threads_are_inside_a_call(large: bool, code: int) -> None:
    paths = os.pathsep.join(path for path in sys.path if path)
    for attempt in range(3):
        text = CODE.format(large=large, code=code, pause=0.01 * attempt)
        result = subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert (result.returncode, result.stderr) == (code, "")

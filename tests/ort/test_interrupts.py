"""Signals inside a long run of a session: Ctrl-C ends it, and other handlers run.

In a process of its own, which computes without vectors: a run of seconds would need gigabytes
otherwise.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys, threading
import numpy as np, onnx, onnxruntime
import sr_ops
from signals import alarms, ctrl_c_by_default, press_after, wait_until

kind, threads, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
node = "sr_ops.DynamicUpscale(X, s)" if kind == "operator" else 'Resize<mode="cubic">(X, , s)'
model = onnx.parser.parse_model(
    '<ir_version: 8, opset_import: ["" : 18, "sr_ops": 1]> g (float[1,1,h,w0] X, float[4] s) => '
    "(float[1,1,h1,w1] Y) { Y = %s }" % node
)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.log_severity_level = 4  # what is wrong is asserted on, not read
session = sr_ops.onnx.make_session(
    model, sess_options=options, accelerate="provider" if kind == "provider" else None
)
x = np.random.default_rng(1).random((1, 1, 500, 700), np.float32)

def call(scale):
    return session.run(None, {"X": x, "s": np.float32([1, 1, scale, scale])})[0]

class TooLateError(Exception):
    pass

def late():
    raise TooLateError

def interrupted(exception):
    failed = [None]
    try:
        try:
            call(16.0)
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail as error:
            failed[0] = error  # no call: Python has not looked for signals yet
            text = str(error)
            sys.exit(f"Python went on after {text}")
    except exception:
        assert "interrupted by a handler of a signal" in str(failed[0])
    for _ in range(10_000):  # nothing comes up a second time
        pass

small, expected = call(1.5), call(7.0)
assert expected.size > 2**22
with ctrl_c_by_default():
    if what == "ctrl-c":
        press_after(0.3)
        interrupted(KeyboardInterrupt)
    elif what == "raising":
        with alarms(late, 0.3):
            interrupted(TooLateError)
    elif what == "returning":
        results = []
        for _ in range(20):
            handled = len(results)
            with alarms(lambda: results.append((call(1.5) == small).all()), 0.1):
                y = call(7.0)
            assert (y == expected).all()
            if len(results) - handled >= 2:
                break
        assert len(results) - handled >= 2 and all(results), results
    elif what == "ignored":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        pressed = press_after(0.1)
        assert (call(7.0) == expected).all()
        wait_until(pressed)
    elif what == "another thread":
        right, stop = [], threading.Event()
        def work():
            while not stop.is_set():  # the signal finds it inside a call
                right.append((call(7.0) == expected).all())
        thread = threading.Thread(target=work)
        thread.start()
        try:
            press_after(0.3)
            threading.Event().wait()
        except KeyboardInterrupt:
            stop.set()
        thread.join()
        assert right and all(right), right
assert (call(1.5) == small).all()
print("as expected")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")
@pytest.mark.parametrize(
    ("kind", "threads", "what"),
    [
        ("operator", 1, "ctrl-c"),
        ("operator", 3, "ctrl-c"),
        ("provider", 2, "ctrl-c"),
        ("operator", 2, "raising"),
        ("operator", 1, "returning"),
        ("provider", 3, "returning"),
        ("operator", 2, "ignored"),
        ("operator", 2, "another thread"),
    ],
)
def test_signals_inside_a_long_run(kind: str, threads: int, what: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(threads), what],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "SR_OPS_TARGET": "SCALAR",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "as expected\n"), result.stderr

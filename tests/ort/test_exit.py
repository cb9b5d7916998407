"""The interpreter may end while a thread is inside a session that runs our operator.

ONNX Runtime's own binding aborts there before Python 3.14, whatever the model: it takes the
interpreter lock back in a destructor, and an interpreter on its way out ends the thread at that
point by unwinding it. Nothing that runs inside the session can mend that. So the process must end
as it should, or exactly as it does without our library.
"""

from __future__ import annotations

import pytest
from interpreters import end_of, is_abort_of_a_binding

CODE = """
import sys, threading, time
import numpy as np, onnx, onnxruntime

kind, code, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
node = "sr_ops.DynamicUpscale(X, s)" if kind == "operator" else 'Resize<mode="cubic">(X, , s)'
model = onnx.parser.parse_model(
    '<ir_version: 8, opset_import: ["" : 18, "sr_ops": 1]> g (float[1,3,h0,w0] X, float[4] s) => '
    "(float[n,c,h,w] Y) { Y = %s }" % node
)
x = np.ones((1, 3, 700, 900), np.float32)
if kind == "onnxruntime alone":
    x = x[:, :, :70, :90]  # of its cubic Resize the whole takes seconds
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
else:
    import sr_ops
    session = sr_ops.onnx.make_session(model, accelerate="provider" if kind == "provider" else None)

def work(event):
    while True:
        session.run(None, {"X": x, "s": np.float32([1, 1, 2.7, 2.7])})
        event.set()

started = [threading.Event() for _ in range(3)]
for event in started:
    threading.Thread(target=work, args=(event,), daemon=True).start()
for event in started:
    event.wait()
time.sleep(pause)
sys.exit(code)
"""


@pytest.mark.parametrize(("kind", "code"), [("operator", 7), ("provider", 0)])
def test_exit_while_daemon_threads_are_inside_a_session(kind: str, code: int) -> None:
    end = end_of(CODE, kind, code, 0.01, warnings=False)
    if end == (code, ""):
        return
    assert is_abort_of_a_binding(end)
    # It comes by chance: the runtime alone has it in most runs.
    alone = (end_of(CODE, "onnxruntime alone", code, 0.01, warnings=False) for _ in range(6))
    assert any(map(is_abort_of_a_binding, alone))

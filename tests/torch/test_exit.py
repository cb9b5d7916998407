"""The interpreter may end while a thread is inside a call of torch that runs our operator.

torch's own binding aborts there before Python 3.14, whatever the function: it takes the interpreter
lock back in a destructor. The process must end as it should, or exactly as it does inside torch's
own interpolate.
"""

from __future__ import annotations

import pytest
from interpreters import end_of, is_abort_of_a_binding

CODE = """
import sys, threading
import torch

function, code, backward = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True"
if function == "sr_ops":
    from sr_ops import dynamic_upscale
else:
    def dynamic_upscale(image, scale):
        return torch.nn.functional.interpolate(image, scale_factor=scale, mode="bicubic")
image = torch.ones(1, 3, 400, 500, requires_grad=backward)

def work(event):
    while True:
        result = dynamic_upscale(image, 2.7)
        if backward:
            result.sum().backward()
        event.set()

started = [threading.Event() for _ in range(3)]
for event in started:
    threading.Thread(target=work, args=(event,), daemon=True).start()
for event in started:
    event.wait()
sys.exit(code)
"""


@pytest.mark.parametrize(("code", "backward"), [(0, False), (7, True)])
def test_exit_while_daemon_threads_are_inside_a_call(code: int, backward: bool) -> None:
    end = end_of(CODE, "sr_ops", code, backward)
    if end == (code, ""):
        return
    assert is_abort_of_a_binding(end), end
    # It comes by chance: torch alone has it in most runs.
    assert any(is_abort_of_a_binding(end_of(CODE, "interpolate", code, backward)) for _ in range(6))

"""Signals inside a long call of torch: Ctrl-C ends it, and other handlers run."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch
from signals import PATIENCE, alarms, ctrl_c_by_default, press_after, wait_until

import sr_ops
from sr_ops._torch import autograd

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no such timer"
)

# Long calls with little memory: the planes lie upon one another.
LARGE, SMALL = (700, 800), (6, 7)
MANY_PLANES = 20_000  # of many seconds
MODES = (None, None, 0, -0.75, True, False, 0)  # the ops' arguments after the size


def large(planes: int) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.rand(1, 1, *LARGE, dtype=torch.float64).expand(planes, 1, *LARGE)


def eager(planes: int) -> torch.Tensor:
    return sr_ops.dynamic_upscale(large(planes), size=SMALL, antialias=True)


def by_a_scale_that_is_a_tensor(planes: int) -> torch.Tensor:
    scale = torch.tensor([0.009, 0.009])
    return torch.ops.sr_ops.dynamic_upscale(large(planes), scale, *MODES[2:])


def into_another(planes: int) -> torch.Tensor:
    out = torch.empty(planes, 1, *SMALL, dtype=torch.float64)
    torch.ops.sr_ops.dynamic_upscale_to_size(large(planes), list(SMALL), *MODES, out=out)
    return out


def backward(planes: int) -> torch.Tensor:
    x = torch.ones(planes, 1, *SMALL, dtype=torch.float64, requires_grad=True)
    with pytest.MonkeyPatch.context() as patch:  # the result itself would take all memory
        patch.setattr(autograd.library, "dynamic_upscale_to_size", lambda *_: large(planes))
        y = sr_ops.dynamic_upscale(x, size=LARGE)
    y.backward(large(planes))
    assert x.grad is not None
    return x.grad


@torch.compile(fullgraph=True)
def _compiled(x: torch.Tensor) -> torch.Tensor:
    return sr_ops.dynamic_upscale(x, size=SMALL, antialias=True)


def compiled(planes: int) -> torch.Tensor:
    x = large(planes)
    torch._dynamo.mark_dynamic(x, 0)
    return _compiled(x)


CALLS = [eager, by_a_scale_that_is_a_tensor, into_another, backward, compiled]
Call = Callable[[int], torch.Tensor]


def planes_for(call: Call, seconds: float) -> int:
    """How many take about so long."""
    planes, taken = 8, 0.0
    while taken < 0.05:
        planes *= 2
        started = time.perf_counter()
        call(planes)
        taken = time.perf_counter() - started
    return int(planes * seconds / taken)


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch._dynamo.reset()  # it compiles anew for each number of threads
    with ctrl_c_by_default():
        yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_ends_a_long_call(call: Call, threads: int) -> None:
    torch.set_num_threads(threads)
    expected = call(2)  # and compiles
    pressed = press_after(0.3)
    with pytest.raises(KeyboardInterrupt):  # also after a call that did not answer
        call(MANY_PLANES)
    late = time.perf_counter() - pressed[0]
    print(f"answered after {late:.3f} s")
    assert late < PATIENCE, "the call went on to its end"
    assert torch.equal(call(2), expected)  # and the next call works
    for _ in range(10_000):  # and nothing comes up a second time
        pass


@pytest.mark.parametrize("call", [eager, backward])
def test_an_exception_of_a_handler_comes_up_as_it_is(call: Call) -> None:
    class TooLateError(Exception):
        pass

    error = TooLateError("one")

    def handle() -> None:
        raise error

    with pytest.raises(TooLateError) as raised, alarms(handle, 0.3):
        call(MANY_PLANES)
    assert raised.value is error
    assert raised.traceback[-1].name == "handle"


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("call", [eager, backward, compiled])
def test_handlers_that_return_run_meanwhile_and_may_call(call: Call, threads: int) -> None:
    torch.set_num_threads(threads)
    expected, other = call(2)[:1], eager(1)
    planes = planes_for(call, 0.5)
    results = []
    handled: list[bool] = []

    def handle() -> None:
        handled.append(torch.equal(eager(1), other))

    before = 0
    while len(handled) - before < 2:  # one alone may have run after the call
        assert planes < MANY_PLANES, "a call of many seconds ran no handlers"
        before = len(handled)
        with alarms(handle, 0.15):
            results.append(call(planes))
        planes *= 2
    assert all(handled)
    for result in results:
        assert torch.equal(result, expected.expand_as(result))


def test_signals_that_are_ignored_end_nothing() -> None:
    expected = eager(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    planes = planes_for(eager, 0.5)
    pressed = press_after(0.2)
    result = eager(planes)
    wait_until(pressed)
    assert torch.equal(result, expected.expand_as(result))


def test_calls_on_other_threads_go_on() -> None:
    expected = eager(1)
    planes = planes_for(eager, 0.5)
    right: list[bool] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():  # the signal finds it inside a call
            result = eager(planes)
            right.append(torch.equal(result, expected.expand_as(result)))

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        press_after(0.2)
        threading.Event().wait()
    stop.set()
    thread.join()
    assert right and all(right)


def test_ctrl_c_in_a_child_that_was_forked() -> None:
    torch.set_num_threads(1)  # OpenMP does not survive a fork
    child = os.fork()
    if child == 0:
        press_after(0.3)
        try:
            eager(MANY_PLANES)
        except KeyboardInterrupt:
            os._exit(7)
        finally:
            os._exit(1)
    started = time.perf_counter()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert time.perf_counter() - started < PATIENCE


def test_under_torchscript_an_error_names_the_exception() -> None:
    scripted = torch.jit.script(sr_ops.DynamicUpscale(size=SMALL, antialias=True))
    pressed = press_after(0.3)
    with pytest.raises(RuntimeError, match=r"(?s)TorchScript.*KeyboardInterrupt"):
        scripted(large(MANY_PLANES))
    assert time.perf_counter() - pressed[0] < PATIENCE


def test_where_only_cpp_stands_between_the_exception_comes_up_when_python_goes_on() -> None:
    scripted = torch.jit.script(sr_ops.DynamicUpscale(size=SMALL, antialias=True))
    pressed = press_after(0.3)
    with pytest.raises(KeyboardInterrupt), torch.inference_mode():  # past torch's code in Python
        try:
            scripted(large(MANY_PLANES))
        except RuntimeError as error:
            pytest.fail(f"Python went on: {error}")
    assert time.perf_counter() - pressed[0] < PATIENCE

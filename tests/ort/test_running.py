"""Threads, bindings and processes: the same bits however a session is driven."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

X = np.random.default_rng(1).standard_normal((2, 3, 70, 50)).astype(np.float32)
SCALES = np.array([1, 1, 2.7, 1.4], np.float32)
FEED = {"X": X, "scales": SCALES}


@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("scale", [0.3, 2.7])
def test_same_bits_on_any_number_of_threads(build_model, open_session, scale, antialias):
    model = build_model(antialias=antialias)
    feed = {"X": X, "scales": np.array([scale], np.float32)}
    expected = open_session(model, threads=1).run(None, feed)[0]
    for threads in (2, 3, 8):
        np.testing.assert_array_equal(
            open_session(model, threads=threads).run(None, feed)[0], expected
        )


def test_thirty_two_threads_share_a_session(build_model, open_session):
    session = open_session(build_model(), threads=2)
    scales = [np.array([s], np.float32) for s in (0.5, 1.1, 2.0, 2.7)]
    expected = [session.run(None, {"X": X, "scales": s})[0] for s in scales]

    def run(i: int) -> None:
        y = session.run(None, {"X": X, "scales": scales[i % 4]})[0]
        np.testing.assert_array_equal(y, expected[i % 4])

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(run, range(128)))


def test_thirty_two_sessions_of_one_thread(build_model, open_session):
    model = build_model()
    sessions = [open_session(model, threads=1) for _ in range(32)]
    expected = sessions[0].run(None, FEED)[0]
    with ThreadPoolExecutor(32) as pool:
        for y in pool.map(lambda session: session.run(None, FEED)[0], sessions):
            np.testing.assert_array_equal(y, expected)


SCALES_2 = np.float32([1, 1, 2, 2])


def test_io_binding_into_a_preallocated_output(build_model, open_session):
    session = open_session(build_model())
    expected = session.run(None, FEED)[0]
    y = np.full(expected.shape, np.nan, np.float32)
    output = onnxruntime.OrtValue.ortvalue_from_numpy(y)
    binding = session.io_binding()
    binding.bind_ortvalue_input("X", onnxruntime.OrtValue.ortvalue_from_numpy(X))
    binding.bind_cpu_input("scales", SCALES)
    binding.bind_ortvalue_output("Y", output)
    session.run_with_iobinding(binding)
    np.testing.assert_array_equal(output.numpy(), expected)


def test_io_binding_that_lets_the_session_allocate(build_model, open_session):
    session = open_session(build_model())
    binding = session.io_binding()
    binding.bind_cpu_input("X", X)
    binding.bind_cpu_input("scales", SCALES)
    binding.bind_output("Y")
    for _ in range(2):
        session.run_with_iobinding(binding)
    np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], session.run(None, FEED)[0])


def test_preallocated_output_of_the_wrong_shape_is_refused(build_model, open_session):
    session = open_session(build_model())
    binding = session.io_binding()
    binding.bind_cpu_input("X", X)
    binding.bind_cpu_input("scales", SCALES)
    wrong = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((2, 3, 10, 10), np.float32))
    binding.bind_ortvalue_output("Y", wrong)
    with pytest.raises(Exception, match="shape"):
        session.run_with_iobinding(binding)
    np.testing.assert_array_equal(wrong.numpy(), 0)


@pytest.mark.parametrize("offset", [0, 4, 71, -71, 72, -288])
def test_bound_output_that_overlaps_the_input_is_refused(build_model, open_session, offset):
    """In elements, of an input of 72 and an output of 288: only the last two lie apart."""
    session = open_session(build_model())
    memory = np.arange(288 + 72 + 288, dtype=np.float32)
    x = memory[288 : 288 + 72].reshape(1, 2, 6, 6)
    y = memory[288 + offset :][:288].reshape(1, 2, 12, 12)
    expected = session.run(None, {"X": x.copy(), "scales": SCALES_2})[0]
    binding = session.io_binding()
    for bind, name, array in (
        (binding.bind_input, "X", x),
        (binding.bind_output, "Y", y),
    ):
        bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
    binding.bind_cpu_input("scales", SCALES_2)
    if offset in (72, -288):
        session.run_with_iobinding(binding)
        np.testing.assert_array_equal(y, expected)
        return
    before = memory.copy()
    with pytest.raises(Exception, match=r"Y: the memory .* overlaps that of X"):
        session.run_with_iobinding(binding)
    np.testing.assert_array_equal(memory, before)


def test_reused_output_buffers_are_overwritten(build_model, open_session):
    """The arena hands the buffer of the last run to the next one."""
    session = open_session(build_model(elem_type=TensorProto.UINT8))
    for value in (0, 255, 7):
        x = np.full((1, 3, 9, 9), value, np.uint8)
        assert (session.run(None, {"X": x, "scales": SCALES})[0] == value).all()


def _run_in_child(model: bytes, connection) -> None:
    import sr_ops

    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sr_ops.get_library_path())
    connection.send(onnxruntime.InferenceSession(model, options).run(None, FEED)[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_opens_its_own_session(build_model, open_session):
    """The parent has the library loaded and its threads running."""
    model = build_model()
    expected = open_session(model, threads=2).run(None, FEED)[0]
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_run_in_child, args=(model.SerializeToString(), sender))
    child.start()
    assert receiver.poll(60), "the child hangs"
    np.testing.assert_array_equal(receiver.recv(), expected)
    child.join(60)
    assert child.exitcode == 0


def _run_inherited(session, connection) -> None:
    connection.send(session.run(None, FEED)[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_runs_a_session_that_its_parent_loaded(build_model, open_session):
    """One thread: the pool of a session does not survive a fork, whatever the operators."""
    session = open_session(build_model(), threads=1)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_run_inherited, args=(session, sender))
    child.start()
    assert receiver.poll(60), "the child hangs"
    np.testing.assert_array_equal(receiver.recv(), session.run(None, FEED)[0])
    child.join(60)
    assert child.exitcode == 0


def _peak_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
@pytest.mark.parametrize(("scale", "antialias"), [(1.0, 0), (2.0**-25, 1)])
def test_an_absurd_declared_shape_costs_nothing(build_model, open_session, scale, antialias):
    """Its tables would take gigabytes; the image that comes is small."""
    shape = [1, 1, 2**26, 1]
    model = build_model(shape=shape, constant=[scale, 1.0], antialias=antialias)
    before = _peak_kib()
    open_session(model)
    assert _peak_kib() - before < 2**18


class _MallInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = (
        ("arena", ctypes.c_size_t),
        ("ordblks", ctypes.c_size_t),
        ("smblks", ctypes.c_size_t),
        ("hblks", ctypes.c_size_t),
        ("hblkhd", ctypes.c_size_t),
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    )


def _heap_in_use() -> int:
    """Bytes that the process has allocated and not freed; unlike its size, free of noise."""
    gc.collect()
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _MallInfo
    info = mallinfo2()
    return info.uordblks + info.hblkhd


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="counts with glibc's allocator"
)
def test_sessions_come_and_go_without_a_leak(build_model, open_session):
    model = build_model(shape=[2, 3, 70, 50], constant=[2.7])

    def cycle(count: int) -> None:
        for _ in range(count):
            open_session(model, threads=1).run(None, {"X": X})

    cycle(50)
    before = _heap_in_use()
    cycle(200)
    assert _heap_in_use() - before < 200 * 512  # a registration alone takes 4 KiB

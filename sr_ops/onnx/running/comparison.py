"""How fast a model runs in ONNX Runtime alone, and with the execution provider."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

from sr_ops._masked import refuse_masked
from sr_ops.errors import InvalidArgumentError, ModelError, SrOpsError
from sr_ops.onnx.graphs.example_inputs import example_inputs
from sr_ops.onnx.running.explain import NodePath
from sr_ops.onnx.running.session import Model, explain, make_session, read_model

__all__ = ["Comparison", "bench"]

_LEAST_RUNS = 3
_ROUNDS = 1000


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What :func:`sr_ops.onnx.bench` returns; ``str()`` is text, ``as_dict()`` is for JSON.

    Attributes:
        runtime: version of ONNX Runtime.
        threads: of each session; None: ONNX Runtime's choice.
        inputs: name -> type and shape of what was fed.
        nodes: the upscaling nodes, and which of them the provider took (path ``provider``).
        stock: milliseconds of each run in ONNX Runtime alone; None where it cannot run the model.
        ours: milliseconds of each run with the provider; the two took turns.
        differences: output name -> (largest difference between the two, largest value).
        refused: why ONNX Runtime alone cannot run the model; empty where it can.
    """

    runtime: str
    threads: int | None
    inputs: dict[str, str]
    nodes: tuple[NodePath, ...]
    stock: tuple[float, ...] | None
    ours: tuple[float, ...]
    differences: dict[str, tuple[float, float]]
    refused: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as fast the fastest run was with the provider."""
        return None if self.stock is None else min(self.stock) / min(self.ours)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**dataclasses.asdict(self), "ratio": self.ratio}

    def __str__(self) -> str:
        threads = "as many threads as ONNX Runtime likes"
        if self.threads is not None:
            threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        lines = [f"onnxruntime {self.runtime}, {threads}"]
        lines += [f"  input {name}: {what}" for name, what in self.inputs.items()]
        for node in self.nodes:
            kind = f"{node.op_type} ({node.dtype or 'type unknown'})"
            lines.append(f"  {node.graph}/{node.node}: {kind} -> {node.path}: {node.reason}")
        if not any(node.path == "provider" for node in self.nodes):
            lines.append("no node has moved to sr_ops")
        lines.append(_row("onnxruntime alone", self.stock) if self.stock else self.refused)
        lines.append(_row("with sr_ops", self.ours))
        if self.ratio is not None:
            lines.append(f"{self.ratio:.3g} times as fast, by the fastest of {len(self.ours)} runs")
        for name, (difference, largest) in self.differences.items():
            lines.append(
                f"  output {name}: largest difference {difference:.2g}, largest value {largest:.3g}"
            )
        return "\n".join(lines)


def _row(name: str, times: tuple[float, ...]) -> str:
    return f"  {name:<18} fastest {min(times):.3f} ms, median {statistics.median(times):.3f} ms"


def bench(
    model: Model,
    *,
    feeds: Mapping[str, Any] | None = None,
    size: tuple[int, int] = (256, 256),
    threads: int | None = None,
    seconds: float = 3.0,
) -> Comparison:
    """Run a model in ONNX Runtime alone and with the execution provider, by turns, on the CPU.

    Args:
        model: as in :func:`sr_ops.onnx.make_session`.
        feeds: input name -> array; None: random ones.
        size: (height, width) of random images where the model leaves them open.
        threads: of each session; None: ONNX Runtime's choice.
        seconds: how long to go on; each is run at least three times.

    Raises:
        LibraryLoadError: ONNX Runtime is older than 1.24, or the library does not load.
        ModelError: the model does not run, or no example can be made up for an input.
        InvalidArgumentError: ``threads``, ``size`` or ``seconds`` out of range.
        FileError, InvalidTypeError: as ``make_session``.

    >>> import onnx
    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[1,3,H,W] x) => (float[1,3,h,w] y)'
    ...     ' <float[4] scales = {1, 1, 2, 2}> { y = Resize<mode = "cubic">(x, , scales) }'
    ... )
    >>> result = bench(onnx.parser.parse_model(text), size=(20, 30), seconds=0)
    >>> [node.path for node in result.nodes]
    ['provider']
    """
    _check(size, threads, seconds)
    for name, value in (feeds or {}).items():
        refuse_masked(name, value)
    if feeds is None:
        proto, _ = read_model(model)
        feeds = example_inputs(
            proto, what="bench", advice="pass arrays by `feeds`", extents=(1, 3, *size)
        )
    ours = _open(model, threads, "provider")
    explanation = explain(ours)
    want, refused, stock = None, "", None
    try:
        stock = _open(model, threads, None)
        want = stock.run(None, dict(feeds))
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        refused = f"onnxruntime alone cannot run it: {' '.join(str(error).split())}"
        stock = None
    try:
        got = ours.run(None, dict(feeds))
    except Exception as error:  # as above
        raise ModelError(f"bench: the model does not run: {error}") from error
    names = [value.name for value in ours.get_outputs()]
    times = _by_turns([ours] if stock is None else [ours, stock], dict(feeds), seconds)
    return Comparison(
        explanation.runtime,
        threads,
        {name: _describe(value) for name, value in feeds.items()},
        explanation.nodes,
        None if stock is None else times[1],
        times[0],
        {} if want is None else _differences(names, want, got),
        refused,
    )


def _check(size: tuple[int, int], threads: int | None, seconds: float) -> None:
    if threads is not None and threads < 1:
        raise InvalidArgumentError(f"threads: got {threads}, expected at least 1")
    if min(size) < 1:
        raise InvalidArgumentError(f"size: got {size}, expected a height and a width of at least 1")
    if not 0 <= seconds < float("inf"):
        raise InvalidArgumentError(f"seconds: got {seconds}, expected a number of at least 0")


def _open(
    model: Model, threads: int | None, accelerate: str | None
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised, too
    options.intra_op_num_threads = threads or 0
    try:
        return make_session(
            model,
            providers=["CPUExecutionProvider"],
            sess_options=options,
            accelerate=accelerate,
        )
    except SrOpsError:
        raise
    except Exception as error:  # as above
        raise ModelError(f"bench: ONNX Runtime does not open the model: {error}") from error


def _by_turns(
    sessions: list[onnxruntime.InferenceSession], feeds: dict[str, Any], seconds: float
) -> list[tuple[float, ...]]:
    """Milliseconds of each session's runs. The first run of each, above, does not count."""
    times: list[list[float]] = [[] for _ in sessions]
    end = time.perf_counter() + seconds
    for done in range(_ROUNDS):
        if done >= _LEAST_RUNS and time.perf_counter() > end:
            break
        for session, taken in zip(sessions, times, strict=True):
            start = time.perf_counter()
            session.run(None, feeds)
            taken.append((time.perf_counter() - start) * 1e3)
    return [tuple(taken) for taken in times]


def _describe(value: Any) -> str:
    array = np.asarray(value)
    return f"{array.dtype} {list(array.shape)}"


def _differences(
    names: list[str], want: list[Any], got: list[Any]
) -> dict[str, tuple[float, float]]:
    result = {}
    for name, stock, ours in zip(names, want, got, strict=True):
        if not isinstance(stock, np.ndarray) or stock.dtype.kind not in "fiu" or not stock.size:
            continue
        exact = stock.astype(np.float64)
        difference = np.abs(exact - ours.astype(np.float64)).max()
        result[name] = (float(difference), float(np.abs(exact).max()))
    return result

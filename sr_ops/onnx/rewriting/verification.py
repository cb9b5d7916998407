"""Whether two models compute the same: both run in ONNX Runtime on the same inputs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from sr_ops._masked import refuse_masked
from sr_ops.errors import InvalidArgumentError, ModelError, SrOpsError
from sr_ops.onnx.graphs.example_inputs import example_inputs
from sr_ops.onnx.graphs.model_files import ModelSource, load_model, save_model

__all__ = ["verify_same_results"]

#: Element type -> (relative, absolute) tolerance; absolute as a share of the largest value.
_TOLERANCES = {
    np.dtype(np.float16): (1e-2, 1e-3),
    np.dtype(np.float32): (1e-3, 1e-5),
    np.dtype(np.float64): (1e-3, 1e-5),
}


def verify_same_results(
    original: ModelSource, new: onnx.ModelProto, feeds: Mapping[str, Any] | None = None
) -> None:
    """Run two models, ours with the sr_ops library, and compare all outputs.

    Args:
        original: path or model.
        new: the model made from it.
        feeds: input name -> array; None: random images, and a scale of 2 where it is an input.

    Raises:
        ModelError: the results differ, or one of the models does not run.
        InvalidArgumentError: a name in ``feeds`` is not an input, or one is missing.
    """
    if feeds is None:
        feeds = example_inputs(load_model(original, weights=False))
    expected = _run("the original", original, feeds)
    results = _run("the new model", new, feeds)
    for name, want in expected.items():
        _compare(name, want, results[name])


def _compare(name: str, want: Any, got: Any) -> None:
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape or want.dtype != got.dtype:
        raise ModelError(
            f"verify: output {name!r} was {want.dtype} {list(want.shape)} and is now {got.dtype} "
            f"{list(got.shape)}"
        )
    if not want.size or want.dtype.kind not in "fiu":
        return
    difference = np.abs(want.astype(np.float64) - got.astype(np.float64))
    relative, absolute = _TOLERANCES.get(want.dtype, (0.0, 1.0))
    if want.dtype in _TOLERANCES:
        absolute *= max(1.0, float(np.abs(want).max()))
    excess = difference - (absolute + relative * np.abs(want.astype(np.float64)))
    if not excess.max() <= 0:  # NaN, too
        raise ModelError(
            f"verify: output {name!r} differs by up to {difference.max():.3g}, where at most "
            f"{absolute:.3g} + {relative:.3g} x |value| is accepted"
        )


def _run(what: str, model: ModelSource, feeds: Mapping[str, Any]) -> dict[str, Any]:
    from sr_ops.onnx.running.session import make_session

    try:
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(model, onnx.ModelProto):
                # By file: a serialized model ends at 2 GiB.
                save_model(model, os.path.join(folder, "model.onnx"))
                model = os.path.join(folder, "model.onnx")
            session = make_session(model, providers=["CPUExecutionProvider"])
            _check_names(session, feeds)
            for name, value in feeds.items():
                refuse_masked(name, value)
            arrays = {name: np.asarray(value) for name, value in feeds.items()}
            names = [value.name for value in session.get_outputs()]
            return dict(zip(names, session.run(names, arrays), strict=True))
    except SrOpsError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        raise ModelError(f"verify: {what} does not run in ONNX Runtime: {error}") from error


def _check_names(session: Any, feeds: Mapping[str, Any]) -> None:
    required = {value.name for value in session.get_inputs()}
    known = required | {value.name for value in session.get_overridable_initializers()}
    unknown, missing = set(feeds) - known, required - set(feeds)
    if unknown or missing:
        raise InvalidArgumentError(
            f"verify: inputs are {sorted(known)}; unknown {sorted(unknown)}, missing "
            f"{sorted(missing)}"
        )

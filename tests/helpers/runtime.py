"""Run models in ONNX Runtime, with or without the library, and say which operators really ran."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import sr_ops


def run_profiled(
    model: onnx.ModelProto | str, feeds: dict[str, Any], *, library: bool
) -> tuple[list[Any], set[str]]:
    """Outputs, and the operator types in the session's own profile."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        if library:
            options.register_custom_ops_library(sr_ops.get_library_path())
        source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
        session = onnxruntime.InferenceSession(source, options, ["CPUExecutionProvider"])
        outputs = session.run(None, {name: np.asarray(value) for name, value in feeds.items()})
        events = json.loads(Path(session.end_profiling()).read_text())
    executed = {event["args"]["op_name"] for event in events if "op_name" in event.get("args", {})}
    return outputs, executed


def run(model: onnx.ModelProto | str, feeds: dict[str, Any], *, library: bool = False) -> list[Any]:
    """Outputs alone."""
    return run_profiled(model, feeds, library=library)[0]

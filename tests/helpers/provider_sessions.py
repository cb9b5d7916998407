"""Sessions with the execution provider, through ONNX Runtime's own calls, and who runs what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import sr_ops

PROVIDER = "SrOpsExecutionProvider"


def devices() -> list[Any]:
    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]


def register(name: str = PROVIDER) -> None:
    """Once for the process."""
    if not devices():
        onnxruntime.register_execution_provider_library(name, sr_ops.get_library_path())


def quiet_options(threads: int = 0) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are asserted on, not read
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


def provider_session(
    model: onnx.ModelProto | str | Path | bytes,
    options: onnxruntime.SessionOptions | None = None,
    *,
    threads: int = 0,
    by: str = "name",
) -> onnxruntime.InferenceSession:
    """``by``: "name", "device" or "policy". Not with the CPU alone instead, where that fails."""
    register()
    options = options or quiet_options(threads)
    providers: list[str] = []
    if by == "name":
        providers = [PROVIDER, "CPUExecutionProvider"]
    elif by == "device":
        options.add_provider_for_devices(devices(), {})
    else:
        policies = onnxruntime.OrtExecutionProviderDevicePolicy
        options.set_provider_selection_policy(policies.PREFER_CPU)
    if isinstance(model, onnx.ModelProto):
        model = model.SerializeToString()
    elif isinstance(model, Path):
        model = str(model)
    return onnxruntime.InferenceSession(model, options, providers, disable_fallback=["1"])


def stock_session(model: onnx.ModelProto, threads: int = 0) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), quiet_options(threads), ["CPUExecutionProvider"]
    )


def taken(session: onnxruntime.InferenceSession) -> list[str]:
    """Types of the nodes that the provider runs, those in If and Loop included, sorted."""
    return sorted(
        node.op_type
        for subgraph in session.get_provider_graph_assignment_info()
        if subgraph.ep_name == PROVIDER
        for node in subgraph.get_nodes()
    )


def run(model: onnx.ModelProto, feeds: dict[str, Any]) -> np.ndarray:
    """The only output of a model, all of whose Resize nodes the provider has taken."""
    session = provider_session(model)
    assert "Resize" in taken(session)
    (y,) = session.run(None, feeds)
    return y

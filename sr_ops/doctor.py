"""Examine an installation: what is there, what works, and what to do about the rest.

``sr-ops doctor`` prints it; so does ``python -m sr_ops.doctor``, which needs numpy alone. Every
front end is tried: the same small picture goes through each, and all have to give the same bits.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import sr_ops
from sr_ops import _libraries as _libraries_module
from sr_ops._diagnosis import damage_of, machine_of, mismatch_of, why_not_loaded
from sr_ops.errors import SrOpsError

__all__ = ["Finding", "as_json", "as_text", "examine"]

_SCALE = 1.7


@dataclass(frozen=True)
class Finding:
    """One thing that was examined.

    Attributes:
        name: what.
        state: "ok"; "absent": not installed, and nothing wrong with that; "fault".
        detail: what was seen.
        remedy: what to do; empty where there is nothing to do.
    """

    name: str
    state: str
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Examine this installation. Imports what is installed; changes nothing.

    Returns:
        What was found, in the order of the layers.

    >>> [finding.name for finding in examine()][:3]
    ['sr_ops', 'python', 'processor']
    """
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("sr_ops", _program),
        ("packages", _conflicts),
        ("interfaces", _interfaces),
        ("numpy front end", _numpy_front_end),
        ("torch front end", _torch_front_end),
        ("onnxruntime front end", _onnxruntime_front_end),
        ("execution provider", _execution_provider),
        ("cuda", _cuda),
        ("pictures", _pictures),
        ("command line", _command_line),
        ("c++", _cplusplus),
        ("libraries", _libraries),  # last: those that the front ends need have been loaded by now
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings.extend(check())
        except Exception as error:  # a diagnosis must not end where the trouble begins
            findings.append(Finding(name, "fault", f"{type(error).__name__}: {error}"))
    return findings


def as_text(findings: list[Finding]) -> str:
    """The findings for a terminal, one line each, remedies below.

    >>> print(as_text([Finding("cuda", "absent", "no CUDA build")]))
    [ -- ] cuda: no CUDA build
    """
    marks = {"ok": " ok ", "absent": " -- ", "fault": "FAIL"}
    lines = []
    for finding in findings:
        lines.append(f"[{marks[finding.state]}] {finding.name}: {finding.detail}")
        if finding.remedy:
            lines.append(f"         -> {finding.remedy}")
    return "\n".join(lines)


def as_json(findings: list[Finding]) -> str:
    """The findings as a JSON list of objects with the fields of :class:`Finding`.

    >>> as_json([])
    '[]'
    """
    return json.dumps([asdict(finding) for finding in findings], indent=2) if findings else "[]"


def _program() -> Iterator[Finding]:
    folder = os.path.dirname(os.path.abspath(sr_ops.__file__))
    yield Finding("sr_ops", "ok", f"{sr_ops.__version__} in {folder}")
    libc = " ".join(platform.libc_ver())
    yield Finding("python", "ok", f"{platform.python_version()}, {platform.platform()}, {libc}")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processor", "ok", f"{_processor()}, {usable} usable cores")
    for name in sorted(name for name in os.environ if name.startswith("SR_OPS_")):
        yield Finding("environment", "ok", f"{name}={os.environ[name]}")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line[:10] == "model name"]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _conflicts() -> Iterator[Finding]:
    """Distributions that install the same files: whichever came last has won."""
    for siblings in (
        ("opencv-python", "opencv-python-headless"),
        ("onnxruntime", "onnxruntime-gpu"),
    ):
        installed = [name for name in siblings if _version(name)]
        if len(installed) > 1:
            both = " and ".join(installed)
            yield Finding(
                "packages", "fault", f"{both} overwrite each other's files",
                f"pip uninstall {' '.join(installed)}, then install one of them",
            )  # fmt: skip


def _interfaces() -> Iterator[Finding]:
    """The oldest releases whose binary interfaces the libraries are written against."""
    for package, oldest, interface in (
        ("torch", (2, 10), "stable ABI"),
        ("onnxruntime", (1, 17), "C API 17"),
        ("onnxruntime-gpu", (1, 17), "C API 17"),
    ):
        version = _version(package)
        if version is None:
            continue
        needed = ".".join(map(str, oldest))
        detail = f"{package} {version}; the library asks for the {interface} of {needed} or newer"
        if tuple(map(int, re.findall(r"\d+", version)[:2])) >= oldest:
            yield Finding("interfaces", "ok", detail)
        else:
            remedy = f"pip install --upgrade '{package}>={needed}'"
            yield Finding("interfaces", "fault", detail, remedy)


def _cplusplus() -> Iterator[Finding]:
    try:
        headers, package = sr_ops.get_include(), sr_ops.get_cmake_dir()
    except SrOpsError as error:
        yield Finding("c++", "absent", str(error))
        return
    with open(os.path.join(headers, "sr_ops", "version.h"), encoding="utf-8") as file:
        found = re.findall(r'#define SR_OPS_VERSION "(.+)"', file.read())
    if found == [sr_ops.__version__]:
        yield Finding("c++", "ok", f"headers in {headers}, CMake package in {package}")
    else:
        yield Finding(
            "c++", "fault",
            f"the headers in {headers} are of version {found}, the package {sr_ops.__version__}",
            "pip install --force-reinstall sr-ops, or `make build` in the source tree",
        )  # fmt: skip


def _libraries() -> Iterator[Finding]:
    """Every native file of the package: whole or damaged, and whether this process has it."""
    folder = os.path.dirname(os.path.abspath(_libraries_module.__file__))
    mapped = _mapped_files()
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.islink(path) or not re.search(r"\.(so|dylib|dll|pyd)(\.[\d.]+)?$", name):
            continue
        fault = damage_of(path)
        if not fault and (mismatch := mismatch_of(path)):
            fault = f"{path}: {mismatch}"
        if fault:
            yield Finding("libraries", "fault", fault, "reinstall sr_ops")
            continue
        use = "" if mapped is None else ", loaded" if path in mapped else ", not loaded"
        size = os.path.getsize(path)
        yield Finding("libraries", "ok", f"{path}: {machine_of(path)}, {size} bytes{use}")


def _mapped_files() -> set[str] | None:
    """The files that this process has mapped; None where the system does not tell."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as file:
            return {line.split(maxsplit=5)[5].strip() for line in file if "/" in line}
    except OSError:
        return None


def _numpy_front_end() -> Iterator[Finding]:
    try:
        info = sr_ops.native_info()
    except SrOpsError as error:
        yield Finding("numpy front end", "fault", str(error))
        return
    if info["version"] != sr_ops.__version__:
        yield Finding(
            "numpy front end", "fault",
            f"the native module is of version {info['version']}, the package {sr_ops.__version__}",
            "pip install --force-reinstall sr-ops, or `make build` in the source tree",
        )  # fmt: skip
        return
    largest = abs(_by_numpy() - sr_ops.reference.dynamic_upscale(_picture(), _SCALE)).max()
    detail = (
        f"{info['target']} of {', '.join(info['available_targets'])}; {info['threads']} threads; "
        f"largest error {largest:.1e}"
    )
    if largest > 5e-7:
        yield Finding("numpy front end", "fault", detail, "please report this, with this output")
    else:
        yield Finding("numpy front end", "ok", detail)


def _torch_front_end() -> Iterator[Finding]:
    version = _version("torch")
    if version is None:
        yield Finding("torch front end", "absent", "no torch", "pip install 'sr-ops[torch]'")
        return
    try:
        import torch

        result = sr_ops.dynamic_upscale(torch.from_numpy(_picture()), _SCALE).numpy()
    except (SrOpsError, ImportError, OSError) as error:
        yield Finding("torch front end", "fault", f"torch {version}: {error}")
        return
    yield _same_bits("torch front end", f"torch {version}", result)


def _onnxruntime_front_end() -> Iterator[Finding]:
    version = _version("onnxruntime") or _version("onnxruntime-gpu")
    try:
        path = sr_ops.get_library_path()
    except SrOpsError as error:
        yield Finding("onnxruntime front end", "fault", str(error))
        return
    if version is None:
        yield Finding(
            "onnxruntime front end", "absent", f"no onnxruntime; the library is {path}",
            "pip install 'sr-ops[ort]'",
        )  # fmt: skip
        return
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        options.register_custom_ops_library(path)
    except Exception as error:  # onnxruntime's exceptions have no common base but this
        yield Finding("onnxruntime front end", "fault", why_not_loaded(path, error))
        return
    if _version("onnx") is None:
        yield Finding(
            "onnxruntime front end", "ok",
            f"onnxruntime {version} takes the library; no onnx to try it",
            "pip install 'sr-ops[ort]'",
        )  # fmt: skip
        return
    session = onnxruntime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"X": _picture()})
    providers = ", ".join(onnxruntime.get_available_providers())
    yield _same_bits("onnxruntime front end", f"onnxruntime {version} ({providers})", result)


def _execution_provider() -> Iterator[Finding]:
    """Tried with a standard Resize, which it has to take."""
    name = "execution provider"
    if _version("onnxruntime") is None and _version("onnxruntime-gpu") is None:
        return  # said above
    if _version("onnx") is None:
        yield Finding(name, "absent", "no onnx to try it", "pip install 'sr-ops[ort]'")
        return
    import onnxruntime

    from sr_ops.onnx.running.provider import OLDEST_RUNTIME, runtime_version

    if runtime_version() < OLDEST_RUNTIME:
        yield Finding(
            name, "absent", f"onnxruntime {onnxruntime.__version__}; it is for 1.24 and newer",
            "pip install --upgrade onnxruntime",
        )  # fmt: skip
        return
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = sr_ops.onnx.make_session(
            _resize_model(),
            providers=["CPUExecutionProvider"],
            sess_options=options,
            accelerate="provider",
        )
        (result,) = session.run(None, {"X": _picture()})
    except Exception as error:  # onnxruntime's exceptions have no common base but this
        yield Finding(name, "fault", " ".join(str(error).split()))
        return
    taken = [node for node in sr_ops.onnx.explain(session).nodes if node.path == "provider"]
    if not taken:
        yield Finding(name, "fault", "it is registered, and did not take a cubic Resize")
        return
    yield _same_bits(name, f"onnxruntime {onnxruntime.__version__}, a standard Resize", result)


def _same_bits(name: str, what: str, result: Any) -> Finding:
    if result.tobytes() == _by_numpy().tobytes():
        return Finding(name, "ok", f"{what}: the bits of the numpy front end")
    return Finding(
        name, "fault", f"{what}: not the bits of the numpy front end",
        "libraries of different builds: pip install --force-reinstall sr-ops",
    )  # fmt: skip


def _cuda() -> Iterator[Finding]:
    try:
        built = sr_ops.native_info()["cuda_targets"]
    except SrOpsError as error:
        yield Finding("cuda", "fault", str(error))
        return
    kernels = f"kernels for {', '.join(built)}" if built else "this sr_ops has no CUDA kernels"
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        yield Finding("cuda", "absent", f"no GPU that torch can use; {kernels}")
        return
    gpu = torch.cuda.get_device_name()
    if not built:
        yield Finding(
            "cuda", "absent", f"torch sees {gpu}, but {kernels}: tensors on the GPU are refused",
            "install NVIDIA's CUDA toolkit, then: SR_OPS_CUDA=on pip install .",
        )  # fmt: skip
        return
    try:
        result = sr_ops.dynamic_upscale(torch.from_numpy(_picture()).cuda(), _SCALE).cpu().numpy()
    except (SrOpsError, RuntimeError) as error:
        yield Finding("cuda", "fault", f"{gpu}: {error}")
        return
    yield _same_bits("cuda", f"{gpu}, {kernels}", result)


def _pictures() -> Iterator[Finding]:
    version = _version("opencv-python") or _version("opencv-python-headless")
    if version is None:
        yield Finding("pictures", "absent", "no OpenCV", "pip install 'sr-ops[image]'")
        return
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError as error:
        yield Finding(
            "pictures", "fault", f"OpenCV {version} does not load: {error}",
            "apt-get install libgl1 libglib2.0-0, or use opencv-python-headless",
        )  # fmt: skip
        return
    yield Finding("pictures", "ok", f"OpenCV {cv2.__version__}")


def _command_line() -> Iterator[Finding]:
    for package in ("typer", "rich"):
        version = _version(package)
        if version is None:
            yield Finding("command line", "absent", f"no {package}", "pip install 'sr-ops[image]'")
        else:
            yield Finding("command line", "ok", f"{package} {version}")


def _picture() -> Any:
    """(1, 2, 9, 20) float32 in 0..1, every value another."""
    import numpy as np

    count = 1 * 2 * 9 * 20
    steps = np.arange(count, dtype=np.float32) * np.float32(0.618034) % np.float32(1)
    return steps.reshape(1, 2, 9, 20)


def _by_numpy() -> Any:
    return sr_ops.numpy.dynamic_upscale(_picture(), _SCALE)


def _model() -> bytes:
    """A model of one node, without its function: it runs with the library or not at all."""
    from onnx import TensorProto, helper

    float32 = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("DynamicUpscale", ["X", "scales"], ["Y"], domain="sr_ops")],
        "doctor",
        [helper.make_tensor_value_info("X", float32, [1, 2, 9, 20])],
        [helper.make_tensor_value_info("Y", float32, [1, 2, None, None])],
        [helper.make_tensor("scales", float32, [1], [_SCALE])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("sr_ops", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(model.SerializeToString())


def _resize_model() -> bytes:
    """A model of one standard cubic Resize."""
    from onnx import TensorProto, helper

    float32 = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Resize", ["X", "", "scales"], ["Y"], mode="cubic")],
        "doctor",
        [helper.make_tensor_value_info("X", float32, [1, 2, 9, 20])],
        [helper.make_tensor_value_info("Y", float32, [1, 2, None, None])],
        [helper.make_tensor("scales", float32, [4], [1, 1, _SCALE, _SCALE])],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    found = examine()
    print(as_text(found))
    sys.exit(any(finding.state == "fault" for finding in found))

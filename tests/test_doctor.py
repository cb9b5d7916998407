"""``sr_ops.doctor``: a sound installation is found sound, and each fault is named with a remedy."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sr_ops
from sr_ops import _diagnosis, _libraries, doctor
from sr_ops.cli import main
from sr_ops.errors import LibraryLoadError


def _states(findings: list[doctor.Finding]) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


def _fault(findings: list[doctor.Finding], name: str) -> doctor.Finding:
    (fault,) = [item for item in findings if item.name == name and item.state == "fault"]
    return fault


def test_this_installation_is_sound() -> None:
    states = _states(doctor.examine())
    front_ends = [f"{name} front end" for name in ("numpy", "torch", "onnxruntime")]
    assert [states[name] for name in ("sr_ops", *front_ends, "pictures")] == ["ok"] * 5
    assert "fault" not in states.values()


def test_the_command_prints_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "[ ok ] torch front end: torch" in text
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"name", "state", "detail", "remedy"} == set(findings[0])
    assert len(findings) == len(text.splitlines())


def test_runs_without_the_command_line_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sr_ops.doctor"], capture_output=True, text=True, check=True
    )
    assert "[ ok ] numpy front end" in done.stdout


def test_absent_packages_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    findings = doctor.examine()
    states = _states(findings)
    for name in ("torch front end", "onnxruntime front end", "pictures"):
        assert states[name] == "absent"
    assert "fault" not in states.values()
    remedies = " ".join(finding.remedy for finding in findings)
    for extra in ("torch", "ort", "image"):
        assert f"sr-ops[{extra}]" in remedies


def test_siblings_that_overwrite_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: "1.0")
    faults = [item for item in doctor.examine() if item.name == "packages"]
    assert [item.state for item in faults] == ["fault", "fault"]
    assert "pip uninstall opencv-python opencv-python-headless" in faults[0].remedy


def test_native_module_of_another_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sr_ops, "__version__", "99.0")
    fault = _fault(doctor.examine(), "numpy front end")
    assert "99.0" in fault.detail
    assert "make build" in fault.remedy
    assert main(["doctor"]) == 1
    assert "[FAIL] numpy front end" in capsys.readouterr().out


def test_front_ends_of_different_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    by_numpy = doctor._by_numpy
    monkeypatch.setattr(doctor, "_by_numpy", lambda: by_numpy() + 1e-7)
    findings = doctor.examine()
    for front_end in ("torch front end", "onnxruntime front end"):
        assert "not the bits" in _fault(findings, front_end).detail


def test_older_releases_than_the_interfaces_need(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.9.1+cpu", "onnxruntime": "1.16.3"}
    monkeypatch.setattr(doctor, "_version", versions.get)
    faults = [item for item in doctor._interfaces() if item.state == "fault"]
    assert len(faults) == 2
    assert "torch 2.9.1+cpu" in faults[0].detail
    assert "torch>=2.10" in faults[0].remedy
    assert "onnxruntime>=1.17" in faults[1].remedy


def test_libraries_are_named_with_their_use() -> None:
    details = [item.detail for item in doctor.examine() if item.name == "libraries"]
    for stem in ("_native", "libsr_ops_ort", "libsr_ops_torch"):
        (detail,) = [text for text in details if f"/{stem}." in text]
        assert f"{platform.machine()}, " in detail
        assert detail.endswith(", loaded")


def test_headers_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sr_ops, "__version__", "99.0")
    fault = _fault(list(doctor._cplusplus()), "c++")
    assert "99.0" in fault.detail
    assert "make build" in fault.remedy


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> None:
        raise OSError("disk on fire")

    monkeypatch.setattr(doctor, "_pictures", breaks)
    assert "disk on fire" in _fault(doctor.examine(), "pictures").detail


@pytest.fixture
def library(tmp_path: Path) -> Path:
    copy = tmp_path / "libsr_ops_ort.so"
    copy.write_bytes(Path(sr_ops.get_library_path()).read_bytes())
    return copy


def _refused_by_onnxruntime(library: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(_libraries, "_PACKAGE", str(library.parent))
    return _fault(doctor.examine(), "onnxruntime front end").detail


def test_a_truncated_library(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.write_bytes(library.read_bytes()[:5000])
    detail = _refused_by_onnxruntime(library, monkeypatch)
    assert str(library) in detail
    assert "truncated: 5000 bytes" in detail
    assert "reinstall" in detail


def test_a_library_without_its_end(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader maps what the headers promise, and dies when it touches what is not there."""
    complete = library.read_bytes()
    for length in (70, 500, len(complete) // 2):
        library.write_bytes(complete[:length])
        assert "is truncated" in _refused_by_onnxruntime(library, monkeypatch)
    library.write_bytes(complete)
    assert _states(doctor.examine())["onnxruntime front end"] == "ok"


def test_a_library_for_another_processor(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(library.read_bytes())
    content[18:20] = (243).to_bytes(2, "little")
    library.write_bytes(content)
    detail = _refused_by_onnxruntime(library, monkeypatch)
    assert f"built for riscv64, this machine is {platform.machine()}" in detail


def test_a_file_that_is_no_library(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.write_text("not found: the server said so\n")
    assert "not an ELF library" in _refused_by_onnxruntime(library, monkeypatch)


def test_a_library_that_serves_nobody_is_a_fault_in_the_list(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no front end asks for it: torch's may lie there without torch."""
    monkeypatch.setattr(doctor._libraries_module, "__file__", str(library))
    content = library.read_bytes()
    assert [finding.state for finding in doctor._libraries()] == ["ok"]
    for damaged, detail in (
        (b"not found: the server said so\n", "not an ELF library"),
        (content[:18] + (243).to_bytes(2, "little") + content[20:], "built for riscv64"),
    ):
        library.write_bytes(damaged)
        (finding,) = doctor._libraries()
        assert finding.state == "fault"
        assert str(library) in finding.detail
        assert detail in finding.detail
        assert "reinstall" in finding.remedy


def test_the_machine_of_our_own_libraries() -> None:
    assert _diagnosis.machine_of(sr_ops.get_library_path()) == platform.machine()
    assert _diagnosis.machine_of("/nowhere") is None


def _raises(error: Exception) -> Callable[..., Any]:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    return fails


def test_a_native_module_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    error = LibraryLoadError("sr_ops/_native.so: no such file")
    monkeypatch.setattr(sr_ops, "native_info", _raises(error))
    findings = doctor.examine()
    for name in ("numpy front end", "cuda"):
        assert "no such file" in _fault(findings, name).detail


def test_values_that_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    by_numpy = doctor._by_numpy
    monkeypatch.setattr(doctor, "_by_numpy", lambda: by_numpy() + 1e-3)
    fault = _fault(list(doctor._numpy_front_end()), "numpy front end")
    assert "largest error 1.0e-03" in fault.detail
    assert "report" in fault.remedy


def test_a_torch_front_end_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sr_ops, "dynamic_upscale", _raises(LibraryLoadError("built for riscv64")))
    (fault,) = doctor._torch_front_end()
    assert (fault.state, fault.detail[:6]) == ("fault", "torch ")
    assert "built for riscv64" in fault.detail


def test_no_library_for_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sr_ops, "get_library_path", _raises(LibraryLoadError("libsr_ops_ort.so")))
    (fault,) = doctor._onnxruntime_front_end()
    assert (fault.state, fault.detail) == ("fault", "libsr_ops_ort.so")


def test_onnxruntime_without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "onnx" else version(name))
    (front_end,) = doctor._onnxruntime_front_end()
    assert front_end.state == "ok"
    assert "no onnx to try it" in front_end.detail
    (provider,) = doctor._execution_provider()
    assert (provider.state, provider.detail) == ("absent", "no onnx to try it")


def test_a_runtime_older_than_execution_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    from sr_ops.onnx.running import provider

    monkeypatch.setattr(provider, "runtime_version", lambda: (1, 23))
    (finding,) = doctor._execution_provider()
    assert finding.state == "absent"
    assert "1.24 and newer" in finding.detail


def test_a_provider_that_fails_or_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sr_ops.onnx, "make_session", _raises(RuntimeError("two\nlines")))
        (fault,) = doctor._execution_provider()
        assert (fault.state, fault.detail) == ("fault", "two lines")
    make_session = sr_ops.onnx.make_session

    def takes_nothing(model: Any, accelerate: str, **options: Any) -> Any:
        del accelerate
        return make_session(model, **options)

    monkeypatch.setattr(sr_ops.onnx, "make_session", takes_nothing)
    (fault,) = doctor._execution_provider()
    assert fault.state == "fault"
    assert "did not take" in fault.detail


def test_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch would show one: with kernels, without, and where they fail."""
    import torch

    info = sr_ops.native_info()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H200")
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: tensor)
    monkeypatch.setattr(sr_ops, "native_info", lambda: {**info, "cuda_targets": ()})
    (finding,) = doctor._cuda()
    assert finding.state == "absent"
    assert "torch sees H200" in finding.detail
    assert "SR_OPS_CUDA=on" in finding.remedy
    monkeypatch.setattr(sr_ops, "native_info", lambda: {**info, "cuda_targets": ("sm_90",)})
    (finding,) = doctor._cuda()
    assert (finding.state, finding.detail[:26]) == ("ok", "H200, kernels for sm_90: t")
    monkeypatch.setattr(sr_ops, "dynamic_upscale", _raises(RuntimeError("no kernel image")))
    (finding,) = doctor._cuda()
    assert (finding.state, finding.detail) == ("fault", "H200: no kernel image")


def test_an_opencv_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ImportError("libGL.so.1: cannot open shared object file")
    monkeypatch.setattr(doctor.importlib, "import_module", _raises(error))
    (fault,) = doctor._pictures()
    assert fault.state == "fault"
    assert "libGL.so.1" in fault.detail
    assert "libgl1" in fault.remedy


def test_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_OPS_MAX_WORK", "1000")
    details = [item.detail for item in doctor._program() if item.name == "environment"]
    assert "SR_OPS_MAX_WORK=1000" in details


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("libGL.so.1: cannot open shared object file", "libgl1"),
        ("version `GLIBC_2.38' not found", "pip install ."),
        ("libhwy.so.1: cannot open shared object file", "libhwy1"),
        ("something else", "reinstall"),
    ],
)
def test_what_the_loader_says_has_a_remedy(said: str, remedy: str) -> None:
    line = _diagnosis.why_not_loaded(sr_ops.get_library_path(), said)
    assert said in line
    assert remedy in line
    assert "sr-ops doctor" in line
    assert "\n" not in line

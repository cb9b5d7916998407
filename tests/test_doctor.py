"""``sr_ops.doctor``: a sound installation is found sound, and each fault is named with a remedy."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import sr_ops
from sr_ops import _diagnosis, _libraries, doctor
from sr_ops.cli import main


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

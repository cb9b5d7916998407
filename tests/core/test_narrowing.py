"""No integer of the core loses bits unsaid: each of its files compiles without such a warning."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import installed
import pytest

CORE = Path(__file__).resolve().parents[2] / "csrc" / "core"
#: Once an element type or an instruction set: a minute, all of them.
_SLOW = {"pillow_kernel.cpp", "scalar.cpp"}


def _commands() -> dict[str, dict[str, Any]]:
    """The compiler's calls for the core's files, of those sources and of those made from them."""
    found = json.loads((installed.build_folder() / "compile_commands.json").read_text())
    return {
        Path(each["file"]).name: each for each in found if "/sr_ops_core.dir/" in each["command"]
    }


def _warnings(command: dict[str, Any]) -> str:
    words = shlex.split(command["command"])
    if Path(words[0]).name == "ccache":
        words = words[1:]
    words = words[: words.index("-o")]
    options = ("-Wconversion", "-Wno-sign-conversion", "-Werror", "-fsyntax-only")
    result = subprocess.run(
        [*words, *options, command["file"]],
        cwd=command["directory"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stderr if result.returncode else ""


def test_the_options_find_what_is_narrowed(tmp_path: Path) -> None:
    source = tmp_path / "narrowed.cpp"
    source.write_text("int Narrowed(long long value) { return value; }\n")
    assert "-Werror=conversion" in _warnings(_commands()["axis.cpp"] | {"file": str(source)})


def test_tables_and_plans() -> None:
    files = {path.name for path in CORE.rglob("*.cpp") if "cuda" not in path.parts} - _SLOW
    commands = _commands()
    assert files <= set(commands)
    for name in sorted(files):
        assert not _warnings(commands[name]), name


@pytest.mark.long
def test_kernels() -> None:
    commands = _commands()
    kernels = [name for name in commands if name.startswith("kernel_")]
    assert len(kernels) >= 7
    for name in sorted([*kernels, *_SLOW]):
        assert not _warnings(commands[name]), name

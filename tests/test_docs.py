"""The documentation is run: every block of README.md and docs/, page by page, in order.

Python blocks of a page share their names, as a reader would type them, and run in a folder of their
own that holds ``photo.png`` and what else the pages take for granted. A block in the form of an
interactive session is checked as a doctest. Shell blocks run in the same folder, but for the
commands that set up a machine or build (`make`, `pip`, `cmake`): what those name has to exist, and
continuous integration runs them. `sr-ops` runs in this process where no shell is needed. C++ and
CMake blocks are quotations of the examples, which tests/examples builds and runs; JavaScript those
of js/examples, which `make test-web` runs; Python blocks that begin with the name of an example,
of that file, which `make try-ray` runs. No block is exempt: one of an unknown kind fails.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import cv2
import onnx
import pytest
import torch
from films import write_film
from markdown.extensions.toc import slugify
from skimage.data import astronaut

import sr_ops
from sr_ops import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CPP_EXAMPLES = ROOT / "examples" / "cpp"
EXAMPLES = ROOT / "examples" / "python"
JS_EXAMPLES = ROOT / "js" / "examples"


def blocks(page: Path) -> Iterator[tuple[str, int, str]]:
    """Kind, line number and content of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield block[1], text.count("\n", 0, block.start(2)) + 1, block[2]


@pytest.fixture
def page_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photographs, a clip, a checkpoint and a model, under the names that the pages use."""
    photo = astronaut()[64:192, 160:288, ::-1]
    (tmp_path / "photos").mkdir()
    for name in ("photo.png", "photo.jpg", "photos/a.png", "photos/b.jpg"):
        cv2.imwrite(str(tmp_path / name), photo)
    write_film(tmp_path / "in.mp4", 3, sound="aac")
    torch.save(sr_ops.models.SRCNN(channels=3).state_dict(), tmp_path / "net.pth")
    text = """
    <ir_version: 8, opset_import: ["": 18]>
    twice (float[N, 3, H, W] X) => (float[N, 3, h, w] Y) <float[4] scales = {1, 1, 2, 2}> {
        Y = Resize <mode = "cubic"> (X, , scales)
    }
    """
    model = onnx.parser.parse_model(text)
    for name in ("model.onnx", "x3.onnx"):
        onnx.save(model, tmp_path / name)
    # The command as `pip` installs it, of this checkout.
    command = tmp_path / "bin" / "sr-ops"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m sr_ops "$@"\n')
    command.chmod(0o755)
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    paths = (ROOT, os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run_python(page: Path, line: int, source: str, names: dict[str, object]) -> None:
    if source.startswith(">>>"):
        session = doctest.DocTestParser().get_doctest(source, names, page.name, str(page), line)
        failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session).failed
        assert not failed, f"{page.name}:{line}: see the output above"
    else:
        # The empty lines make a traceback point into the page.
        exec(compile("\n" * (line - 1) + source, str(page), "exec"), names)


def _commands(kind: str, source: str) -> list[str]:
    """The commands of a block, without prompts, comments and output."""
    lines = source.replace("\\\n", " ").splitlines()
    if kind == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [text for text in (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines) if text]


def _check_build_command(where: str, command: str) -> None:
    """Every target, extra, option and folder that a command to set up or to build names exists."""
    words = shlex.split(command)
    native = [ROOT / "CMakeLists.txt", *(ROOT / "cmake").rglob("*.cmake")]
    native += (ROOT / "csrc").rglob("CMakeLists.txt")
    options = "".join(path.read_text() for path in native)
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for word in words[1:]:
        if words[0] == "make":
            assert word in targets or "=" in word, f"{where}: no target {word}"
        for extra in re.findall(r"[\w,-]+(?=\]$)", word):
            for name in extra.split(","):
                assert re.search(rf"^{name} = \[", extras, re.MULTILINE), (
                    f"{where}: no extra {name}"
                )
        if option := re.match(r"(?:-D)?(SR_OPS_\w+)=", word):
            assert option[1] in options, f"{where}: no option {option[1]}"
        if word.startswith("examples/"):
            assert (ROOT / word).is_dir(), f"{where}: no folder {word}"


def _run_shell(where: str, kind: str, source: str) -> None:
    for command in _commands(kind, source):
        program = command.split()[0]
        if program in ("make", "pip", "cmake"):
            _check_build_command(where, command)
        elif program == "sr-ops" and not re.search(r"[^\w\s,./=+-]", command):
            # Nothing in it is the shell's: in this process, which has loaded everything.
            assert cli.main(shlex.split(command)[1:]) == 0, f"{where}: {command}"
        else:
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", command],
                capture_output=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert done.returncode == 0, f"{where}: {command}\n{done.stderr.decode()}"


def _check_quotation(where: str, source: str, folder: Path, pattern: str) -> None:
    assert any(source in path.read_text() for path in folder.rglob(pattern)), (
        f"{where}: stands in no file {folder.relative_to(ROOT)}/**/{pattern}"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs(page: Path, page_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType(f"page_{page.stem}")  # torch's compiler looks a function's module up
    monkeypatch.setitem(sys.modules, module.__name__, module)
    names: dict[str, object] = vars(module)
    for kind, line, source in blocks(page):
        where = f"{page.name}:{line}"
        quoted = re.match(r"# (examples/python/\w+\.py)\n", source)
        if kind == "python" and quoted:
            _check_quotation(where, source[quoted.end() :], EXAMPLES, Path(quoted[1]).name)
        elif kind == "python":
            _run_python(page, line, source, names)
        elif kind in ("sh", "console"):
            _run_shell(where, kind, source)
        elif kind == "cpp":
            _check_quotation(where, source, CPP_EXAMPLES, "*.cpp")
        elif kind == "cmake":
            _check_quotation(where, source, CPP_EXAMPLES, "CMakeLists.txt")
        elif kind == "js":
            _check_quotation(where, source, JS_EXAMPLES, "*.mjs")
        else:
            assert kind in ("", "text"), f"{where}: blocks of kind {kind!r} are not run"


def _public_names() -> Iterator[str]:
    """Functions and classes of sr_ops and of its public modules."""
    for name in sr_ops.__all__:
        value = getattr(sr_ops, name)
        if callable(value):
            yield f"sr_ops.{name}"
        elif isinstance(value, ModuleType):
            yield from (f"sr_ops.{name}.{member}" for member in value.__all__)


def test_the_site_builds(tmp_path: Path) -> None:
    """Strictly: every page is in the navigation, every link and anchor leads somewhere."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    api = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    for name in _public_names():
        assert f'id="{name}"' in api, f"docs/api.md lacks {name}"
    text = re.sub(r"<[^>]+>", "", api)
    assert not re.findall(r":(?:func|class|meth|mod):.*", text), "roles that are no links"
    assert not re.findall(r".*= _[A-Z_]+", text), "defaults without their values"


def test_the_picture_of_the_semantics_is_what_its_script_draws(tmp_path: Path) -> None:
    drawn = tmp_path / "semantics.svg"
    script = ROOT / "scripts" / "docs" / "draw_semantics.py"
    subprocess.run([sys.executable, str(script), str(drawn)], cwd=ROOT, check=True)
    numbers = [
        re.findall(r"<!-- (.+?) -->", path.read_text(encoding="utf-8"))  # its texts
        for path in (drawn, ROOT / "docs" / "images" / "semantics.svg")
    ]
    assert numbers[0] == numbers[1]
    assert "+0.83" in numbers[0]


def test_the_pages_name_commands_that_exist() -> None:
    """A `make` target or a script that a page names has to be there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"(?:^|`)make ([a-z][\w-]*)", text, re.MULTILINE):
            assert target in targets, f"{page.name} names `make {target}`"
        for script in re.findall(
            r"\b((?:scripts|examples|benchmarks|tests)/[\w/.-]+\.(?:sh|py|cpp))", text
        ):
            assert (ROOT / script).exists(), f"{page.name} names {script}"


def _links(page: Path) -> Iterator[str]:
    """Where the links and pictures of a page lead, whichever way they are written."""
    text = re.sub(
        r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S | re.M
    )
    yield from re.findall(r"\]\(\s*<?([^)\s>]+)", text)
    yield from re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE)
    yield from re.findall(r"(?:href|src)=[\"']([^\"']+)", text)


def _anchors(page: Path) -> set[str]:
    """Those of its headings, as the site's generator and the forges spell them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+\s+(.+?)\s*$", text, re.MULTILINE)
    return {slugify(heading.replace("`", ""), "-") for heading in headings}


def _fault(page: Path, link: str) -> str:
    """What is wrong with a link; external ones are not fetched, only read."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        sound = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        return "" if sound and link.isascii() and not re.search(r"[.,;]$", link) else "malformed"
    target = page.parent / parts.path if parts.path else page
    if not target.exists():
        return "leads nowhere"
    if parts.fragment and parts.fragment not in _anchors(target):
        return "names a heading that is not there"
    return ""


def test_links_hold() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in _links(page)]
    assert {"https", ""} == {urlsplit(link).scheme for _, link in links}
    faults = [
        f"{page.name}: {link}: {fault}" for page, link in links if (fault := _fault(page, link))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("docs/semantics.md#size", ""),
        ("docs/semantics.md#sizes", "names a heading"),
        ("#no-such-heading", "names a heading"),
        ("docs/semantic.md", "leads nowhere"),
        ("https://onnx.ai/onnx/", ""),
        ("http://onnx.ai/onnx/", "malformed"),
        ("https://localhost/onnx", "malformed"),
        ("https://onnx.ai/onnx.", "malformed"),
    ],
)
def test_faults_of_links_are_found(link: str, fault: str) -> None:
    found = _fault(ROOT / "README.md", link)
    assert fault in found
    assert bool(fault) == bool(found)

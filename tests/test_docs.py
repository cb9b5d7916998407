"""The documentation is run: every Python block of README.md and docs/, page by page.

The blocks of a page share their names, as a reader would type them, and run in a folder of their
own that holds ``photo.png``. A block in the form of an interactive session is checked as a doctest.
"""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from skimage.data import astronaut

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python" in page.read_text(encoding="utf-8")
]


def python_blocks(text: str) -> Iterator[tuple[int, str]]:
    """Line number and source of each fenced Python block."""
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, block.start(1)) + 1, block[1]


@pytest.fixture
def page_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cv2.imwrite(str(tmp_path / "photo.png"), astronaut()[64:192, 160:288, ::-1])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs(page: Path, page_folder: Path) -> None:
    names: dict[str, object] = {"__name__": page.stem}
    for line, source in python_blocks(page.read_text(encoding="utf-8")):
        if source.startswith(">>>"):
            session = doctest.DocTestParser().get_doctest(source, names, page.name, str(page), line)
            failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session).failed
            assert not failed, f"{page.name}:{line}: see the output above"
        else:
            # The empty lines make a traceback point into the page.
            exec(compile("\n" * (line - 1) + source, str(page), "exec"), names)


def test_the_pages_name_commands_that_exist() -> None:
    """A `make` target or a script that a page names has to be there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE):
            assert target in targets, f"{page.name} names `make {target}`"
        for script in re.findall(r"\b((?:scripts|examples|benchmarks)/[\w/.-]+\.(?:sh|py))", text):
            assert (ROOT / script).exists(), f"{page.name} names {script}"


def test_links_between_the_pages_hold() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"

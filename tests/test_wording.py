"""Plain English: short sentences where a reader begins, one word for one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST_WORDS = 30
FIRST_PAGE = 60  # lines

#: Words that this project no longer uses, and what it says instead.
RETIRED = {
    r"\bdoors?\b": "front end",
    r"\bAVX3\b": "AVX-512",
    r"\bspoiled models?\b": "corrupted models",
    r"nobody knows how far": "a model whose receptive field is unknown",
    r"[Ww]hat of a file arrives": "what is preserved from the input file",
    r"than copying them would": "takes less time than copying it",
}


def _prose(text: str) -> str:
    """Without code, tables, headings, pictures and the addresses of links."""
    for pattern in (
        r"(?ms)^```.*?(?:^```[^\n]*$|\Z)",
        r"(?s)<!--.*?-->",
        r"(?m)^\s*\|.*$|^#.*$|^<.*$",
        r"!\[[^\]]*\]\([^)]*\)",
    ):
        text = re.sub(pattern, "\n\n", text)
    return re.sub(r"\]\([^)]*\)|\]\[[^\]]*\]|\[", "", text)


def sentences(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n|^\s*(?:[-*]|\d+\.) ", _prose(text), flags=re.MULTILINE):
        words = " ".join(paragraph.split())
        yield from re.split(r"(?<=[.!?])[\"'*)]*\s+(?=[A-Z0-9`*\"(])", words)


def _long(text: str) -> list[str]:
    def words(sentence: str) -> int:
        return sum(bool(re.search(r"\w", word)) for word in sentence.split())

    # Several items parted by semicolons are a list.
    return [s for s in sentences(text) if words(s) > MOST_WORDS and s.count(";") < 3]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_are_short_where_a_reader_begins(page: Path) -> None:
    """All of the README, and the first page of every document."""
    lines = page.read_text(encoding="utf-8").splitlines()
    first = lines if page.name == "README.md" else lines[:FIRST_PAGE]
    found = _long("\n".join(first))
    assert not found, f"{page.name}: over {MOST_WORDS} words:\n" + "\n".join(found)


def test_a_long_sentence_is_found() -> None:
    text = "Short. " + "word " * MOST_WORDS + "end.\n\n```sh\n" + "word " * 40 + "\n```\n"
    assert len(_long(text)) == 1


def test_retired_words_are_gone() -> None:
    sources = [
        path
        for folder in ("sr_ops", "csrc", "examples", "js")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".h", ".cpp", ".cu", ".cuh", ".in", ".mjs", ".ts"}
        and "include/hwy" not in path.as_posix()
    ]
    faults = []
    for path in [*PAGES, *sources]:
        text = path.read_text(encoding="utf-8")
        if "highway" in path.name or path.name in ("target.cpp", "target.h"):
            continue  # where Highway's own name, or the former one, has to stand
        faults += [
            f"{path.relative_to(ROOT)}: {word!r}, say {instead!r}"
            for word, instead in RETIRED.items()
            if re.search(word, text)
        ]
    assert not faults, "\n".join(faults)

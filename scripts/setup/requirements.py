"""Print what sr_ops with an extra of pyproject.toml needs, one requirement a line.

    python scripts/setup/requirements.py all

So the packages can be installed while the native libraries compile, which pip does before it
installs any. Its own extras, which pyproject.toml names as sr-ops[...], are followed.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Python 3.10 has no tomllib, but its pip brings the same along.
tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "pip._vendor.tomli")

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
OWN = re.compile(r"sr-ops\[(.*)\]")


def main() -> None:
    """Of each extra that the command line names."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    found = dict.fromkeys(project["dependencies"])
    for extra in sys.argv[1:]:
        found |= dict.fromkeys(needed_by(extra, project["optional-dependencies"]))
    print("\n".join(found))


def needed_by(extra: str, extras: dict[str, list[str]]) -> Iterator[str]:
    """The requirements of an extra and of the extras within it."""
    for requirement in extras[extra]:
        own = OWN.fullmatch(requirement)
        if own is None:
            yield requirement
            continue
        for name in own[1].split(","):
            yield from needed_by(name.strip(), extras)


if __name__ == "__main__":
    main()

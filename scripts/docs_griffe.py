"""Griffe extension: doctests of the docstrings are code, wherever they stand."""

from __future__ import annotations

import re

from griffe import Extension, Object

# From the first prompt to the next empty line: what was typed, and what came.
DOCTEST = re.compile(r"^([ ]*)>>> .*(?:\n[ ]*\S.*)*", re.MULTILINE)


class FencedDoctests(Extension):
    """Fences what the parser of docstrings would leave as quotations."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Rewrite one docstring."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"\1```pycon\n\g<0>\n\1```", obj.docstring.value)

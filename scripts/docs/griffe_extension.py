"""Griffe extension: what the docstrings and signatures mean to say, as the site shows it."""

from __future__ import annotations

import importlib
import re

from griffe import Extension, Function, Module, Object

# From the first prompt to the next empty line: what was typed, and what came.
DOCTEST = re.compile(r"^([ ]*)>>> .*(?:\n[ ]*\S.*)*", re.MULTILINE)
ROLE = re.compile(r":(?:func|class|meth|mod):`([\w.]+)`")


class ReadableDocstrings(Extension):
    """Doctests are code, wherever they stand, and roles are links."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Rewrite one docstring."""
        if not obj.docstring:
            return

        def link(role: re.Match[str]) -> str:
            name = role[1]
            target = name if name.startswith("sr_ops.") else f"{obj.module.path}.{name}"
            return f"[`{name}`][{target}]"

        text = ROLE.sub(link, obj.docstring.value)
        obj.docstring.value = DOCTEST.sub(r"\1```pycon\n\g<0>\n\1```", text)


class ReadableDefaults(Extension):
    """A default that is a constant of the module is shown as its value."""

    def on_function(self, *, func: Function, **_: object) -> None:
        """Rewrite one signature."""
        for parameter in func.parameters:
            name = str(parameter.default)
            if re.fullmatch(r"_[A-Z_]+", name):
                module = importlib.import_module(func.module.path)
                parameter.default = repr(getattr(module, name))


class LazyNames(Extension):
    """Packages whose names are lazy say at run time which ones are public."""

    def on_package(self, *, pkg: Module, **_: object) -> None:
        """Write the exports of every package that has a type stub for its names."""
        for module in (pkg, *pkg.modules.values()):
            if "_lazy" in module.members:
                module.exports = list(importlib.import_module(module.path).__all__)

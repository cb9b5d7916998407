"""Public names that load their module when they are first used.

A package writes each lazy name once, as an ordinary import in its type stub ``__init__.pyi``, where
type checkers and editors read it, and calls :func:`attach` in ``__init__.py``::

    # __init__.pyi                                     # __init__.py
    from package.module import function as function    attach(globals())
    from package import submodule as submodule
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

from sr_ops.errors import LibraryLoadError, MissingDependencyError

__all__ = ["attach"]


def attach(namespace: dict[str, Any], extras: Mapping[str, str] | None = None) -> None:
    """Give a package ``__getattr__``, ``__dir__`` and ``__all__`` for the names of its stub.

    Args:
        namespace: ``globals()`` of the package.
        extras: top-level package that may be missing -> the extra of sr-ops that brings it. Using a
            name without it raises MissingDependencyError, which says so.
    """
    package: str = namespace["__name__"]
    homes, others = _read_stub(namespace["__spec__"])

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            if homes[name] == package:
                value: Any = importlib.import_module(f"{package}.{name}")
            else:
                value = getattr(importlib.import_module(homes[name]), name)
        except ModuleNotFoundError as error:
            extra = (extras or {}).get((error.name or "").partition(".")[0])
            if extra is None:
                raise
            raise MissingDependencyError(
                f"{package}.{name} needs {error.name}: pip install 'sr-ops[{extra}]'",
                name=error.name,
            ) from None
        namespace[name] = value
        return value

    names = sorted([*homes, *others])
    namespace.update(__getattr__=load, __dir__=names.copy, __all__=names)


def _read_stub(spec: Any) -> tuple[dict[str, str], list[str]]:
    """Lazy name -> the module that holds it (a submodule's is the package); and other names.

    A stub has one name a line: ``from module import name as name``, or ``name: type``.
    """
    homes: dict[str, str] = {}
    others: list[str] = []
    stub = os.path.splitext(spec.origin)[0] + ".pyi"
    for line in spec.loader.get_data(stub).decode("utf-8").splitlines():
        match line.partition("#")[0].split():
            case ["from", module, "import", name, "as", alias] if name == alias:
                homes[name] = module
            case [name, _] if name.endswith(":"):
                others.append(name[:-1])
            case []:
                pass
            case _:
                raise LibraryLoadError(f"{stub}: one name a line is read here, not {line!r}")
    return homes, others

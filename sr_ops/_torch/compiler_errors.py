"""What a bad argument raises in code that ``torch.compile`` must turn into one graph.

With ``fullgraph=True`` (and in strict ``torch.export``), Dynamo turns every exception of the traced
code into its own ``Unsupported``. Users catch ours. An exception that is raised by a function which
Dynamo *calls*, instead of tracing it, and that derives from Dynamo's ``UserError``, leaves the
compiler as it is.
"""

from __future__ import annotations

import functools
from typing import NoReturn

import torch
from torch._dynamo import exc, symbolic_convert

from sr_ops.errors import InvalidArgumentError, InvalidTypeError, SrOpsError

__all__ = ["reraise"]


def reraise(error: Exception) -> NoReturn:
    """Raise ``error`` so that it keeps its class; called, and traced, while Dynamo compiles."""
    _raise_if_one_graph(isinstance(error, InvalidTypeError), error.args[0])
    # Elsewhere the code may have a handler for it, or a graph may break here.
    raise error


@torch.compiler.assume_constant_result
def _raise_if_one_graph(of_type: bool, message: str) -> None:
    try:
        translator = symbolic_convert.InstructionTranslator.current_tx()
        one_graph = translator.one_graph or translator.error_on_graph_break
        leaves_compiler = _both(InvalidTypeError if of_type else InvalidArgumentError)
        error = leaves_compiler(exc.UserErrorType.INVALID_INPUT, message)
    except (AttributeError, TypeError):  # another Dynamo: its own exception will quote ours
        return
    if one_graph:
        raise error


@functools.cache
def _both(ours: type[SrOpsError]) -> type[Exception]:
    """A class for those who catch ours, and for Dynamo."""
    return type(ours.__name__, (ours, exc.UserError), {"__init__": exc.UserError.__init__})

"""Which op the TorchScript exporter writes for ``dynamic_upscale``: a switch, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from sr_ops.onnx.operators.flavours import check_flavour

__all__ = ["emit", "emitted_op"]

_emitted_op: ContextVar[str] = ContextVar("sr_ops_emitted_op", default="Resize")


@contextlib.contextmanager
def emit(op: str) -> Iterator[None]:
    """Choose what ``torch.onnx.export(..., dynamo=False)`` writes for ``dynamic_upscale``.

    Args:
        op: ``"Resize"`` (the default outside of any ``emit``) or ``"DynamicUpscale"``, which writes
            ``sr_ops::DynamicUpscale`` for a scale and ``sr_ops::DynamicUpscaleToSizes`` for a size.

    Raises:
        InvalidArgumentError: another name.

    Holds for the current thread and context only.

    >>> with emit("DynamicUpscale"):
    ...     emitted_op()
    'DynamicUpscale'
    """
    check_flavour(op)
    token = _emitted_op.set(op)
    try:
        yield
    finally:
        _emitted_op.reset(token)


def emitted_op() -> str:
    """The op chosen by the innermost ``emit``: ``"Resize"`` or ``"DynamicUpscale"``."""
    return _emitted_op.get()

"""Everything that sr_ops raises on purpose.

Each class also derives from the builtin that a user would catch::

    SrOpsError
    ├── InvalidArgumentError (ValueError)       a value outside what is accepted
    ├── InvalidTypeError     (TypeError)        a dtype or Python type that is not accepted
    ├── MissingDependencyError (ImportError)    an optional package is not installed
    ├── LibraryLoadError     (ImportError)      a native library is missing or does not load
    ├── CheckpointError      (ValueError)       a checkpoint that does not fit the model
    ├── ModelError           (ValueError)       an ONNX model that cannot be used or converted
    ├── ExportError          (RuntimeError)     an export that did not give what was asked for
    ├── ImageError           (ValueError)       not a picture, or one that cannot be used
    └── FileError            (OSError)          a file that cannot be read or written
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ExportError",
    "FileError",
    "ImageError",
    "InvalidArgumentError",
    "InvalidTypeError",
    "LibraryLoadError",
    "MissingDependencyError",
    "ModelError",
    "SrOpsError",
]


class SrOpsError(Exception):
    """Base of every exception that sr_ops raises on purpose."""


class InvalidArgumentError(SrOpsError, ValueError):
    """An argument's value is outside what is accepted."""


class InvalidTypeError(SrOpsError, TypeError):
    """An argument's type or dtype is not accepted."""


class MissingDependencyError(SrOpsError, ImportError):
    """An optional package is needed; the message names the command that brings it."""


class LibraryLoadError(SrOpsError, ImportError):
    """A native library of sr_ops is missing or does not load."""


class CheckpointError(SrOpsError, ValueError):
    """A checkpoint does not fit the model."""


class ModelError(SrOpsError, ValueError):
    """An ONNX model cannot be used or converted."""


class ExportError(SrOpsError, RuntimeError):
    """An export did not give what was asked for."""


class ImageError(SrOpsError, ValueError):
    """A file is not a picture, or a picture has a form that cannot be used."""


class FileError(SrOpsError, OSError):
    """A file cannot be read or written."""

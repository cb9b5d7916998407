"""Models from and to files: clear errors, no partial files, more than 2 GiB of weights beside."""

from __future__ import annotations

import os
import tempfile
from typing import TypeAlias

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sr_ops.errors import FileError, InvalidTypeError, ModelError

__all__ = ["ModelSource", "check_writable", "load_model", "save_model"]

#: What the tools accept: a path or a model in memory.
ModelSource: TypeAlias = "str | os.PathLike[str] | onnx.ModelProto"

#: Protocol buffers end at 2 GiB; below this everything goes into one file.
_ONE_FILE = 2**31 - 2**20


def load_model(source: ModelSource, *, weights: bool = True) -> onnx.ModelProto:
    """Read a model; one in memory is returned as it is.

    Args:
        source: a path or a model.
        weights: also read weights that are stored in other files.

    Raises:
        FileError: the file cannot be read.
        ModelError: it does not hold an ONNX model.
        InvalidTypeError: neither a path nor a model.
    """
    if isinstance(source, onnx.ModelProto):
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidTypeError(f"model: got {type(source).__name__}, expected a path or ModelProto")
    path = os.fspath(source)
    try:
        model = onnx.load(path, format="protobuf", load_external_data=weights)
    except OSError as error:
        raise FileError(f"model: cannot read {path!r}: {error.strerror or error}") from error
    except DecodeError as error:
        raise ModelError(f"model: {path!r} is not an ONNX model, or is truncated") from error
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ModelError(f"model: cannot read the weights of {path!r}: {error}") from error
    if not model.HasField("graph") or not model.opset_import:
        raise ModelError(f"model: {path!r} is not an ONNX model: it has no graph or no opset")
    return model


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise FileError early for a path that no file can be written to."""
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidTypeError(f"path: got {type(path).__name__}, expected a path")
    target = os.path.abspath(os.fspath(path))
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        raise FileError(f"path: {target!r} is a folder, expected a file")
    if not os.path.isdir(folder):
        raise FileError(f"path: the folder {folder!r} does not exist")
    if not os.access(folder, os.W_OK):
        raise FileError(f"path: the folder {folder!r} is not writable")


def save_model(model: onnx.ModelProto, path: str | os.PathLike[str]) -> None:
    """Write a model: completely or not at all.

    Above 2 GiB the weights go into ``<path>.data``.

    Raises:
        FileError: the file cannot be written.
    """
    target = os.path.abspath(os.fspath(path))
    try:
        with tempfile.TemporaryDirectory(prefix=".sr_ops_", dir=os.path.dirname(target)) as folder:
            draft = os.path.join(folder, os.path.basename(target))
            beside = _write(model, draft)
            if beside is not None:
                os.replace(beside, os.path.join(os.path.dirname(target), os.path.basename(beside)))
            os.replace(draft, target)
    except OSError as error:
        raise FileError(f"path: cannot write {target!r}: {error.strerror or error}") from error


def _write(model: onnx.ModelProto, draft: str) -> str | None:
    """Write to a draft; the path of the weights beside it, if there are any."""
    if model.ByteSize() < _ONE_FILE:
        onnx.save(model, draft)
        return None
    location = os.path.basename(draft) + ".data"
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    onnx.save(copy, draft, save_as_external_data=True, location=location)
    beside = os.path.join(os.path.dirname(draft), location)
    return beside

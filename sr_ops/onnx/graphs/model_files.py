"""Models from and to files: clear errors, no partial files, more than 2 GiB of weights beside."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import onnx
from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped]

from sr_ops import _files
from sr_ops.errors import FileError, InvalidTypeError, ModelError
from sr_ops.onnx.graphs.soundness import check_data_files, check_sound, sound_or_model_error

__all__ = [
    "ModelSource",
    "check_writable",
    "copied",
    "is_ort_format",
    "load_model",
    "save_model",
    "write_text",
]

#: What the tools accept: a path or a model in memory.
ModelSource: TypeAlias = "str | os.PathLike[str] | onnx.ModelProto"

#: Protocol buffers end at 2 GiB; with fewer bytes everything goes into one file.
_ONE_FILE = 2**31 - 2**24

#: Smaller tensors stay in the model file, where shape inference sees them: bytes.
_INLINE = 1024

#: ONNX asks for the size of a page, so that weights can be mapped into memory: bytes.
_ALIGNMENT = 4096


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
        with sound_or_model_error():
            check_sound(source)
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidTypeError(f"model: got {type(source).__name__}, expected a path or ModelProto")
    path = os.fspath(source)
    if is_ort_format(path):
        raise ModelError(
            f"model: {path!r} is in ONNX Runtime's own format, which only sr_ops.onnx.make_session "
            "opens; use the .onnx file that it was made from"
        )
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except OSError as error:
        raise FileError(f"model: cannot read {path!r}: {error.strerror or error}") from error
    except DecodeError as error:
        raise ModelError(f"model: {path!r} is not an ONNX model, or is truncated") from error
    if not model.HasField("graph") or not model.opset_import:
        raise ModelError(f"model: {path!r} is not an ONNX model: it has no graph or no opset")
    with sound_or_model_error():
        check_sound(model)
    folder = os.path.dirname(path)
    check_data_files(model, folder, needed=weights)
    if weights:
        try:
            onnx.load_external_data_for_model(model, folder)
        except (onnx.checker.ValidationError, ValueError, OSError) as error:
            raise ModelError(f"model: cannot read the weights of {path!r}: {error}") from error
    return model


def is_ort_format(path: str) -> bool:
    """Whether a file is one of ONNX Runtime's own format, a flatbuffer called ORTM.

    Raises:
        FileError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(8)[4:] == b"ORTM"
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"model: cannot read {path!r}: {reason}") from error


def copied(source: ModelSource) -> onnx.ModelProto:
    """A model that may be changed: read from its file, or a copy of the one in memory."""
    model = load_model(source)
    if model is not source:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise FileError early for a path that no file can be written to."""
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidTypeError(f"path: got {type(path).__name__}, expected a path")
    try:
        destination = os.fspath(_files.followed(path))
    except OSError as error:
        raise FileError(f"path: cannot write {os.fspath(path)!r}: {error}") from error
    folder = os.path.dirname(destination)
    if os.path.isdir(destination):
        raise FileError(f"path: {destination!r} is a folder, expected a file")
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
    _write_atomically(path, lambda draft: _write_model(model, draft))


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write a text file: completely or not at all.

    Raises:
        FileError: the file cannot be written.
    """
    _write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def _write_atomically(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Let ``write`` make a file, and others beside it; then move them to their place."""
    try:
        with _files.replacing(path) as draft:
            write(draft)
    except OSError as error:
        message = f"path: cannot write {os.fspath(path)!r}: {error.strerror or error}"
        raise FileError(message) from error


def _write_model(model: onnx.ModelProto, draft: Path) -> None:
    if _fits_one_file(model):
        onnx.save(model, draft)
        return
    # Beside onnx.save, which clears the weights of the model that it writes this way: tensor by
    # tensor, so that nothing is in memory twice.
    head = onnx.ModelProto()
    for field, value in model.ListFields():
        if field.name != "graph":
            _assign(head, field.name, value)
    for field, value in model.graph.ListFields():
        if field.name != "initializer":
            _assign(head.graph, field.name, value)
    with open(f"{draft}.data", "wb") as data:
        for tensor in model.graph.initializer:
            head.graph.initializer.append(_moved(tensor, data, f"{draft.name}.data"))
    onnx.save(head, draft)


def _assign(message: Any, name: str, value: Any) -> None:
    if isinstance(value, (str, bytes, int)):
        setattr(message, name, value)
    elif hasattr(value, "append"):
        getattr(message, name).extend(value)
    else:
        getattr(message, name).CopyFrom(value)


def _moved(tensor: onnx.TensorProto, data: BinaryIO, location: str) -> onnx.TensorProto:
    """The tensor with its bytes at the end of a file, where they are many."""
    if len(tensor.raw_data) < _INLINE:
        return tensor
    data.write(bytes(-data.tell() % _ALIGNMENT))
    moved = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
    moved.data_location = onnx.TensorProto.EXTERNAL
    entries = {"location": location, "offset": data.tell(), "length": data.write(tensor.raw_data)}
    for key, value in entries.items():
        moved.external_data.add(key=key, value=str(value))
    return moved


def _fits_one_file(model: onnx.ModelProto) -> bool:
    # Piece by piece: a message of more than 2 GiB cannot tell its own size.
    graph = model.graph
    parts = (*graph.initializer, *graph.node, *model.functions)
    try:
        return bool(sum(part.ByteSize() for part in parts) < _ONE_FILE)
    except EncodeError:  # one piece alone is that large
        return False

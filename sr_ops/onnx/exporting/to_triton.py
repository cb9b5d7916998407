"""A model as Triton Inference Server takes it: a folder with its configuration and its library."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from sr_ops._libraries import get_library_path
from sr_ops.errors import FileError, InvalidArgumentError, ModelError
from sr_ops.onnx.graphs.model_files import ModelSource, copied, save_model

__all__ = ["to_triton"]

_DOMAIN = "sr_ops"
#: ONNX's element types -> Triton's.
_TYPES = {
    **{1: "TYPE_FP32", 2: "TYPE_UINT8", 3: "TYPE_INT8", 4: "TYPE_UINT16", 5: "TYPE_INT16"},
    **{6: "TYPE_INT32", 7: "TYPE_INT64", 8: "TYPE_STRING", 9: "TYPE_BOOL", 10: "TYPE_FP16"},
    **{11: "TYPE_FP64", 12: "TYPE_UINT32", 13: "TYPE_UINT64", 16: "TYPE_BF16"},
}
_DYNAMIC = -1


def to_triton(
    model: ModelSource,
    repository: str | os.PathLike[str],
    name: str,
    *,
    values: Mapping[str, Sequence[float]] | None = None,
    max_batch_size: int = 8,
    seen_as: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Put a model into a model repository of Triton Inference Server.

    ``repository/name`` gets ``config.pbtxt``, ``1/model.onnx`` and, where the model has operators
    of sr_ops, their library. It is there whole or not at all.

    Triton joins requests into batches, of one shape each, where every input and output has a batch
    of any size as its first axis. An input of another kind, such as a scale, keeps it from that:
    requests of several scales cannot be one. Then a batch is what a request brings. Give such an
    input a value, and the batches are Triton's.

    Args:
        model: a path or a model; float32 and the like, not sequences or maps.
        repository: the folder that Triton gets; made if it is missing.
        name: of the model there: letters, digits, ``_``, ``-`` and ``.``.
        values: inputs that become constants.
        max_batch_size: how many pictures Triton puts together at most; 0 for none.
        seen_as: the repository's path where the server runs, such as ``/models``; as here if not
            given. The server looks for the library below it.
        overwrite: whether a model of this name is replaced.

    Returns:
        The model's folder.

    Raises:
        InvalidArgumentError: a name, value or size that cannot be; a model of this name.
        FileError: a file cannot be read or written.
        ModelError: a model that is none, or that Triton has no types for.
        LibraryLoadError: the library was not built into this installation.

    >>> to_triton("model.onnx", "models", "../elsewhere")
    Traceback (most recent call last):
      ...
    sr_ops.errors.InvalidArgumentError: name: got '../elsewhere', expected letters, digits, ...
    """
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name):
        raise InvalidArgumentError(
            f"name: got {name!r}, expected letters, digits, '_', '-' and '.', no '.' first"
        )
    if isinstance(max_batch_size, bool) or not 0 <= max_batch_size < 2**31:
        raise InvalidArgumentError(f"max_batch_size: got {max_batch_size}, expected 0 or more")
    changed = copied(model)
    _fix(changed, values or {})
    target = Path(repository) / name
    _check_free(target, overwrite)
    library = Path(get_library_path()) if _has_operators(changed) else None
    where = None
    if library is not None:
        root = os.path.abspath(repository) if seen_as is None else seen_as.rstrip("/")
        where = f"{root}/{name}/{library.name}"
    config = _config(changed, name, max_batch_size, where)
    try:
        os.makedirs(repository, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sr_ops_", dir=repository) as folder:
            draft = Path(folder) / name
            (draft / "1").mkdir(parents=True)
            save_model(changed, draft / "1" / "model.onnx")
            (draft / "config.pbtxt").write_text(config, encoding="utf-8")
            if library is not None:
                shutil.copyfile(library, draft / library.name)
            _take_place(draft, target, Path(folder) / "former")
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror or error}") from error
    return target


def _check_free(target: Path, overwrite: bool) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise FileError(f"{target}: cannot be written: there is a file or a link, no folder")
    if not overwrite and target.is_dir() and any(target.iterdir()):
        raise InvalidArgumentError(f"{target}: exists already; pass overwrite=True (--overwrite)")


def _take_place(draft: Path, target: Path, former: Path) -> None:
    """Of nothing, of an empty folder or of a former model, which comes back if that fails."""
    if not target.exists():
        os.rename(draft, target)
        return
    os.rename(target, former)
    try:
        os.rename(draft, target)
    except OSError:
        os.rename(former, target)
        raise


def _fix(model: onnx.ModelProto, values: Mapping[str, Sequence[float]]) -> None:
    """Turn inputs into constants."""
    for name, value in values.items():
        found = [entry for entry in model.graph.input if entry.name == name]
        if not found:
            known = ", ".join(entry.name for entry in model.graph.input)
            raise InvalidArgumentError(f"values: the model has no input {name!r}, only {known}")
        kind = onnx.helper.tensor_dtype_to_np_dtype(found[0].type.tensor_type.elem_type)
        array = np.asarray(value, dtype=kind)
        sides = [side.dim_value for side in found[0].type.tensor_type.shape.dim]
        shape = [side or length for side, length in zip(sides, array.shape, strict=False)]
        if len(sides) != array.ndim or shape != list(array.shape):
            raise InvalidArgumentError(f"values: {name} is of shape {sides}, got {array.tolist()}")
        model.graph.input.remove(found[0])
        model.graph.initializer.append(numpy_helper.from_array(array, name))


def _has_operators(model: onnx.ModelProto) -> bool:
    return any(entry.domain == _DOMAIN for entry in model.opset_import)


def _config(model: onnx.ModelProto, name: str, max_batch_size: int, library: str | None) -> str:
    """Triton's ModelConfig, as text."""
    constant = {tensor.name for tensor in model.graph.initializer}
    inputs = [entry for entry in model.graph.input if entry.name not in constant]
    values = [*inputs, *model.graph.output]
    batched = max_batch_size > 0 and all(_sides(value)[:1] == [_DYNAMIC] for value in values)
    lines = [
        f"name: {json.dumps(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {max_batch_size if batched else 0}",
        *(f"input {_tensor(value, batched)}" for value in inputs),
        *(f"output {_tensor(value, batched)}" for value in model.graph.output),
        # sr_ops' kernels, as this library has them, are the processor's.
        "instance_group { kind: KIND_CPU }",
    ]
    if batched:
        lines.append("dynamic_batching { }")
    if library is not None:
        lines.append(f"model_operations {{ op_library_filename: {json.dumps(library)} }}")
    return "\n".join(lines) + "\n"


def _tensor(value: onnx.ValueInfoProto, batched: bool) -> str:
    kind = _TYPES.get(value.type.tensor_type.elem_type)
    if kind is None:
        raise ModelError(f"model: {value.name!r} is of a type that Triton does not have")
    sides = ", ".join(map(str, _sides(value)[1 if batched else 0 :]))
    return f"{{ name: {json.dumps(value.name)} data_type: {kind} dims: [ {sides} ] }}"


def _sides(value: onnx.ValueInfoProto) -> list[int]:
    if not value.type.tensor_type.HasField("shape"):
        raise ModelError(
            f"model: {value.name!r} has no shape; sr_ops.onnx.make_dynamic(model) finds them"
        )
    return [
        side.dim_value if side.HasField("dim_value") else _DYNAMIC
        for side in value.type.tensor_type.shape.dim
    ]

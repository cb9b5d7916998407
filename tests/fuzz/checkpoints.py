"""Checkpoints: files of torch's and of safetensors' kind, from choices or from any bytes.

Pickles are written by the real pickler, from objects that pickle as whatever is chosen: tensors of
any extents, strides and storages, containers that hold themselves, and calls of functions. What is
loaded must be plain tensors; a function that nobody allowed must not have been called.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from fuzz.choices import Choices

from sr_ops import models
from sr_ops.errors import SrOpsError
from sr_ops.models.checkpoints import read_state_dict

LONGEST = 1 << 12  # bytes

_FOLDER = Path(tempfile.mkdtemp(prefix="sr_ops_fuzz_"))
_SIGN = _FOLDER / "called"  # what a forbidden call would leave behind
_WEIGHTS = {name: models.load(name).state_dict() for name in ("srcnn", "espcn_x2")}
_KEYS = ("state_dict", "model", "params", "params_ema", "conv1.weight", "meta", "module.", "")
_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    torch._utils._rebuild_tensor_v2,
    torch._utils._rebuild_tensor_v3,
    torch._utils._rebuild_parameter,
    torch._utils._rebuild_qtensor,
    torch._utils._rebuild_sparse_tensor,
    torch._utils._rebuild_meta_tensor_no_storage,
    torch._tensor._rebuild_from_type_v2,
    torch.device,
    torch.Size,
    OrderedDict,
    bytearray,
    os.mkdir,
    eval,
)
_STORAGES = (torch.FloatStorage, torch.DoubleStorage, torch.HalfStorage, torch.LongStorage)
_STORAGES += (torch.BoolStorage, torch.ComplexFloatStorage, torch.ByteStorage)
_DTYPES = ("F32", "F16", "BF16", "F64", "I64", "U8", "BOOL", "F8_E4M3", "X", "")


class _Storage:
    def __init__(self, *identity: Any) -> None:
        self.identity = identity


class _Call:
    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return obj.identity if isinstance(obj, _Storage) else None


class _Objects:
    """Whatever a checkpoint might hold."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.made: list[Any] = []
        self.files: dict[str, bytes] = {}

    def any(self, depth: int = 0) -> Any:
        kind = self.choices.below(10 if depth < 4 else 5)
        if kind < 3:
            return self.tensor()
        if kind == 3:
            return self.choices.pick((None, True, 1.5, float("nan"), self.choices.text()))
        if kind == 4:
            return self.choices.pick(self.made) if self.made else self.choices.number()
        if kind == 5:
            return tuple(self.any(depth + 1) for _ in range(self.choices.below(4)))
        if kind == 6:
            return self.call(depth)
        return self.mapping(depth)

    def mapping(self, depth: int) -> Any:
        mapping: dict[Any, Any] = OrderedDict() if self.choices.flag() else {}
        self.made.append(mapping)
        if self.choices.flag():
            name = self.choices.pick(tuple(_WEIGHTS))
            for key, value in _WEIGHTS[name].items():
                mapping[key] = self.tensor(tuple(value.shape))
        for _ in range(self.choices.below(4)):
            key = self.choices.pick(_KEYS) if self.choices.flag() else self.choices.text()
            mapping[key] = self.any(depth + 1)
        return mapping

    def call(self, depth: int) -> Any:
        function = self.choices.pick(_FUNCTIONS)
        if function is os.mkdir:
            return _Call(function, (str(_SIGN),))
        if function is eval:
            return _Call(function, (f"__import__('os').mkdir({str(_SIGN)!r})",))
        if function is bytearray:
            return _Call(function, (min(self.choices.number(), 1 << 20),))
        return _Call(function, tuple(self.any(depth + 1) for _ in range(self.choices.below(7))))

    def tensor(self, shape: tuple[int, ...] | None = None) -> Any:
        """Mostly sound."""
        if shape is None:
            shape = tuple(1 + self.choices.below(4) for _ in range(self.choices.below(5)))
        elements = 1
        for extent in shape:
            elements *= extent
        strides = tuple(torch.empty(shape, device="meta").stride())
        storage, offset = self.storage(elements), 0
        if self.choices.flag(8):
            offset = self.choices.number()
        if self.choices.flag(8):
            strides = tuple(self.choices.number() for _ in strides)
        if self.choices.flag(8):
            shape = tuple(self.choices.number() for _ in range(self.choices.below(6)))
        arguments = (storage, offset, shape, strides, self.choices.flag(), OrderedDict())
        return _Call(torch._utils._rebuild_tensor_v2, arguments)

    def storage(self, elements: int) -> _Storage:
        kind = _STORAGES[0] if self.choices.flag() else self.choices.pick(_STORAGES)
        key = str(len(self.files) if not self.choices.flag(8) else self.choices.below(4))
        size = elements * torch.empty(0, dtype=kind.dtype).element_size()
        stored = size if not self.choices.flag(8) else self.choices.below(64)
        fill = self.choices.pick((b"\0", b"?", b"\xff"))
        self.files.setdefault(key, fill * min(stored, 1 << 16))
        count = elements if not self.choices.flag(8) else self.choices.number()
        device = self.choices.pick(("cpu", "cpu", "cpu", "cuda:0", "meta", ""))
        return _Storage("storage", kind, key, device, count)


def _torch_file(choices: Choices) -> bytes:
    objects = _Objects(choices)
    content = objects.mapping(0) if choices.flag(3) else objects.any()
    pickled = io.BytesIO()
    _Pickler(pickled, protocol=2).dump(content)
    corrupted = bytearray(pickled.getvalue())
    if choices.flag(8):
        corrupted[choices.below(len(corrupted))] = choices.below(256)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a/data.pkl", bytes(corrupted))
        archive.writestr("a/byteorder", choices.pick(("little", "big", "x")))
        archive.writestr("a/version", choices.pick(("3\n", "9" * 30, "")))
        for key, stored in objects.files.items():
            archive.writestr(f"a/data/{key}", stored)
    return file.getvalue()


def _safetensors_file(choices: Choices) -> bytes:
    header: dict[str, Any] = {}
    stored = 0
    for _ in range(choices.below(5)):
        shape = [1 + choices.below(4) for _ in range(choices.below(5))]
        if choices.flag(8):
            shape = [choices.number() for _ in shape]
        size = 4
        for extent in shape:
            size *= extent
        offsets = [stored, stored + size] if not choices.flag(8) else [choices.number(), 4]
        stored += size if 0 <= size < 1 << 16 else 0
        dtype = "F32" if not choices.flag(4) else choices.pick(_DTYPES)
        key = choices.pick(_KEYS) if choices.flag() else choices.text()
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    if choices.flag(4):
        header["__metadata__"] = choices.pick(({"a": "b"}, {"a": 1}, None, [1], "x"))
    text = json.dumps(header).encode()
    length = len(text) if not choices.flag(8) else choices.number() % 2**64
    return length.to_bytes(8, "little") + text + choices.pick((b"\0", b"\xff")) * stored


def run(data: bytes) -> None:
    choices = Choices(data)
    kind = choices.below(8)
    ending = ".safetensors" if kind in (5, 6) else ".pth"
    if kind < 5:
        content = _torch_file(choices)
    else:
        content = _safetensors_file(choices) if kind == 5 else choices.rest()
    path = _FOLDER / f"net{ending}"
    path.write_bytes(content)
    try:
        _load(path)
    finally:
        assert not _SIGN.exists(), "a function of the checkpoint was called"


def _load(path: Path) -> None:
    try:
        weights = read_state_dict(path)
    except SrOpsError as error:
        assert len(str(error)) < 2000, "a message without end"
        return
    for key, value in weights.items():
        assert isinstance(key, str)
        assert type(value) in (torch.Tensor, torch.nn.Parameter)
        assert value.layout == torch.strided and value.device.type == "cpu"
        assert not value.is_floating_point() or torch.isfinite(value).all()
    try:
        models.load(path)
    except SrOpsError as error:
        assert len(str(error)) < 2000, "a message without end"

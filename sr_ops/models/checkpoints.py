"""Checkpoint files: read without running code from them, unwrap, load strictly."""

from __future__ import annotations

import errno
import math
import os
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from sr_ops._files import followed
from sr_ops.errors import CheckpointError, FileError, MissingDependencyError, SrOpsError
from sr_ops.models import downloads

__all__ = ["load_state_dict", "local", "read_state_dict", "refuse_zip_bombs"]

Module = TypeVar("Module", bound=nn.Module)

#: Keys under which training frameworks put the weights, outermost first.
_WRAPPERS = (
    *("state_dict", "model_state_dict", "model", "params_ema", "params-ema", "params", "net"),
)
_TF2ONNX = "pip install tf2onnx tensorflow; python -m tf2onnx.convert"
_NAMES = "--inputs IN:0 --outputs NCHW_output:0"  # of dnn_superres' own networks
_CAFFE = (
    "in an environment of its own, pip install --no-deps caffe2onnx; pip install 'onnx<1.15' "
    "'protobuf<3.21' 'numpy<2'; python -m caffe2onnx.convert --prototxt {stem}.prototxt "
    "--caffemodel {stem}.caffemodel --onnx net.onnx, and give net.onnx"
)
_ORIGIN = (
    "nothing turns such a file back; give what it was made of: the checkpoint (.pth, .safetensors) "
    "or the .onnx file of the same network"
)
#: Ending of a file -> what it is, and how to come from there to a file that is taken.
_OTHER_FORMATS = {
    ".pb": (
        "a TensorFlow graph, as OpenCV's dnn_superres takes it",
        f"{_TF2ONNX} --graphdef {{path}} {_NAMES} --output net.onnx (with the names of its own "
        "input and output), and give net.onnx",
    ),
    **{
        ending: (what, f"{_TF2ONNX} {option} {{path}} --output net.onnx, and give net.onnx")
        for ending, what, option in (
            (".tflite", "a TensorFlow Lite model", "--tflite"),
            (".h5", "a Keras model", "--keras"),
            (".keras", "a Keras model", "--keras"),
        )
    },
    ".pt2": (
        "a program of torch.export",
        "where you trust its origin, call torch.onnx.export(torch.export.load('{path}'), "
        "f='net.onnx'), and give net.onnx",
    ),
    ".caffemodel": ("a Caffe model", _CAFFE),
    ".prototxt": ("a Caffe model's description", _CAFFE),
    ".param": ("an ncnn model's description", _ORIGIN),
    ".bin": ("an ncnn model's weights", _ORIGIN),
    ".mlmodel": ("a Core ML model", _ORIGIN),
}
_INFLATED = 64 << 20  # bytes: allowed besides four times the file
_DEEPEST = 8  # wrappers within wrappers
_LARGEST = 1 << 40  # elements of a tensor, as everywhere
_LONGEST_KEY = 80  # characters of a key in a message
#: What wrappers put before every key: MMEditing's restorers, DataParallel, torch.compile, GANs.
_PREFIXES = ("generator.", "module.", "_orig_mod.", "netG.")


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The weights in a checkpoint file, under the names that the network itself uses.

    Wrapper dictionaries (``state_dict`` …) are opened and prefixes that all keys share
    (``generator.``, ``module.`` …) removed. Only tensors and plain containers are unpickled:
    a file that asks for anything else is refused, nothing in it is executed.

    Args:
        path: a file written by ``torch.save``, a ``.safetensors`` file, or an http(s) address of
            either. A download is kept beside torch.hub's own and checked where the address
            ends in ``#sha256=<digits>`` or the name in ``-<digits>.pth``, torch.hub's convention.

    Returns:
        Name to CPU tensor.

    Raises:
        FileError: the file cannot be read or downloaded.
        CheckpointError: the file is not a checkpoint, or holds objects other than tensors.
        MissingDependencyError: a ``.safetensors`` file, and the package safetensors is missing.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "net.pth")
    >>> torch.save({"state_dict": {"generator.conv1.bias": torch.zeros(3)}}, path)
    >>> list(read_state_dict(path))
    ['conv1.bias']
    """
    _refuse_other_formats(path)
    file = local(path)
    try:
        with open(followed(file), "rb"):
            pass  # whether it can be read at all, in the same words for every format
        safe = os.fspath(file).endswith(".safetensors")
        content = _read_safetensors(file) if safe else _read_pickle(file)
    except SrOpsError:
        raise
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place that a damaged file speaks of
            raise CheckpointError(f"{path}: not a checkpoint: damaged, or cut short") from error
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        # torch's own text would have the reader execute what the file holds.
        raise CheckpointError(
            f"{path}: refused: the file is not a plain checkpoint of tensors; where the model was "
            "made, call torch.save(model.state_dict(), 'weights.pth'), and give weights.pth"
        ) from error
    except MemoryError as error:
        raise CheckpointError(
            f"{path}: not a checkpoint: it asks for more memory than there is"
        ) from (error)
    except Exception as error:  # what a damaged file makes torch raise is of any class
        if "weights_only" in str(error):  # torch would have the reader execute what the file holds
            raise CheckpointError(f"{path}: {_unsafe(error)}") from error
        raise CheckpointError(f"{path}: not a checkpoint: {_first_line(error)}") from error
    return _strip_prefixes(_checked(_unwrap(content, path), path))


def local(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The file that a path or an address means.

    Raises:
        FileError, CheckpointError: it cannot be downloaded, or has another checksum.
    """
    return downloads.fetch(path) if isinstance(path, str) and downloads.is_address(path) else path


def _refuse_other_formats(path: str | os.PathLike[str]) -> None:
    """Models of other frameworks: for what they are, with a way on."""
    stem, ending = os.path.splitext(os.fspath(path))
    ending = ending.lower()
    if ending == ".onnx":
        raise CheckpointError(
            f"{path}: an ONNX model, not a checkpoint of torch; it needs no export: sr-ops upscale "
            "--model takes it as it is, and sr-ops make-dynamic opens its scale and its sizes"
        )
    if ending == ".bin" and not os.path.exists(f"{stem}.param"):
        return  # torch's
    if ending in _OTHER_FORMATS:
        what, way = _OTHER_FORMATS[ending]
        raise CheckpointError(
            f"{path}: {what}, not a checkpoint: {way.format(path=path, stem=stem)}"
        )


def _unsafe(error: Exception) -> str:
    """What a file is that torch reads only by executing it, with a way on."""
    if "TorchScript" in str(error):
        return (
            "a TorchScript archive, which is a program, not a checkpoint; where you trust its "
            "origin, pass trust_torchscript=True (--trust-torchscript), which runs it; or, where "
            "its model was made, call torch.save(model.state_dict(), 'weights.pth') or "
            "torch.onnx.export, and give that file"
        )
    return "not a checkpoint of tensors; expected what torch.save or safetensors writes"


def refuse_zip_bombs(path: str | os.PathLike[str]) -> None:
    """torch.save does not compress, so that a file is about as large as what is in it.

    Raises:
        CheckpointError: a file that inflates.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            inflated = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile:
        return  # torch says what is wrong
    size = os.path.getsize(path)
    if inflated > 4 * size + _INFLATED:
        raise CheckpointError(
            f"{path}: not a checkpoint: its {size} bytes inflate to {inflated}; expected what "
            "torch.save writes, which does not compress"
        )


def _read_pickle(path: str | os.PathLike[str]) -> Any:
    refuse_zip_bombs(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about pickle protocols
        return torch.load(path, map_location="cpu", weights_only=True)


def _read_safetensors(path: str | os.PathLike[str]) -> Any:
    try:
        import safetensors
        import safetensors.torch
    except ModuleNotFoundError:
        raise MissingDependencyError(
            f"{path}: needs safetensors: pip install 'sr-ops[torch]'"
        ) from None
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path}: not a checkpoint: {_first_line(error)}") from error


def load_state_dict(
    model: Module, state_dict: Mapping[str, Tensor], source: str | os.PathLike[str] = "checkpoint"
) -> Module:
    """Load weights into a network, all of them and nothing else.

    Args:
        model: the network, changed in place.
        state_dict: name to tensor, as :func:`read_state_dict` gives them.
        source: what the error message calls the weights.

    Returns:
        ``model``.

    Raises:
        CheckpointError: names the keys that are missing, unexpected or of another shape; the
            network is left as it was.

    >>> load_state_dict(nn.Linear(1, 1), {"weight": torch.ones(1, 1)})
    Traceback (most recent call last):
      ...
    sr_ops.errors.CheckpointError: checkpoint does not fit Linear: missing bias
    """
    expected = model.state_dict()
    shapes = [
        f"{key} {tuple(state_dict[key].shape)} instead of {tuple(value.shape)}"
        for key, value in expected.items()
        if key in state_dict and state_dict[key].shape != value.shape
    ]
    faults = {
        "missing": [key for key in expected if key not in state_dict],
        "unexpected": [key for key in state_dict if key not in expected],
        "of another shape": shapes,
    }
    if any(faults.values()):
        report = "; ".join(f"{fault} {_listed(keys)}" for fault, keys in faults.items() if keys)
        raise CheckpointError(f"{source} does not fit {type(model).__name__}: {report}")
    model.load_state_dict(state_dict)
    return model


def _unwrap(content: Any, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    for _ in range(_DEEPEST):  # a dictionary may hold itself
        if not isinstance(content, Mapping):
            break
        inner = next(
            (content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None
        )
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(
            f"{path}: holds a {type(content).__name__} instead of a dictionary of weights"
        )
    if any(isinstance(content.get(key), Mapping) for key in _WRAPPERS):
        raise CheckpointError(
            f"{path}: dictionaries within dictionaries, more than {_DEEPEST} deep"
        )
    others = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(f"{path}: entries that are not tensors: {_listed(others)}")
    return {str(key): value for key, value in content.items()}


def _checked(state_dict: dict[str, Tensor], path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Ordinary numbers that are all there; not what would grow when a network takes it over."""
    for key, value in state_dict.items():
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            what = "quantized" if value.is_quantized else f"on {value.device}, {value.layout}"
            fault = f"{what}; expected an ordinary tensor with its values"
        elif min(value.shape, default=0) < 0:
            fault = f"of the shape {tuple(value.shape)}; expected sides of 0 or more"
        elif math.prod(max(side, 1) for side in value.shape) > _LARGEST:  # torch's count wraps
            fault = f"of the shape {tuple(value.shape)}; expected at most 2^40 elements"
        elif value.is_complex():
            fault = "complex; expected real numbers"
        elif value.untyped_storage().nbytes() < value.numel() * value.element_size():
            fault = f"{tuple(value.shape)} repeats the few values that are stored; save its clone()"
        elif value.is_floating_point() and not torch.isfinite(value).all():
            fault = "not finite (NaN or infinity); the training has failed"
        else:
            continue
        raise CheckpointError(f"{path}: {_listed([key])} is {fault}")
    return state_dict


def _strip_prefixes(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES * 2:  # either order of nesting
        if all(key.startswith(prefix) for key in state_dict):
            state_dict = {key[len(prefix) :]: value for key, value in state_dict.items()}
    return state_dict


def _listed(keys: list[str], most: int = 6) -> str:
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    short = [key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}…" for key in keys[:most]]
    return ", ".join(short) + more


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__

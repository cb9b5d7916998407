"""Sessions that use the sr_ops library wherever it serves, and an account of where it does."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import onnx
import onnxruntime  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sr_ops._diagnosis import why_not_loaded
from sr_ops._libraries import get_library_path
from sr_ops.errors import (
    InvalidArgumentError,
    LibraryLoadError,
    MissingDependencyError,
    ModelError,
)
from sr_ops.onnx.graphs.model_files import is_ort_format, load_model
from sr_ops.onnx.graphs.scopes import Scope
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.running.explain import (
    Explanation,
    confirmed,
    explain_model,
    explain_ort_format,
)
from sr_ops.onnx.running.provider import (
    FIRST_BY_NAME,
    PROVIDER,
    register_provider,
    runtime_version,
    use_device,
    with_provider,
)

__all__ = ["explain", "make_session"]

#: What make_session and explain accept.
Model: TypeAlias = "str | os.PathLike[str] | bytes | onnx.ModelProto"

#: Of ONNX Runtime's levels of logging.
_ERRORS_ONLY = 3

#: Written by the library into the options that it has been registered with.
_LIBRARY_KEY = "sr_ops.registered"
#: Written by us: onnxruntime-extensions itself does not notice that it is registered twice.
_EXTENSIONS_KEY = "sr_ops.extensions_registered"
#: ONNX Runtime's: a session then tells which provider got which node.
_RECORD_KEY = "session.record_ep_graph_assignment_info"

_explanations: weakref.WeakKeyDictionary[onnxruntime.InferenceSession, Explanation] = (
    weakref.WeakKeyDictionary()
)


def make_session(
    model: Model,
    *,
    providers: Sequence[Any] | None = None,
    provider_options: Sequence[dict[str, Any]] | None = None,
    sess_options: onnxruntime.SessionOptions | None = None,
    accelerate: str | None = None,
    **keywords: Any,
) -> onnxruntime.InferenceSession:
    """Open a model in ONNX Runtime, with the sr_ops library registered exactly when it serves.

    The library is registered when the model has ``sr_ops`` nodes and the library has a kernel for
    each of them: ONNX Runtime 1.17 or newer, an element type among float32, float64, float16,
    bfloat16, uint8 and int8, and images in host memory or, for a library that was built with
    CUDA, with the CUDA provider. Otherwise the functions that the model
    carries do the work. :func:`explain` tells which and why. onnxruntime-extensions is registered
    when the model uses its domain.

    Args:
        model: path (of ONNX Runtime's own format .ort, too), serialized bytes, or ModelProto.
        providers: execution providers in order of preference, as in ``InferenceSession``; by
            default CUDA where ONNX Runtime has it, then the CPU.
        provider_options: as in ``InferenceSession``.
        sess_options: used as they are, and left with what was registered: registering again, also
            for further sessions, is harmless. Leave onnxruntime-extensions to ``make_session``.
        accelerate: ``"provider"``: the model's cubic ``Resize`` nodes run in the sr_ops kernel,
            too, by the execution provider (:func:`sr_ops.onnx.register_provider`); the model stays
            as it is. ONNX Runtime then warns of every session that not all nodes have the first
            provider, unless you pass no ``sess_options``: then it reports errors only.
        **keywords: passed on to ``InferenceSession``.

    Raises:
        FileError: the file cannot be read.
        ModelError: not an ONNX model, or a node that nothing at hand can run.
        LibraryLoadError: the model needs the library, which is not built or does not load; or
            ``accelerate="provider"`` with an ONNX Runtime older than 1.24.
        MissingDependencyError: the model needs onnxruntime-extensions, which is not installed.
        InvalidTypeError: ``model`` is of another type.
        InvalidArgumentError: ``sess_options`` have the library, which does not serve this model; or
            another value of ``accelerate``.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
    ...     "(float[N,C,H,W] X, float[4] scales) => (float[N,C,h,w] Y) "
    ...     "{ Y = sr_ops.DynamicUpscale(X, scales) }"
    ... )
    >>> session = make_session(onnx.parser.parse_model(text))
    >>> [value.name for value in session.get_inputs()]
    ['X', 'scales']
    """
    chosen = _chosen(providers, accelerate)
    explanation, source, quiet = _explained(model, _usable(chosen))
    _check(explanation)
    options = sess_options
    if options is None:
        options = onnxruntime.SessionOptions()
        if quiet or accelerate is not None:
            options.log_severity_level = _ERRORS_ONLY
    by_device = PROVIDER in chosen and runtime_version() < FIRST_BY_NAME
    if by_device:
        use_device(options, chosen)  # which brings the operators
    elif explanation.library:
        _register_library(options)
    elif _has(options, _LIBRARY_KEY) and explanation.nodes:
        raise InvalidArgumentError(
            "sess_options: the sr_ops library is registered with them, but cannot serve this model "
            f"({explanation.reason}); pass new SessionOptions"
        )
    if explanation.extensions:
        _register_extensions(options)
    if PROVIDER in chosen:
        options.add_session_config_entry(_RECORD_KEY, "1")
    with _runtime_errors():
        session = onnxruntime.InferenceSession(
            source,
            options,
            providers=None if by_device else chosen,
            provider_options=provider_options,
            **keywords,
        )
    if PROVIDER in chosen:
        explanation = confirmed(explanation, _taken(session))
    _explanations[session] = explanation
    return session


def _chosen(providers: Sequence[Any] | None, accelerate: str | None) -> list[Any]:
    chosen = list(providers) if providers is not None else _default_providers()
    if accelerate is None:
        return chosen
    if accelerate != "provider":
        raise InvalidArgumentError(f'accelerate: got {accelerate!r}, expected "provider" or None')
    register_provider()
    return with_provider(chosen)


def _taken(session: onnxruntime.InferenceSession) -> set[str]:
    """Names of the nodes that the execution provider has, by the session's own account."""
    return {
        node.name
        for part in session.get_provider_graph_assignment_info()
        if part.ep_name == PROVIDER
        for node in part.get_nodes()
    }


@contextlib.contextmanager
def _runtime_errors() -> Iterator[None]:
    """What ONNX Runtime says against a model is a ModelError."""
    try:
        yield
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        if type(error).__module__.startswith("onnxruntime"):
            reason = " ".join(str(error).split())
            raise ModelError(f"model: ONNX Runtime does not open it: {reason}") from error
        if isinstance(error, (ValueError, TypeError)):
            raise InvalidArgumentError(f"make_session: {error}") from error
        raise


@sound_or_model_error()
def _explained(model: Model, providers: Sequence[str]) -> tuple[Explanation, str | bytes, bool]:
    """Which path each node takes, what InferenceSession is to open, and whether quietly.

    ONNX Runtime warns of every input with a default, and old exporters wrote every weight so.
    """
    if isinstance(model, (str, os.PathLike)) and is_ort_format(os.fspath(model)):
        return explain_ort_format(onnxruntime.__version__, providers), os.fspath(model), False
    proto, source = read_model(model)
    explanation = explain_model(proto, onnxruntime.__version__, providers)
    defaults = {tensor.name for tensor in proto.graph.initializer}
    return explanation, source, any(value.name in defaults for value in proto.graph.input)


def explain(
    session_or_model: onnxruntime.InferenceSession | Model,
    *,
    providers: Sequence[Any] | None = None,
    accelerate: str | None = None,
) -> Explanation:
    """Tell which upscaling nodes run in the sr_ops kernel, which in a function, and why.

    Args:
        session_or_model: a session from :func:`make_session`; or a model, for what
            ``make_session`` would do with it on this machine.
        providers: with a model: as in ``make_session``.
        accelerate: with a model: as in ``make_session``.

    Returns:
        An object with ``library``, ``reason``, ``nodes``, …, whose ``str()`` is a table.

    Raises:
        InvalidArgumentError: a session that ``make_session`` did not make.
        FileError, ModelError, InvalidTypeError: as ``make_session`` about the model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
    ...     "(float[N,C,H,W] X, float[4] scales) => (float[N,C,h,w] Y) "
    ...     "{ Y = sr_ops.DynamicUpscale(X, scales) }"
    ... )
    >>> explain(onnx.parser.parse_model(text)).nodes[0].path
    'library'
    """
    if isinstance(session_or_model, onnxruntime.InferenceSession):
        explanation = _explanations.get(session_or_model)
        if explanation is None:
            raise InvalidArgumentError(
                "session_or_model: a session that sr_ops.onnx.make_session did not make; pass its "
                "model instead"
            )
        return explanation
    usable = _usable(_chosen(providers, accelerate))
    return _explained(session_or_model, usable)[0]


def explain_walked(model: onnx.ModelProto, walked: Iterable[Scope]) -> Explanation:
    """What :func:`explain` tells of a model whose scopes have been walked already."""
    usable = _usable(_default_providers())
    return explain_model(model, onnxruntime.__version__, usable, walked)


def _default_providers() -> list[str]:
    available = onnxruntime.get_available_providers()
    return [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in available]


def _usable(providers: Sequence[Any]) -> list[str]:
    """Names of those providers that this build of ONNX Runtime has; it passes over the others."""
    names = [p if isinstance(p, str) else p[0] for p in providers]
    available = {PROVIDER, *onnxruntime.get_available_providers()}
    return [name for name in names if name in available]


def read_model(model: Model) -> tuple[onnx.ModelProto, str | bytes]:
    """The model's structure, and what InferenceSession is to open."""
    if isinstance(model, onnx.ModelProto):
        load_model(model)
        try:
            return model, model.SerializeToString()
        except ValueError as error:
            raise ModelError(
                f"model: {error}; save it with external data and pass the path"
            ) from None
    if isinstance(model, bytes):
        return _parse(model), model
    # By its path, so that the runtime finds external data.
    return load_model(model, weights=False), os.fspath(model)


def _parse(content: bytes) -> onnx.ModelProto:
    try:
        proto = onnx.load_model_from_string(content)
    except DecodeError:
        raise ModelError("model: the bytes are not an ONNX model, or a truncated one") from None
    if not proto.HasField("graph"):
        raise ModelError("model: the bytes are not an ONNX model: it has no graph")
    return load_model(proto)


def _check(explanation: Explanation) -> None:
    """Refuse a model that has nodes which nothing can run."""
    for node in explanation.nodes:
        if node.path == "none":
            message = f"node {node.node!r} of type {node.op_type}: {node.reason}"
            try:
                get_library_path()
            except LibraryLoadError as error:
                raise LibraryLoadError(message) from error
            raise ModelError(message)


def _has(options: onnxruntime.SessionOptions, key: str) -> bool:
    try:
        options.get_session_config_entry(key)
    except RuntimeError:
        return False
    return True


def _register_library(options: onnxruntime.SessionOptions) -> None:
    path = get_library_path()
    try:
        options.register_custom_ops_library(path)
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        raise LibraryLoadError(
            f"{why_not_loaded(path, error)} (into onnxruntime {onnxruntime.__version__})"
        ) from error


def _register_extensions(options: onnxruntime.SessionOptions) -> None:
    if _has(options, _EXTENSIONS_KEY):
        return
    try:
        import onnxruntime_extensions  # type: ignore[import-untyped]
    except ImportError:
        raise MissingDependencyError(
            "the model uses operators of onnxruntime-extensions: pip install 'sr-ops[extensions]'"
        ) from None
    options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
    options.add_session_config_entry(_EXTENSIONS_KEY, "1")

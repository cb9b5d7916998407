"""Which implementation each upscaling node of a model gets, and why.

A node of domain ``sr_ops`` runs in our library's kernel or, where the library cannot serve the
whole model, in the model-local function that the model carries: once the library is registered,
ONNX Runtime has no way back to the function.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

import onnx
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from sr_ops._libraries import get_library_path, native_info
from sr_ops.errors import LibraryLoadError
from sr_ops.onnx.graphs.inputs import scale_inputs
from sr_ops.onnx.graphs.scopes import Scope, scopes, tensor_dtype
from sr_ops.onnx.operators.kinds import is_cubic_resize, is_operator
from sr_ops.onnx.operators.schema import DOMAIN, FLOAT_TYPES, INTEGER_RANGES
from sr_ops.onnx.running.provider import PROVIDER, refusal

#: The first ONNX Runtime whose C API has all that the library calls.
OLDEST_RUNTIME = (1, 17)
#: The first that gives the kernels of a CUDA build memory for use on a stream.
OLDEST_RUNTIME_WITH_CUDA = (1, 18)
EXTENSION_DOMAINS = frozenset({"ai.onnx.contrib", "com.microsoft.extensions"})
#: Execution providers whose tensors lie in memory that the library's CPU kernel cannot read. (A
#: library that was built with CUDA has kernels for CUDAExecutionProvider.)
DEVICE_PROVIDERS = frozenset(
    {
        "CANNExecutionProvider",
        "CUDAExecutionProvider",
        "DmlExecutionProvider",
        "MIGraphXExecutionProvider",
        "NvTensorRTRTXExecutionProvider",
        "ROCMExecutionProvider",
        "TensorrtExecutionProvider",
        "WebGpuExecutionProvider",
    }
)
_LIBRARY_TYPES = frozenset({*FLOAT_TYPES, *INTEGER_RANGES})


@dataclasses.dataclass(frozen=True)
class NodePath:
    """How one node runs.

    Attributes:
        node: the node's name, or its first output's where it has none.
        op_type: ``DynamicUpscale``, ``DynamicUpscaleToSizes`` or ``Resize``.
        graph: the graph, subgraph or function that holds the node.
        dtype: element type of X, as in ``float32``; None if the model does not tell.
        path: ``library`` (our kernel), ``provider`` (our kernel, through the execution provider),
            ``function`` (the model's own, in standard operators), ``runtime`` (ONNX Runtime's own
            Resize) or ``none`` (nothing can run it).
        reason: why, in one sentence.
    """

    node: str
    op_type: str
    graph: str
    dtype: str | None
    path: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What :func:`sr_ops.onnx.explain` returns; ``str()`` gives a table.

    Attributes:
        runtime: version of ONNX Runtime.
        providers: execution providers, in order of preference.
        library: whether the sr_ops library is (would be) registered.
        extensions: whether onnxruntime-extensions is (would be) registered.
        reason: why the library is registered or not.
        nodes: one entry for each upscaling node.
        scale_inputs: the model's inputs, those with a default too, that scales and sizes follow.
    """

    runtime: str
    providers: tuple[str, ...]
    library: bool
    extensions: bool
    reason: str
    nodes: tuple[NodePath, ...]
    scale_inputs: tuple[str, ...] = ()

    def __str__(self) -> str:
        verb = "registered" if self.library else "not registered"
        lines = [
            f"onnxruntime {self.runtime}, {', '.join(self.providers)}",
            f"sr_ops library {verb}: {self.reason}",
        ]
        for node in self.nodes:
            lines.append(
                f"  {node.graph}/{node.node}: {node.op_type} ({node.dtype or 'type unknown'}) -> "
                f"{node.path}: {node.reason}"
            )
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class _Node:
    proto: onnx.NodeProto
    graph: str
    elem_type: int | None


def explain_model(
    model: onnx.ModelProto,
    runtime: str,
    providers: Sequence[str],
    walked: Iterable[Scope] | None = None,
) -> Explanation:
    """Decide for a model, an ONNX Runtime version and providers in order of preference.

    Args:
        model: its structure; weights are not looked at.
        runtime: version of ONNX Runtime.
        providers: execution providers, in order of preference.
        walked: the model's scopes, if the caller has walked them already.
    """
    ours, resizes = _upscaling_nodes(model, walked)
    functions = {f.name for f in model.functions if f.domain == DOMAIN}
    library, reason = _decide(ours, functions, runtime, providers)
    nodes = [_path_of(node, library, functions, reason) for node in ours]
    nodes += [_path_of_resize(node, PROVIDER in providers) for node in resizes]
    domains = {opset.domain for opset in model.opset_import}
    return Explanation(
        runtime,
        tuple(providers),
        library,
        bool(domains & EXTENSION_DOMAINS),
        reason,
        tuple(nodes),
        tuple(scale_inputs(model.graph)),
    )


def explain_ort_format(runtime: str, providers: Sequence[str]) -> Explanation:
    """For a file of ONNX Runtime's own format, whose nodes only the runtime can read.

    Its functions were written out when it was made, unless the library was registered then: so it
    is registered wherever it can be.
    """
    library, reason = True, "the nodes of an .ort file cannot be read; it may need the library"
    if _version(runtime) < OLDEST_RUNTIME:
        library, reason = False, f"it needs onnxruntime 1.17 or newer, this is {runtime}"
    else:
        try:
            get_library_path()
        except LibraryLoadError as error:
            library, reason = False, str(error)
    return Explanation(runtime, tuple(providers), library, False, reason, ())


def _decide(
    nodes: Sequence[_Node], functions: set[str], runtime: str, providers: Sequence[str]
) -> tuple[bool, str]:
    """Whether to register the library, and why."""
    if not nodes:
        return False, f"the model has no node of domain {DOMAIN}"
    if _version(runtime) < OLDEST_RUNTIME:
        return False, f"it needs onnxruntime 1.17 or newer, this is {runtime}"
    try:
        get_library_path()
    except LibraryLoadError as error:
        return False, str(error)
    for node in nodes:
        if node.elem_type is not None and node.elem_type not in _LIBRARY_TYPES:
            return False, f"it has no kernel for {_type_name(node.elem_type)}"
    carried = {node.proto.op_type for node in nodes} <= functions
    if carried and providers and providers[0] in DEVICE_PROVIDERS:
        if providers[0] == "CUDAExecutionProvider" and _has_cuda():
            if _version(runtime) >= OLDEST_RUNTIME_WITH_CUDA:
                return True, "it covers every node of the model, on the GPU"
            return False, f"on the GPU it needs onnxruntime 1.18 or newer, this is {runtime}"
        return False, (
            f"it computes on the CPU, and {providers[0]} would have to copy every image there and "
            "back; the model's function runs on the device"
        )
    return True, "it covers every node of the model"


def _has_cuda() -> bool:
    """Whether the library holds kernels for NVIDIA's GPUs."""
    try:
        return bool(native_info()["cuda_targets"])
    except LibraryLoadError:
        return False


def _path_of(node: _Node, library: bool, functions: set[str], reason: str) -> NodePath:
    if library:
        return NodePath(*_identity(node), "library", "the sr_ops kernel")
    if node.proto.op_type in functions:
        why = f"the library is not registered: {reason}"
        return NodePath(*_identity(node), "function", why)
    why = f"the model carries no function for it, and the library is not registered: {reason}"
    return NodePath(*_identity(node), "none", why)


def _path_of_resize(node: _Node, provider: bool) -> NodePath:
    if not provider:
        why = (
            'a standard Resize; make_session(…, accelerate="provider") runs it in our kernel, and '
            "sr_ops.onnx.accelerate turns it into our operator"
        )
        return NodePath(*_identity(node), "runtime", why)
    refused = refusal(node.proto, node.elem_type)
    if refused is not None:
        why = f"the execution provider leaves it alone: {refused}"
        return NodePath(*_identity(node), "runtime", why)
    return NodePath(*_identity(node), "provider", "the sr_ops kernel, by the execution provider")


def confirmed(explanation: Explanation, taken: Collection[str]) -> Explanation:
    """After a session has told which nodes the execution provider has.

    ``taken``: their names, empty where they have none. Inside a function the call's comes before.
    """
    why = "by the session's own account, another provider has it, or nobody has to run it"

    def path(node: NodePath) -> NodePath:
        if node.path != "provider" or any(not t or t.endswith(node.node) for t in taken):
            return node
        return dataclasses.replace(node, path="runtime", reason=why)

    return dataclasses.replace(explanation, nodes=tuple(map(path, explanation.nodes)))


def _identity(node: _Node) -> tuple[str, str, str, str | None]:
    name = node.proto.name or (node.proto.output[0] if node.proto.output else "")
    dtype = None if node.elem_type is None else _type_name(node.elem_type)
    return name, node.proto.op_type, node.graph, dtype


def _type_name(elem_type: int) -> str:
    name = str(onnx.TensorProto.DataType.Name(elem_type)).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _upscaling_nodes(
    model: onnx.ModelProto, walked: Iterable[Scope] | None
) -> tuple[list[_Node], list[_Node]]:
    """Our nodes and the cubic Resize nodes of a model, wherever they are, with their types."""
    try:
        found = list(_typed_nodes(scopes(model) if walked is None else walked))
    except (InferenceError, ValidationError, RuntimeError, ValueError):
        # onnx refuses a model that the runtime may yet run: then without types.
        found = list(_untyped_nodes(model.graph.node, "graph"))
        for function in model.functions:
            if function.domain != DOMAIN:
                found += _untyped_nodes(function.node, f"function {function.name}")
    distinct = {(n.graph, tuple(n.proto.output), n.elem_type): n for n in found}.values()
    ours = [n for n in distinct if is_operator(n.proto)]
    return ours, [n for n in distinct if is_cubic_resize(n.proto)]


def _typed_nodes(walked: Iterable[Scope]) -> Iterator[_Node]:
    for scope in walked:
        if scope.function is not None and scope.function.domain == DOMAIN:
            continue  # the inside of an operator of ours
        for node in scope.nodes:
            elem_type = tensor_dtype(scope.types, node.input[0]) if node.input else None
            yield _Node(node, scope.path, elem_type)


def _untyped_nodes(nodes: Iterable[onnx.NodeProto], path: str) -> Iterator[_Node]:
    for node in nodes:
        yield _Node(node, path, None)
        for attribute in node.attribute:
            inner = f"{path}/{node.name or node.op_type}:{attribute.name}"
            for graph in (attribute.g, *attribute.graphs):
                yield from _untyped_nodes(graph.node, inner)

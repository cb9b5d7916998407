"""Models that do not hold together: every tool raises a ModelError that names the fault."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import sr_ops
from sr_ops.errors import FileError, ModelError, SrOpsError


def _standard() -> onnx.ModelProto:
    """A cubic Resize with constant scales, a convolution, an If."""
    return onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> '
        "graph (float[1,3,8,9] x, bool c) => (float[N,C,h,w] y) "
        "<float[4] s = {1, 1, 2, 2}, float[3,3,1,1] w = {1, 0, 0, 0, 1, 0, 0, 0, 1}> "
        '{ a = Conv(x, w) b = Resize<mode = "cubic", cubic_coeff_a = -0.5>(a, , s) '
        "y = If(c) <then_branch = t () => (float[N,C,h,w] u) { u = Relu(b) }, "
        "else_branch = e () => (float[N,C,h,w] v) { v = Neg(b) }> }"
    )


def _ours() -> onnx.ModelProto:
    return sr_ops.onnx.accelerate(_standard())


def _part(model: onnx.ModelProto) -> onnx.ModelProto:
    return sr_ops.onnx.extract(model, ["x"], ["b"])


TOOLS: dict[str, Callable[[onnx.ModelProto], Any]] = {
    "inspect": lambda m: str(sr_ops.onnx.inspect(m)),
    "svg": lambda m: sr_ops.onnx.inspect(m).svg(),
    "explain": sr_ops.onnx.explain,
    "make_session": sr_ops.onnx.make_session,
    "accelerate": sr_ops.onnx.accelerate,
    "standardize": sr_ops.onnx.standardize,
    "make_dynamic": sr_ops.onnx.make_dynamic,
    "extract": _part,
    "expose": lambda m: sr_ops.onnx.expose(m, ["b"]),
    "add_functions": sr_ops.onnx.add_functions,
}


def _weight(model: onnx.ModelProto, **fields: Any) -> onnx.ModelProto:
    tensor = next(t for t in model.graph.initializer if t.name == "w")
    array = numpy_helper.to_array(tensor)
    tensor.CopyFrom(numpy_helper.from_array(array, "w"))
    for name, value in fields.items():
        if isinstance(value, list):
            del getattr(tensor, name)[:]
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)
    return model


def _external(**entries: str) -> Callable[[onnx.ModelProto], onnx.ModelProto]:
    def corrupt(model: onnx.ModelProto) -> onnx.ModelProto:
        tensor = next(t for t in model.graph.initializer if t.name == "w")
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
        return model

    return corrupt


def _segmented(model: onnx.ModelProto) -> onnx.ModelProto:
    next(t for t in model.graph.initializer if t.name == "w").segment.begin = 1
    return model


def _nested(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    for _ in range(80):
        graph = graph.node.add(op_type="If").attribute.add(name="then_branch", type=5).g
    return model


def _bad_sparse() -> onnx.SparseTensorProto:
    values = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
    indices = TensorProto(data_type=TensorProto.INT64, dims=[-1])
    return onnx.SparseTensorProto(values=values, indices=indices, dims=[3])


def _sparse(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.sparse_initializer.append(_bad_sparse())
    return model


def _sparse_attribute(model: onnx.ModelProto) -> onnx.ModelProto:
    attribute = model.graph.node.add(op_type="Constant", name="odd", output=["o"]).attribute.add()
    attribute.name, attribute.type = "several", onnx.AttributeProto.SPARSE_TENSORS
    attribute.sparse_tensors.append(_bad_sparse())
    return model


UNSOUND: dict[str, tuple[Callable[[onnx.ModelProto], onnx.ModelProto], str]] = {
    "data too short": (lambda m: _weight(m, raw_data=b"123"), "'w'.* takes 36 bytes, and has 3"),
    "negative extent": (lambda m: _weight(m, dims=[-3, 3, 1, 1]), r"'w' has the extents \[-3"),
    "absurd extents": (lambda m: _weight(m, dims=[2**62, 2**62]), "'w' has the extents"),
    "no such type": (lambda m: _weight(m, data_type=99), "'w' has element type 99"),
    "undefined type": (lambda m: _weight(m, data_type=0), "'w' has element type 0"),
    "too few numbers": (
        lambda m: _weight(m, raw_data=b"", dims=[2]),
        "'w' with the extents",
    ),
    "data outside": (_external(location="../../etc/passwd"), r"'w' has its data in '\.\./"),
    "data at the root": (_external(location="/etc/passwd"), "'w' has its data in '/etc"),
    "bad offset": (_external(location="w.bin", offset="-4"), "'w' has its data at offset '-4'"),
    "huge offset": (_external(location="w.bin", offset="9" * 30), "'w' has its data at offset"),
    "bad length": (_external(location="w.bin", length="7"), "'w'.* have the length 7"),
    "NUL in a name": (lambda m: _renamed(m, "a\0b"), "a name with a NUL in it: 'a.x00b'"),
    "in segments": (_segmented, "'w' is stored in segments, which nothing reads"),
    "too deep": (_nested, "its graphs are nested more than"),
    "sparse": (_sparse, "has the extents .-1., which no tensor can have"),
    "sparse attribute": (_sparse_attribute, "attribute 'several' of node 'odd' has"),
}


def _renamed(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    model.graph.node[0].name = name
    return model


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("fault", UNSOUND)
def test_every_tool_names_the_fault(tool, fault):
    corrupt, message = UNSOUND[fault]
    with pytest.raises(ModelError, match=message):
        TOOLS[tool](corrupt(_ours() if tool in ("standardize", "add_functions") else _standard()))


@pytest.mark.parametrize("tool", ["inspect", "accelerate", "make_dynamic", "make_session"])
def test_names_that_are_not_utf8(tool, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(
        _renamed(_standard(), "@@@@").SerializeToString().replace(b"@@@@", b"\xff\xfe\xfd\xfc")
    )
    with pytest.raises(ModelError, match="a node has a name that is not UTF-8"):
        getattr(sr_ops.onnx, tool)(path)


@pytest.mark.parametrize("tool", ["accelerate", "make_session"])
@pytest.mark.parametrize(
    ("size", "message"),
    [(None, r"cannot read the weights of 'w'|w\.bin"), (8, r"end at byte 36 of .* 8")],
)
def test_files_beside_the_model(tool, size, message, tmp_path):
    model = _external(location="w.bin")(_standard())
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    if size is not None:
        (tmp_path / "w.bin").write_bytes(bytes(size))
    with pytest.raises(ModelError, match=message):
        getattr(sr_ops.onnx, tool)(tmp_path / "model.onnx")


@pytest.mark.parametrize("tool", ["inspect", "accelerate", "make_session"])
def test_a_path_with_nul(tool):
    with pytest.raises(FileError, match="null"):
        getattr(sr_ops.onnx, tool)("a\0b.onnx")


def _messages(message: Any) -> list[Any]:
    """A message and all that it holds."""
    found = [message]
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in value if hasattr(value, "__len__") else [value]:
                found += _messages(item)
    return found


def _values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.text(max_size=8)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=8)
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return st.floats(width=32)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return st.sampled_from([value.number for value in field.enum_type.values])
    bits = 63 if field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64) else 31
    smallest = 0 if field.type == FieldDescriptor.TYPE_UINT64 else -(2**bits)
    small = st.integers(max(smallest, -2), 20)
    return small | st.integers(smallest, 2**bits - 1)


@st.composite
def _corrupted(draw: Any, make: Callable[[], onnx.ModelProto], kinds: tuple[type, ...]) -> Any:
    """A model with one to three scalar fields of tensors, nodes and the like changed or cleared."""
    model = make()
    messages = [m for m in _messages(model) if isinstance(m, kinds)]
    for _ in range(draw(st.integers(1, 3))):
        message = draw(st.sampled_from(messages))
        fields = [f for f in message.DESCRIPTOR.fields if f.type != FieldDescriptor.TYPE_MESSAGE]
        field = draw(st.sampled_from(fields))
        value = draw(_values(field))
        present = getattr(message, field.name)
        if hasattr(present, "append"):
            if len(present) and draw(st.booleans()):
                present[draw(st.integers(0, len(present) - 1))] = value
            elif len(present) and draw(st.booleans()):
                present.pop()
            else:
                present.append(value)
        elif draw(st.booleans()):
            setattr(message, field.name, value)
        else:
            message.ClearField(field.name)
    return model


_KINDS = (
    onnx.TensorProto,
    onnx.NodeProto,
    onnx.AttributeProto,
    onnx.ValueInfoProto,
    onnx.TypeProto.Tensor,
    onnx.TensorShapeProto.Dimension,
    onnx.OperatorSetIdProto,
    onnx.ModelProto,
    onnx.FunctionProto,
)


@pytest.mark.parametrize("make", [_standard, _ours])
@pytest.mark.parametrize("tool", [t for t in TOOLS if t not in ("svg", "make_session")])
def test_any_field_of_any_message(tool, make):
    """Whatever is in the fields: a result, or an error of ours."""

    @settings(
        max_examples=60, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_corrupted(make, _KINDS))
    def check(model: onnx.ModelProto) -> None:
        with contextlib.suppress(SrOpsError):
            TOOLS[tool](model)

    check()


def _doubling_functions(levels: int) -> onnx.ModelProto:
    """Each function calls the next one twice."""
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)]
    functions = []
    for level in range(levels):
        inner = "Relu" if level == levels - 1 else f"F{level + 1}"
        domain = "" if level == levels - 1 else "local"
        nodes = [
            helper.make_node(inner, ["x"], ["a"], domain=domain),
            helper.make_node(inner, ["a"], ["y"], domain=domain),
        ]
        functions.append(helper.make_function("local", f"F{level}", ["x"], ["y"], nodes, imports))
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("F0", ["x"], ["y"], domain="local")],
        "doubling", [info("x", 1, [1, 3, 8, 8])], [info("y", 1, None)],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=8)


@pytest.mark.parametrize("tool", ["inspect", "accelerate", "make_dynamic", "make_session"])
@pytest.mark.parametrize("levels", [24, 17])  # 17: ONNX Runtime takes minutes
def test_functions_that_call_the_next_twice(tool, levels):
    start = time.process_time()
    with pytest.raises(ModelError, match=rf"so often that it has {2 ** (levels + 1) - 1} nodes"):
        getattr(sr_ops.onnx, tool)(_doubling_functions(levels))
    assert time.process_time() - start < 5


def test_a_few_functions_that_are_called_often():
    """As many times as a large model of layers has them: more is looked at where more is stored."""
    model = _doubling_functions(1)
    for i in range(400):
        model.graph.node.add().CopyFrom(helper.make_node("F0", ["x"], [f"a{i}"], domain="local"))
    body = model.functions[0].node
    body.extend([helper.make_node("Relu", ["x"], [f"r{i}"]) for i in range(50)])
    assert sr_ops.onnx.inspect(model).operators["F0"] == 401  # 20,000 nodes, of 450


def test_functions_that_call_the_next_twice_a_few_times():
    start = time.process_time()
    inspection = sr_ops.onnx.inspect(_doubling_functions(10))
    assert inspection.operators["Relu"] == 2
    assert time.process_time() - start < 5


def test_a_function_that_calls_itself():
    model = _doubling_functions(3)
    model.functions[2].node[0].op_type, model.functions[2].node[0].domain = "F0", "local"
    with pytest.raises(ModelError, match=r"function local::F\d calls itself"):
        sr_ops.onnx.inspect(model)


def _chain(length: int) -> onnx.ModelProto:
    info, node = helper.make_tensor_value_info, helper.make_node
    nodes = [node("Constant", [], ["s"], value_floats=[1.0, 1.0, 1.0, 1.0])]
    for i in range(length):
        nodes.append(node("DynamicUpscale", [f"v{i}", "s"], [f"v{i + 1}"], domain="sr_ops"))
    graph = helper.make_graph(
        nodes,
        "chain",
        [info("v0", 1, [1, 3, "h", "w"])],
        [info(f"v{length}", 1, [1, 3, None, None])],
    )
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


@pytest.mark.parametrize("tool", ["inspect", "standardize"])
def test_time_grows_with_the_number_of_nodes(tool):
    """Ten times the nodes take ten times the processor time, not a hundred times."""
    function = getattr(sr_ops.onnx, tool)

    def seconds(length: int) -> float:
        model = _chain(length)
        start = time.process_time()
        function(model)
        return time.process_time() - start

    seconds(10)
    few, many = min(seconds(300) for _ in range(3)), seconds(3000)
    assert many < 50 * few, (few, many)  # 100 where time grows with the square


def test_ort_format(tmp_path, rng):
    """ONNX Runtime's own format: sessions open it, the other tools say why not."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "model.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    model = sr_ops.onnx.accelerate(_standard())
    x, c = rng.random((1, 3, 8, 9), dtype=np.float32), np.array(True)
    want = sr_ops.onnx.make_session(model, sess_options=options).run(None, {"x": x, "c": c})
    session = sr_ops.onnx.make_session(tmp_path / "model.ort")
    np.testing.assert_array_equal(session.run(None, {"x": x, "c": c})[0], want[0])
    assert "cannot be read" in sr_ops.onnx.explain(session).reason
    with pytest.raises(ModelError, match=r"ONNX Runtime's own format, which only .*make_session"):
        sr_ops.onnx.inspect(tmp_path / "model.ort")


def test_loop_body(rng):
    """An operator in the body of a Loop runs in the library and in the function."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> '
        "graph (int64 n, float[N,C,H,W] x) => (float[A,B,D,E] y) "
        "<bool yes = {1}, float[4] s = {1, 1, 2, 2}> "
        "{ y = Loop(n, yes, x) <body = b (int64 i, bool more, float[N2,C2,H2,W2] a) => "
        '(bool go, float[P,Q,R,S] z) { go = Identity(more) z = Resize<mode = "cubic">(a, , s) }> }'
    )
    import onnxruntime

    x = rng.random((1, 2, 5, 6), dtype=np.float32)
    feeds = {"n": np.array(2), "x": x}
    ours = sr_ops.onnx.accelerate(model)
    session = sr_ops.onnx.make_session(ours)
    assert [node.path for node in sr_ops.onnx.explain(session).nodes] == ["library"]
    want = sr_ops.numpy.dynamic_upscale(sr_ops.numpy.dynamic_upscale(x, 2), 2)
    np.testing.assert_array_equal(session.run(None, feeds)[0], want)
    stock = onnxruntime.InferenceSession(
        ours.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_allclose(stock.run(None, feeds)[0], want, atol=1e-5)

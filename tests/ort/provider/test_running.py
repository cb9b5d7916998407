"""The provider in all kinds of sessions: graphs within graphs, options, threads, mistakes."""

from __future__ import annotations

import gc
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from cases import assert_same_bits
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from provider_sessions import (
    PROVIDER,
    devices,
    provider_session,
    quiet_options,
    register,
    stock_session,
    taken,
)

import sr_ops

X = np.random.default_rng(1).random((1, 3, 20, 31), dtype=np.float32)
TWICE = sr_ops.numpy.dynamic_upscale(X, 2)


def parse(body, *, inputs="float[1,3,20,31] x", opset=18, extra=""):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}, "own": 1]> '
        f"graph ({inputs}) => (float[a,b,c,d] y) "
        f"<float[4] s = {{1, 1, 2, 2}}> {{ {body} }} {extra}"
    )


RESIZE = 'Resize<mode = "cubic">'
PLAIN = parse(f"y = {RESIZE}(x, , s)")


def branch(name, **attributes):
    node = helper.make_node("Resize", ["x", "", "s"], [f"y_{name}"], mode="cubic", **attributes)
    output = helper.make_tensor_value_info(f"y_{name}", TensorProto.FLOAT, None)
    return helper.make_graph([node], name, [], [output])


def inside_if():
    model = parse(f"y = {RESIZE}(x, , s)", inputs="float[1,3,20,31] x, bool condition")
    del model.graph.node[:]
    branches = {
        "then_branch": branch("then"),
        "else_branch": branch("else", cubic_coeff_a=-0.5),
    }
    model.graph.node.append(helper.make_node("If", ["condition"], ["y"], **branches))
    return model


def test_both_branches_of_an_if():
    session = provider_session(inside_if())
    assert taken(session) == ["Resize", "Resize"]
    y = session.run(None, {"x": X, "condition": np.array(True)})[0]
    assert_same_bits(y, TWICE, "then")
    y = session.run(None, {"x": X, "condition": np.array(False)})[0]
    assert_same_bits(y, sr_ops.numpy.dynamic_upscale(X, 2, cubic_coeff_a=-0.5), "else")


def test_the_body_of_a_loop():
    """Three times twice as large: the image is of another size in each turn."""
    body = onnx.parser.parse_graph(
        "body (int64 i, bool condition, float[a,b,c,d] image) "
        "=> (bool go_on, float[e,f,g,h] larger) "
        f"{{ go_on = Identity(condition) larger = {RESIZE}(image, , s) }}"
    )
    model = parse(f"y = {RESIZE}(x, , s)")
    del model.graph.node[:]
    model.graph.initializer.append(helper.make_tensor("three", TensorProto.INT64, [], [3]))
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4))
    model.graph.node.append(helper.make_node("Loop", ["three", "", "x"], ["y"], body=body))
    session = provider_session(model)
    assert taken(session) == ["Resize"]
    want = X
    for _ in range(3):
        want = sr_ops.numpy.dynamic_upscale(want, 2)
    assert_same_bits(session.run(None, {"x": X})[0], want, "loop")


def test_a_model_local_function_whose_attribute_comes_from_the_call():
    model = parse(
        "y = own.zoom<a: float = -0.5>(x, s)",
        extra=(
            '<domain: "own", opset_import: ["": 18]> zoom<a>(x, s) => (y) '
            '{ y = Resize<mode = "cubic", cubic_coeff_a: float = @a>(x, , s) }'
        ),
    )
    session = provider_session(model)
    assert taken(session) == ["Resize"]
    want = sr_ops.numpy.dynamic_upscale(X, 2, cubic_coeff_a=-0.5)
    assert_same_bits(session.run(None, {"x": X})[0], want, "function")


@pytest.mark.parametrize(
    "attributes",
    [
        'mode = "nearest"',
        'mode = "linear"',
        'mode = "cubic", coordinate_transformation_mode = "tf_crop_and_resize"',
        'mode = "cubic", exclude_outside = 7',
    ],
)
def test_other_nodes_stay_with_the_cpu(attributes):
    roi = "r" if "crop" in attributes else ""
    body = (
        f"r = Constant<value_floats = [0.0, 0.0, 0.1, 0.1, 1.0, 1.0, 0.9, 0.9]>() "
        f"y = Resize<{attributes}>(x, {roi}, s)"
    )
    session = provider_session(parse(body))
    assert taken(session) == []
    stock = stock_session(parse(body)).run(None, {"x": X})[0]
    assert_same_bits(session.run(None, {"x": X})[0], stock, attributes)


def test_a_policy_about_the_aspect_ratio_stays_with_the_cpu():
    body = (
        "z = Constant<value_ints = [1, 3, 40, 40]>() "
        'y = Resize<mode = "cubic", keep_aspect_ratio_policy = "not_larger">(x, , , z)'
    )
    session = provider_session(parse(body))
    assert taken(session) == []
    stock = stock_session(parse(body)).run(None, {"x": X})[0]
    assert_same_bits(session.run(None, {"x": X})[0], stock, "policy")


def test_integers_of_more_bits_stay_with_the_cpu():
    model = parse(f"i = Cast<to = 6>(x) z = {RESIZE}(i, , s) y = Cast<to = 1>(z)")
    model.opset_import[0].version = 11
    with pytest.raises(Exception, match="Resize"):  # which has no such kernel, either
        provider_session(model)


@pytest.mark.parametrize("by", ["name", "device", "policy"])
def test_however_the_provider_is_chosen(by):
    session = provider_session(PLAIN, by=by)
    assert taken(session) == ["Resize"]
    assert session.get_providers()[0] == PROVIDER
    assert_same_bits(session.run(None, {"x": X})[0], TWICE, by)


LEVELS = onnxruntime.GraphOptimizationLevel


def conv_model():
    rng = np.random.default_rng(2)
    weights = rng.standard_normal((3, 3, 3, 3)).astype(np.float32)
    model = parse(
        f"a = Conv<pads = [1,1,1,1]>(x, w) b = {RESIZE}(a, , s) c = Relu(b) y = Conv(c, w)"
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    return model


@pytest.mark.parametrize(
    "level",
    [
        LEVELS.ORT_DISABLE_ALL,
        LEVELS.ORT_ENABLE_BASIC,
        LEVELS.ORT_ENABLE_EXTENDED,
        LEVELS.ORT_ENABLE_ALL,
    ],
)
@pytest.mark.parametrize("pattern", [False, True])
def test_options_of_the_session(level, pattern):
    options = quiet_options()
    options.graph_optimization_level = level
    options.enable_mem_pattern = pattern
    options.enable_cpu_mem_arena = pattern
    session = provider_session(conv_model(), options)
    assert taken(session) == ["Resize"]
    want = stock_session(conv_model()).run(None, {"x": X})[0]
    for _ in range(3):
        np.testing.assert_allclose(session.run(None, {"x": X})[0], want, atol=2e-4)


@pytest.mark.parametrize("suffix", [".onnx", ".ort"])
def test_an_optimised_model_that_was_saved(tmp_path, suffix):
    """Saved with the provider and opened without it, and the other way about."""
    feeds = {"x": X}
    want = stock_session(conv_model()).run(None, feeds)[0]
    ours = provider_session(conv_model()).run(None, feeds)[0]
    for saves, opens in ((True, True), (True, False), (False, True)):
        path = tmp_path / f"saved_{saves}{suffix}"
        options = quiet_options()
        options.optimized_model_filepath = str(path)
        # layouts of one kind of processor do not belong into a file
        options.graph_optimization_level = LEVELS.ORT_ENABLE_EXTENDED
        if suffix == ".ort":
            options.add_session_config_entry("session.save_model_format", "ORT")
        if saves:
            provider_session(conv_model(), options)
        else:
            onnxruntime.InferenceSession(
                conv_model().SerializeToString(), options, ["CPUExecutionProvider"]
            )
        if opens:
            options = quiet_options()
            options.enable_profiling = True
            options.profile_file_prefix = str(tmp_path / "profile")
            session = provider_session(path, options)
            np.testing.assert_allclose(session.run(None, feeds)[0], ours, atol=1e-5)
            events = json.loads(Path(session.end_profiling()).read_text())
            where = {
                e["args"]["op_name"]: e["args"]["provider"]
                for e in events
                if "args" in e and "provider" in e["args"]
            }
            assert where["Resize"] == PROVIDER
            assert where["Conv"] == "CPUExecutionProvider"
        else:
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            np.testing.assert_allclose(session.run(None, feeds)[0], want, atol=1e-5)


def test_the_session_has_its_threads_do_the_work(tmp_path):
    """Same bits on any number; one thread means one."""
    for threads in (1, 2, 3, 8):
        session = provider_session(PLAIN, threads=threads)
        for _ in range(3):
            assert_same_bits(session.run(None, {"x": X})[0], TWICE, threads)


def test_thirty_two_threads_share_a_session():
    model = parse(f"y = {RESIZE}(x, , f)", inputs="float[1,3,20,31] x, float[4] f")
    session = provider_session(model, threads=2)
    factors = [np.array([1, 1, f, f], np.float32) for f in (0.5, 1.1, 2, 2.7)]
    want = [sr_ops.numpy.dynamic_upscale(X, float(f[2])) for f in factors]

    def once(i):
        y = session.run(None, {"x": X, "f": factors[i % 4]})[0]
        assert_same_bits(y, want[i % 4], i)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(once, range(128)))


def test_thirty_two_threads_open_sessions():
    with ThreadPoolExecutor(32) as pool:
        for y in pool.map(
            lambda _: provider_session(PLAIN, threads=1).run(None, {"x": X})[0], range(64)
        ):
            assert_same_bits(y, TWICE, "")


def test_buffers_of_the_caller():
    session = provider_session(PLAIN)
    y = np.full(TWICE.shape, np.nan, np.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(X))
    binding.bind_ortvalue_output("y", output := onnxruntime.OrtValue.ortvalue_from_numpy(y))
    session.run_with_iobinding(binding)
    assert_same_bits(output.numpy(), TWICE, "binding")


def computed(request, opset=18):
    """Scales and sizes that come from other nodes."""
    prefix = "h = Shape(x) k = Constant<value_ints = [1, 1, 2, 2]>() z = Mul(h, k) "
    if request == "sizes":
        return parse(prefix + f"y = {RESIZE}(x, , , z)", opset=opset)
    body = "a = Cast<to = 1>(z) b = Cast<to = 1>(h) f = Div(a, b) "
    return parse(prefix + body + f"y = {RESIZE}(x, , f)", opset=opset)


@pytest.mark.parametrize("request_", ["scales", "sizes"])
@pytest.mark.parametrize("opset", [13, 18, 19, 22])
def test_a_computed_request_and_images_of_any_size(request_, opset):
    model = computed(request_, opset)
    model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])
    )
    session = provider_session(model)
    assert taken(session) == ["Resize"]
    for shape in ((1, 3, 20, 31), (2, 3, 7, 5), (1, 3, 1, 1)):
        x = np.random.default_rng(shape[2]).random(shape, dtype=np.float32)
        assert_same_bits(session.run(None, {"x": x})[0], sr_ops.numpy.dynamic_upscale(x, 2), shape)


FED = parse(f"y = {RESIZE}(x, , f)", inputs="float[n,c,h,w] x, float[k] f")
FED_SIZES = parse(f"y = {RESIZE}(x, , , f)", inputs="float[n,c,h,w] x, int64[4] f")


def test_bad_requests_leave_the_session_alive():
    session = provider_session(FED)
    nan, inf = float("nan"), float("inf")
    for factors, message in (
        ([1, 1, 0, 2], "height factor is 0"),
        ([1, 1, 2, -3], "width factor is -3"),
        ([1, 1, nan, 2], "nan, expected a finite number > 0"),
        ([1, 1, inf, 2], "inf, expected a finite number > 0"),
        ([2, 2, 2, 2], "every scale before them must be 1"),
        ([2, 2], "got 2 elements, expected 4"),
        ([1, 1, 1, 2, 2], "got 5 elements, expected 4"),
        ([], "neither is given"),
        ([1, 1, 1e6, 1e6], "more than 2^40 elements"),
        ([1, 1, 1e30, 1e30], "more than 2^40 elements"),
    ):
        with pytest.raises(ort_errors.InvalidArgument, match=message.replace("^", r"\^")):
            session.run(None, {"x": X, "f": np.array(factors, np.float32)})
    good = session.run(None, {"x": X, "f": np.array([1, 1, 2, 2], np.float32)})[0]
    assert_same_bits(good, TWICE, "after all that")


def test_bad_sizes_leave_the_session_alive():
    session = provider_session(FED_SIZES)
    for sizes, message in (
        ([1, 3, 0, 7], "expected a height and a width > 0"),
        ([1, 3, -4, 7], "expected a height and a width > 0"),
        ([2, 4, 40, 62], "every size before them must be X's own"),
        ([1, 3, 2**62, 2**62], "more than 2\\^40 elements"),
    ):
        with pytest.raises(ort_errors.InvalidArgument, match=message):
            session.run(None, {"x": X, "f": np.array(sizes)})
    assert_same_bits(session.run(None, {"x": X, "f": np.array([1, 3, 40, 62])})[0], TWICE, "")


def test_both_and_neither_of_the_requests():
    inputs = "float[n,c,h,w] x, float[k] f, int64[m] z"
    both = parse(f"y = {RESIZE}(x, f, f, z)", inputs=inputs, opset=11)
    for value in both.graph.input:  # else it is held against them
        value.type.tensor_type.ClearField("shape")
    session = provider_session(both)
    factors, sizes = np.array([1, 1, 2, 2], np.float32), np.array([1, 3, 40, 62])
    empty, none = np.zeros(0, np.float32), np.zeros(0, np.int64)
    assert_same_bits(session.run(None, {"x": X, "f": factors, "z": none})[0], TWICE, "scales")
    assert_same_bits(session.run(None, {"x": X, "f": empty, "z": sizes})[0], TWICE, "sizes")
    for f, z, message in ((factors, sizes, "both are given"), (empty, none, "neither is given")):
        with pytest.raises(ort_errors.InvalidArgument, match=message):
            session.run(None, {"x": X, "f": f, "z": z})


@pytest.mark.parametrize("rank", [1, 5])
def test_ranks_that_nobody_takes(rank):
    model = parse(f"y = {RESIZE}(x, , f)", inputs="float x, float[k] f")
    model.graph.input[0].type.tensor_type.ClearField("shape")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = provider_session(model)
    with pytest.raises(ort_errors.InvalidArgument, match=f"got {rank} axes"):
        session.run(None, {"x": np.ones((2,) * rank, np.float32), "f": np.ones(rank, np.float32)})


@pytest.mark.parametrize(
    ("shape", "factors"),
    [
        ((0, 3, 5, 5), (1, 1, 2, 2)),
        ((1, 0, 5, 5), (1, 1, 2, 2)),
        ((1, 3, 0, 5), (1, 1, 2, 2)),
        ((1, 3, 5, 5), (1, 1, 0.1, 2)),
    ],
)
def test_empty_tensors_as_the_runtime_itself_has_them(shape, factors):
    feeds = {"x": np.ones(shape, np.float32), "f": np.array(factors, np.float32)}
    want = stock_session(FED).run(None, feeds)[0]
    assert 0 in want.shape
    assert_same_bits(provider_session(FED).run(None, feeds)[0], want, shape)


def test_constants_that_nobody_takes_fail_when_they_are_run():
    """A branch that is never taken does no harm."""
    model = inside_if()
    del model.graph.initializer[:]
    model.graph.initializer.append(helper.make_tensor("s", TensorProto.FLOAT, [4], [3, 3, 2, 2]))
    (then,) = (item.g for item in model.graph.node[0].attribute if item.name == "then_branch")
    node = then.node[0]
    del node.input[:]
    node.input.extend(["x", "", "t"])
    model.graph.initializer.append(helper.make_tensor("t", TensorProto.FLOAT, [4], [1, 1, 2, 2]))
    session = provider_session(model)
    assert taken(session) == ["Resize", "Resize"]
    assert_same_bits(session.run(None, {"x": X, "condition": np.array(True)})[0], TWICE, "then")
    with pytest.raises(ort_errors.InvalidArgument, match="every scale before them must be 1"):
        session.run(None, {"x": X, "condition": np.array(False)})


def test_sessions_outlive_the_registration():
    """The library is taken away while a session is open, and given again."""
    register()
    session = provider_session(PLAIN)
    onnxruntime.unregister_execution_provider_library(PROVIDER)
    assert devices() == []
    assert_same_bits(session.run(None, {"x": X})[0], TWICE, "unregistered")
    for _ in range(20):
        register()
        other = provider_session(PLAIN)
        assert_same_bits(other.run(None, {"x": X})[0], TWICE, "again")
        del other
        onnxruntime.unregister_execution_provider_library(PROVIDER)
    assert_same_bits(session.run(None, {"x": X})[0], TWICE, "still")
    del session
    gc.collect()
    register()


def test_one_library_under_two_names():
    """Two devices; a session that is made by the provider's name works all the same."""
    register()
    onnxruntime.register_execution_provider_library("another", sr_ops.get_library_path())
    try:
        assert len(devices()) == 2
        session = provider_session(PLAIN)
        assert taken(session) == ["Resize"]
        assert_same_bits(session.run(None, {"x": X})[0], TWICE, "two")
    finally:
        onnxruntime.unregister_execution_provider_library("another")
    assert len(devices()) == 1
    assert_same_bits(provider_session(PLAIN).run(None, {"x": X})[0], TWICE, "one")


def test_next_to_onnxruntime_extensions():
    import cv2
    import onnxruntime_extensions

    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18, "com.microsoft.extensions": 1]> '
        "graph (uint8[n] file) => (uint8[a,b,c] y) <float[3] s = {1, 2, 2}> "
        '{ hwc = com.microsoft.extensions.DecodeImage<color_space = "bgr">(file) '
        f"chw = Transpose<perm = [2, 0, 1]>(hwc) y = {RESIZE}(chw, , s) }}"
    )
    options = quiet_options()
    options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
    session = provider_session(model, options)
    assert taken(session) == ["Resize"]
    picture = np.random.default_rng(2).integers(0, 256, (20, 30, 3), np.uint8)
    (y,) = session.run(None, {"file": cv2.imencode(".png", picture)[1].reshape(-1)})
    want = sr_ops.numpy.dynamic_upscale(picture, 2, layout="HWC").transpose(2, 0, 1)
    assert_same_bits(y, want, "picture")


@pytest.fixture
def device_provider(tmp_path):
    """A provider that stands in for a device's: it claims before us, and not all that we would.

    The library under another name, and without one of the coordinate modes.
    """
    name = b"StandInDeviceProvider0"
    library = Path(sr_ops.get_library_path()).read_bytes()
    for word, other in ((PROVIDER.encode(), name), (b"asymmetric", b"asymmetriC")):
        assert library.count(word) == 1 and len(word) == len(other)
        library = library.replace(word, other)
    path = tmp_path / "device.so"
    path.write_bytes(library)
    onnxruntime.register_execution_provider_library("device", str(path))
    yield name.decode()
    onnxruntime.unregister_execution_provider_library("device")


def test_next_to_a_device_that_claims_before_it(device_provider):
    """What the device takes stays there, what it leaves is ours, and the values are the same."""
    register()
    model = parse(
        f"twice = {RESIZE}(x, , s) "
        'y = Resize<mode = "cubic", coordinate_transformation_mode = "asymmetric">(twice, , s)'
    )
    by_name = {device.ep_name: device for device in onnxruntime.get_ep_devices()}
    want = sr_ops.numpy.dynamic_upscale(TWICE, 2, coordinate_transformation_mode="asymmetric")
    for order, ours in (((device_provider, PROVIDER), 1), ((PROVIDER, device_provider), 2)):
        options = quiet_options()
        for name in order:
            options.add_provider_for_devices([by_name[name]], {})
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        assert session.get_providers()[:2] == list(order)
        assert taken(session) == ["Resize"] * ours
        assert_same_bits(session.run(None, {"x": X})[0], want, str(order))

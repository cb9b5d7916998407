"""register_provider, make_session, explain, bench and the command line around the provider."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pytest
from cases import assert_same_bits
from provider_sessions import PROVIDER, devices

import sr_ops
from sr_ops import _libraries, cli, doctor, errors
from sr_ops.onnx import bench, explain, make_session, register_provider

X = np.random.default_rng(1).random((1, 3, 20, 31), dtype=np.float32)


def parse(body, *, inputs="float[1,3,h,w] x", outputs="float[a,b,c,d] y"):
    return onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> '
        f"graph ({inputs}) => ({outputs}) <float[4] s = {{1, 1, 2, 2}}> {{ {body} }}"
    )


PLAIN = parse('y = Resize<mode = "cubic">(x, , s)')
TWICE = sr_ops.numpy.dynamic_upscale(X, 2)


def test_registering_again_and_from_many_threads():
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: register_provider(), range(64))) == {PROVIDER}
    assert len(devices()) == 1
    session = onnxruntime.InferenceSession(
        PLAIN.SerializeToString(), providers=[register_provider(), "CPUExecutionProvider"]
    )
    assert_same_bits(session.run(None, {"x": X})[0], TWICE, "by name")


@pytest.mark.parametrize("form", ["path", "bytes", "proto"])
def test_make_session_does_it_all(form, tmp_path):
    model = {"bytes": PLAIN.SerializeToString(), "proto": PLAIN}.get(form, tmp_path / "m.onnx")
    onnx.save(PLAIN, tmp_path / "m.onnx")
    session = make_session(model, accelerate="provider")
    assert_same_bits(session.run(None, {"x": X})[0], TWICE, form)
    assert [node.path for node in explain(session).nodes] == ["provider"]
    assert explain(model, accelerate="provider") == explain(session)
    assert [node.path for node in explain(model).nodes] == ["runtime"]
    assert "-> provider: the sr_ops kernel" in str(explain(session))


def test_both_kinds_of_nodes():
    model = parse('a = sr_ops.DynamicUpscale(x, s) y = Resize<mode = "cubic">(a, , s)')
    session = make_session(model, accelerate="provider")
    assert [node.path for node in explain(session).nodes] == ["library", "provider"]
    want = sr_ops.numpy.dynamic_upscale(TWICE, 2)
    assert_same_bits(session.run(None, {"x": X})[0], want, "both")


def test_the_name_among_the_providers_is_enough():
    register_provider()
    session = make_session(PLAIN, providers=[PROVIDER, "CPUExecutionProvider"])
    assert [node.path for node in explain(session).nodes] == ["provider"]


def test_the_provider_comes_before_the_cpu_and_after_devices():
    from sr_ops.onnx.running.provider import with_provider

    cuda, cpu = "CUDAExecutionProvider", "CPUExecutionProvider"
    assert with_provider([cuda, cpu]) == [cuda, PROVIDER, cpu]
    assert with_provider([(cuda, {"device_id": 0}), cpu])[1] == PROVIDER
    assert with_provider([cuda]) == [cuda, PROVIDER]
    assert with_provider([PROVIDER, cuda]) == [PROVIDER, cuda]


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ('coordinate_transformation_mode = "tf_crop_and_resize"', "tf_crop_and_resize is not one"),
        ("exclude_outside = 7", "exclude_outside is 7, neither 0 nor 1"),
        ("antialias = 3", "antialias is 3, neither 0 nor 1"),
    ],
)
def test_what_it_leaves_and_why(attributes, reason):
    """The account given beforehand is the one that the session gives."""
    body = (
        "r = Constant<value_floats = [0.0, 0.0, 0.1, 0.1, 1.0, 1.0, 0.9, 0.9]>() "
        f'y = Resize<mode = "cubic", {attributes}>(x, r, s)'
    )
    session = make_session(parse(body), accelerate="provider")
    (node,) = explain(session).nodes
    assert node.path == "runtime"
    assert reason in node.reason
    assert explain(parse(body), accelerate="provider") == explain(session)


def test_a_node_that_was_folded_away_is_not_the_providers():
    model = parse(
        "c = ConstantOfShape(n) y = Resize<mode = 'cubic'>(c, , s)".replace("'", '"'),
        inputs="float[1] unused",
    )
    model.graph.node[1].name = "folded"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 1, 4, 4]), "n"))
    (node,) = explain(make_session(model, accelerate="provider")).nodes
    assert node.path == "runtime"
    assert "by the session's own account" in node.reason


def test_another_value_of_accelerate_is_refused():
    with pytest.raises(errors.InvalidArgumentError, match='expected "provider" or None'):
        make_session(PLAIN, accelerate="fast")
    with pytest.raises(errors.InvalidArgumentError, match='expected "provider" or None'):
        explain(PLAIN, accelerate="fast")


def test_an_older_runtime_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(onnxruntime, "__version__", "1.23.2")
    for call in (register_provider, lambda: make_session(PLAIN, accelerate="provider")):
        with pytest.raises(errors.LibraryLoadError) as raised:
            call()
        for part in ("1.24 or newer, this is 1.23.2", "pip install --upgrade", "accelerate"):
            assert part in str(raised.value)


def test_1_24_goes_by_devices(monkeypatch):
    """Which the installed release does as well."""
    register_provider()
    monkeypatch.setattr(onnxruntime, "__version__", "1.24.4")
    model = parse('a = sr_ops.DynamicUpscale(x, s) y = Resize<mode = "cubic">(a, , s)')
    session = make_session(model, accelerate="provider")
    assert [node.path for node in explain(session).nodes] == ["library", "provider"]
    want = sr_ops.numpy.dynamic_upscale(TWICE, 2)
    assert_same_bits(session.run(None, {"x": X})[0], want, "device")
    others = ["AzureExecutionProvider", "CPUExecutionProvider"]
    with pytest.raises(errors.InvalidArgumentError, match=r"beside CPUExecutionProvider only"):
        make_session(PLAIN, accelerate="provider", providers=others)


def test_no_library(monkeypatch, tmp_path):
    monkeypatch.setattr(_libraries, "_PACKAGE", str(tmp_path))
    with pytest.raises(errors.LibraryLoadError, match="does not exist"):
        register_provider()


def test_make_session_does_not_warn(tmp_path):
    """Of nodes that stay with the CPU, which is what everybody expects here."""
    body = 'a = Relu(x) b = Resize<mode = "cubic">(a, , s) y = Conv(b, w)'
    model = parse(body, inputs="float[1,3,h,w] x, float[3,3,3,3] w")
    onnx.save(model, tmp_path / "m.onnx")
    script = "import sr_ops\nsr_ops.onnx.make_session('m.onnx', accelerate='provider')\n"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_bench_compares():
    result = bench(
        parse('a = Relu(x) y = Resize<mode = "cubic">(a, , s)'), size=(24, 31), seconds=0
    )
    assert [node.path for node in result.nodes] == ["provider"]
    assert result.inputs == {"x": "float32 [1, 3, 24, 31]"}
    assert len(result.ours) == len(result.stock) == 3
    difference, largest = result.differences["y"]
    assert 0 <= difference < 1e-5 < largest
    assert result.ratio == min(result.stock) / min(result.ours)
    assert "times as fast" in str(result)
    json.dumps(result.as_dict())


def test_bench_runs_what_onnxruntime_alone_cannot():
    model = parse(
        'y = Resize<mode = "cubic">(x, , s)', inputs="uint8[1,3,h,w] x", outputs="uint8[a,b,c,d] y"
    )
    result = bench(model, size=(24, 31), threads=1, seconds=0)
    assert result.stock is None and result.ratio is None and result.differences == {}
    assert "onnxruntime alone cannot run it" in str(result)


def test_bench_says_where_nothing_moves():
    result = bench(parse("y = Relu(x)"), size=(24, 31), seconds=0)
    assert "no node has moved to sr_ops" in str(result)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"threads": 0}, "threads: got 0"),
        ({"size": (0, 4)}, "size: got"),
        ({"seconds": -1}, "seconds: got -1"),
        ({"seconds": float("nan")}, "seconds: got nan"),
    ],
)
def test_bench_refuses(keywords, message):
    with pytest.raises(errors.InvalidArgumentError, match=message):
        bench(PLAIN, **keywords)


def test_bench_without_an_example():
    model = parse("y = Identity(x)", inputs="string[n] x", outputs="string[m] y")
    with pytest.raises(errors.ModelError, match="bench: no example can be made up for input 'x'"):
        bench(model)


def test_the_command(tmp_path, capsys):
    path = tmp_path / "m.onnx"
    onnx.save(PLAIN, path)
    before = path.read_bytes()
    assert cli.main(["bench", str(path), "--size", "20,31", "--seconds", "0"]) == 0
    out = capsys.readouterr().out
    assert "-> provider" in out and "onnxruntime alone" in out and "largest difference" in out
    arguments = [
        "bench",
        str(path),
        "--size",
        "20,31",
        "--seconds",
        "0",
        "--threads",
        "1",
        "--json",
    ]
    assert cli.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["ratio"] > 0
    assert path.read_bytes() == before
    assert cli.main(["bench", str(path), "--size", "20"]) == 2
    assert "expected height,width, as in 480,640" in capsys.readouterr().err
    assert cli.main(["bench", str(tmp_path / "none.onnx")]) == 2


def test_the_doctor_tries_it():
    (finding,) = [f for f in doctor.examine() if f.name == "execution provider"]
    assert finding.state == "ok", finding
    assert "the bits of the numpy front end" in finding.detail

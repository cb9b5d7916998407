"""Whether a model counts to 1 or to 255, from the numbers at both of its ends."""

import onnx
import pytest

from sr_ops.errors import FileError
from sr_ops.imaging.white import find_white


def model(body, kind="float"):
    return onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> '
        f"graph ({kind}[1,3,H,W] x) => ({kind}[1,3,h,w] y) "
        "<float big = {255}, float small = {0.003921569}, float one = {1}, float zero = {0}, "
        "float[1,3,1,1] mean = {114.4, 111.5, 103.0}, float[1,3,1,1] unit = {0.44, 0.43, 0.4}> "
        f"{{ {body} }}"
    )


@pytest.mark.parametrize(
    ("body", "integers", "white"),
    [
        ("y = Relu(x)", False, (1, 1)),
        ("a = Div(x, big) y = Relu(a)", False, (255, 1)),
        ("a = Mul(x, small) b = Relu(a) y = Mul(b, big)", False, (255, 255)),
        ("a = Identity(x) b = Sub(a, mean) y = Relu(b)", False, (255, 255)),
        ("a = Sub(x, unit) y = Relu(a)", False, (1, 1)),
        ("a = Relu(x) y = Add(a, mean)", False, (1, 255)),
        ("a = Relu(x) b = Add(a, unit) y = Identity(b)", False, (1, 1)),
        ("a = Relu(x) y = Clip(a, zero, big)", False, (1, 255)),
        ("a = Relu(x) y = Clip(a, zero, one)", False, (1, 1)),
        ("a = Relu(x) b = Clip(a) y = Mul(b, big)", False, (1, 255)),
        ("a = Relu(x) y = Mul(a, small)", False, (1, 1)),
        ("a = Relu(x) b = Relu(x) y = Add(a, b)", False, (1, 1)),
        ("a = Cast<to = 1>(x) b = Relu(a) y = Cast<to = 2>(b)", True, (1, 255)),
        ("a = Cast<to = 1>(x) b = Div(a, big) y = Cast<to = 2>(b)", True, (255, 1)),
        ("d = Constant<value = float {255}>() a = Div(x, d) y = Relu(a)", False, (255, 1)),
    ],
)
def test_ends_that_say_it(body, integers, white):
    kind = "uint8" if integers else "float"
    assert find_white(model(body, kind), "x", "y", integers) == white


def test_a_limit_that_is_an_attribute():
    """As before opset 11."""
    for limit in (1.0, 255.0):
        old = onnx.parser.parse_model(
            '<ir_version: 6, opset_import: ["": 10]> '
            "graph (float[1,3,H,W] x) => (float[1,3,h,w] y) "
            f"{{ a = Relu(x) y = Clip<min = 0.0, max = {limit}>(a) }}"
        )
        assert find_white(old, "x", "y", False) == (1, limit)


def test_files(tmp_path):
    onnx.save(model("a = Div(x, big) y = Relu(a)"), tmp_path / "a.onnx")
    assert find_white(tmp_path / "a.onnx", "x", "y", False) == (255, 1)
    assert find_white(tmp_path / "a.ort", "x", "y", False) == (1, 1)  # without a graph to look at
    with pytest.raises(FileError, match=r"none\.onnx"):
        find_white(tmp_path / "none.onnx", "x", "y", False)

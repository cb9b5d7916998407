"""ONNX itself: what a trace keeps, what a file says of its shapes, how graphs are made and cut.

python examples/python/tutorial_onnx.py [folder]
"""

import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

import sr_ops
from sr_ops.models import ESPCN

OLD = {"dynamo": False, "opset_version": 18, "input_names": ["x"], "output_names": ["y"]}


class Powers(torch.nn.Module):
    """Multiplies as often as its input is long."""

    def forward(self, x):
        y = torch.ones_like(x)
        for _ in range(x.shape[0]):
            y = y * x
        return y


class Clipped(torch.nn.Module):
    """Leaves the clamping of a picture to the file: in training it would stop gradients."""

    def forward(self, x):
        return torch.clamp(x * 2, 0, 1) if torch.onnx.is_in_onnx_export() else x * 2


def export(model, x, path, **keywords):
    warnings.simplefilter("ignore")
    torch.onnx.export(model, (x,), path, **OLD, **keywords)
    return onnx.load(path)


def nodes(model):
    return ", ".join(f"{n} {op}" for op, n in Counter(n.op_type for n in model.graph.node).items())


def run(model, **feeds):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)


def main(folder: Path) -> None:
    print("1. A trace unrolls a loop as often as the example runs it; a script keeps it.")
    three, five = torch.full((3,), 2.0), np.full(5, 2, np.float32)
    for name, model in (("trace", Powers()), ("script", torch.jit.script(Powers()))):
        made = export(model, three, folder / f"{name}.onnx", dynamic_axes={"x": [0]})
        print(f"   {name}: {nodes(made)}; 2 to the fifth is {run(made, x=five)[0][0]:g}")
    print("2. dynamic_axes: nothing, a list of axes, or names for them.")
    net, x = ESPCN(2, features=(4, 4, 4)).eval(), torch.rand(1, 1, 8, 8)
    names = {0: "batch", 2: "height", 3: "width"}
    for given in ({}, {"x": [0, 2, 3]}, {"x": names}):
        print(f"   {given}: ", end="")  # the exporter makes a dict of a list, in place
        made = export(net, x, folder / "net.onnx", dynamic_axes=given)
        dims = made.graph.input[0].type.tensor_type.shape.dim
        print([dim.dim_param or dim.dim_value for dim in dims])
    print("3. is_in_onnx_export: what only the file shall do.")
    (clipped,) = run(export(Clipped(), x, folder / "clipped.onnx"), x=x.numpy())
    print(f"   torch gives up to {Clipped()(x).max():.2f}, the file {clipped.max():g}")
    print("4. A model from onnx.helper: y = a x + b; onnx's checker reads what was written.")
    a = numpy_helper.from_array(np.float32([3]), "a")
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in ("x", "b", "y")]
    mul = helper.make_node("Mul", ["a", "x"], ["ax"])
    add = helper.make_node("Add", ["ax", "b"], ["y"])
    graph = helper.make_graph([mul, add], "line", values[:2], values[2:], [a])
    line = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(line, full_check=True)
    (y,) = run(line, x=np.float32([1, 2]), b=np.float32([10, 20]))
    print(f"   3 * [1, 2] + [10, 20] = {y}")
    graph.node[0].input[0] = "nobody"
    try:
        onnx.checker.check_model(helper.make_model(graph))
    except onnx.checker.ValidationError as error:
        print(f"   the checker: {str(error)[:90].strip()}")
    print("5. A part of a model, and inner values as outputs: to find where two runtimes part.")
    made = export(net, x, folder / "net.onnx", dynamic_axes={"x": names})
    inner = [node.output[0] for node in made.graph.node if node.op_type == "Relu"]
    seen = run(sr_ops.onnx.expose(made, inner), x=x.numpy())
    print("   outputs:", *(value.shape for value in seen))
    head = sr_ops.onnx.extract(made, ["x"], inner[:1])
    difference = run(head, x=x.numpy())[0] - torch.relu(net.conv1(x)).detach().numpy()
    print(f"   the first layer alone: {nodes(head)}; {np.abs(difference).max():.0e} from torch")
    (folder / "net.svg").write_text(sr_ops.onnx.inspect(made).svg())
    print(f"6. The graph drawn: {folder / 'net.svg'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))

"""A child process of test_encoded.py: gives every file of a folder to DecodeImage."""

import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

import sr_ops.onnx


def decoder():
    """A session of nothing but the operator."""
    node = helper.make_node(
        "DecodeImage", ["bytes"], ["image"], domain="com.microsoft.extensions", color_space="rgb"
    )
    graph = helper.make_graph(
        [node],
        "decode",
        [helper.make_tensor_value_info("bytes", TensorProto.UINT8, ["n"])],
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["H", "W", "C"])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft.extensions", 1)]
    return sr_ops.onnx.make_session(helper.make_model(graph, opset_imports=opsets, ir_version=8))


def main(folder):
    session, files = decoder(), list(Path(folder).iterdir())
    for file in files:
        try:
            session.run(None, {"bytes": np.fromfile(file, np.uint8)})
        except Exception as error:  # the runtime's own exceptions have no common base but this
            print(f"{file}: {error}", file=sys.stderr)
    print(f"{len(files)} files")


if __name__ == "__main__":
    main(sys.argv[1])

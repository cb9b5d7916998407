"""How one runtime gets along with each way to write the operator; prints the result as JSON.

    python check_flavours.py RUNTIME FOLDER

RUNTIME: onnxruntime, openvino, tract or onnx (its ReferenceEvaluator). FOLDER: what flavours.py
wrote. Needs that runtime and numpy and nothing else. For each flavour: the cases in which it is
wrong, or why it does not run; and the least time of the last case, in ms.
"""

import importlib.metadata
import json
import re
import sys
import time
from pathlib import Path

import numpy as np

RUNS = 3


def onnxruntime(path, image, scales):
    """One thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": image, "scales": scales})[0]


def openvino(path, image, scales):
    """One thread, in float32."""
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    model = core.compile_model(core.read_model(path), "CPU", settings)
    return lambda: model([image, scales])[0]


def tract(path, image, scales):
    """The image's shape has to be told."""
    import tract

    model = tract.onnx().load(path)
    for position, array in enumerate((image, scales)):
        model.set_input_fact(position, ",".join(map(str, array.shape)) + ",f32")
    runnable = model.into_model().into_runnable()

    def run():
        return runnable.run([image, scales])[0].to_numpy()

    return run


def onnx(path, image, scales):
    """In numpy, slowly."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(path))
    return lambda: evaluator.run(None, {"x": image, "scales": scales})[0]


RUNTIMES = {run.__name__: run for run in (onnxruntime, openvino, tract, onnx)}


def check(runtime, folder):
    """The report."""
    report = {"name": runtime, "version": importlib.metadata.version(runtime), "flavours": {}}
    cases = json.loads((folder / "flavours.json").read_text())
    for flavour in cases["flavours"]:
        found = {"wrong": {}, "fails": {}, "ms": None}
        report["flavours"][flavour] = found
        for case in cases["cases"]:
            if runtime == "onnx" and case == cases["timed"]:
                continue  # a specification; minutes
            try:
                run, fault = opened(RUNTIMES[runtime], folder, flavour, case)
            except BaseException as error:  # a runtime may panic with an exception of its own kind
                found["fails"][case] = re.sub(r"\s+", " ", str(error))[:200]
                continue
            if fault:
                found["wrong"][case] = fault
            if case == cases["timed"]:
                found["ms"] = least_time(run)
    return report


def opened(prepare, folder, flavour, case):
    """What runs one case, and what is wrong with its result."""
    with np.load(folder / f"{case}.npz") as data:
        image, scales, expected = data["x"], data["scales"], data["expected"]
    run = prepare(folder / f"{case}-{flavour}.onnx", image, scales)
    result = run()
    if result.shape != expected.shape:
        return run, f"shape {list(result.shape)}"
    off = float(np.abs(result - expected).max())
    return run, "" if off <= 1e-4 else f"off by {off:.2g}"


def least_time(run):
    """In ms of processor time: other work on the machine counts less."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


if __name__ == "__main__":
    print(json.dumps(check(sys.argv[1], Path(sys.argv[2]))))

"""Run each way to write the operator in several runtimes; write the table of docs/onnx.md.

    python scripts/runtime_matrix/flavours.py [RUNTIME ...]

Each runtime gets an environment of its own in build/matrix, with numpy and nothing else;
onnxruntime-web needs Node.js and npm. A RUNTIME is a name and a version, as in openvino-2026.4.1;
without arguments all of them, and the table is written.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

import sr_ops

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "matrix"
PAGE = ROOT / "docs" / "onnx.md"
BEGIN, END = "<!-- runtimes:begin -->", "<!-- runtimes:end -->"

HEADER = """\
| runtime | function | `op="Resize"` | `op="MatMul"` |
| --- | --- | --- | --- |
"""

RUNTIMES = (
    "onnxruntime-1.17.3",
    "onnxruntime-1.31.1",
    "onnxruntime-web-1.30.0",
    "openvino-2026.4.1",
    "tract-0.23.9",
    "onnx-1.23.2",
)
FLAVOURS = ("DynamicUpscale", "Resize", "MatMul")
TIMED = "256 to 768"
#: Case -> height and width of the image, scales, attributes.
CASES: dict[str, tuple[tuple[int, int], tuple[float, float], dict[str, Any]]] = {
    "enlarge": ((40, 50), (2.7, 2.7), {}),
    "shrink": ((40, 50), (0.6, 0.6), {}),
    "antialias": ((40, 50), (0.4, 0.6), {"antialias": 1}),
    "exclude_outside": ((40, 50), (0.6, 1.5), {"exclude_outside": 1}),
    **{
        mode: ((40, 50), (1.5, 2.25), {"coordinate_transformation_mode": mode})
        for mode in ("half_pixel_symmetric", "align_corners", "asymmetric")
    },
    TIMED: ((256, 256), (3.0, 3.0), {}),
}


def main(runtimes: list[str]) -> int:
    """Check each runtime; print the table, and write it if it is whole."""
    folder = FOLDER / "flavours"
    write_cases(folder)
    table = HEADER
    for runtime in runtimes or RUNTIMES:
        print(f"{runtime} ...", flush=True)
        report = _report(runtime, folder)
        print(json.dumps(report), flush=True)
        cells = [_cell(report["flavours"][flavour]) for flavour in FLAVOURS]
        table += f"| {report['name']} {report['version']} | {' | '.join(cells)} |\n"
    print(table)
    if not runtimes:
        text = PAGE.read_text()
        before, rest = text.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{table}{END}{rest.split(END)[1]}")
    return 0


def write_cases(folder: Path) -> None:
    """A model for each case and flavour, its arrays, and flavours.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    arrays = {}
    for case, ((height, width), scale, attributes) in CASES.items():
        image = rng.random((1, 3, height, width), np.float32)
        keywords = {k: bool(v) if isinstance(v, int) else v for k, v in attributes.items()}
        given = {
            "x": image,
            "scales": np.array([1, 1, *scale], np.float32),
            "expected": sr_ops.numpy.dynamic_upscale(image, scale, **keywords),
        }
        np.savez(folder / f"{case}.npz", **given)  # type: ignore[arg-type]
        arrays[case] = {
            name: {"dims": list(array.shape), "data": array.ravel().tolist()}
            for name, array in given.items()
        }
        model = _model(attributes)
        for flavour in FLAVOURS:
            written = model
            if flavour != "DynamicUpscale":
                written = sr_ops.onnx.standardize(model, op=flavour)
            onnx.save(written, folder / f"{case}-{flavour}.onnx")
    content = {"flavours": FLAVOURS, "cases": list(CASES), "timed": TIMED, "arrays": arrays}
    (folder / "flavours.json").write_text(json.dumps(content))


def _model(attributes: dict[str, Any]) -> onnx.ModelProto:
    """One node, with its function."""
    node = helper.make_node("DynamicUpscale", ["x", "scales"], ["y"], domain="sr_ops", **attributes)
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["N", 3, "H", "W"]), ("scales", [4]), ("y", ["N", 3, "h", "w"]))
    ]
    graph = helper.make_graph([node], "graph", values[:2], values[2:])
    opsets = [helper.make_opsetid("", 19), helper.make_opsetid("sr_ops", 1)]
    return sr_ops.onnx.add_functions(helper.make_model(graph, opset_imports=opsets, ir_version=8))


def _report(runtime: str, folder: Path) -> dict[str, Any]:
    name, _, version = runtime.rpartition("-")
    here = Path(__file__).parent
    if name == "onnxruntime-web":
        cwd = _node_environment(version)
        command = ["node", str(here / "flavours.mjs"), str(folder)]
    else:
        cwd = folder
        command = [str(_environment(name, version)), str(here / "check_flavours.py")]
        command += [name, str(folder)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{runtime}: the check died:\n{done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def _environment(name: str, version: str) -> Path:
    """The interpreter of an environment with this runtime; made once. run.py makes the same."""
    folder = FOLDER / (version if name == "onnxruntime" else f"{name}-{version}")
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        old = name == "onnxruntime" and tuple(map(int, version.split(".")[:2])) < (1, 19)
        packages = [f"{name}=={version}", "numpy<2" if old else "numpy"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "complete").touch()
    return python


def _node_environment(version: str) -> Path:
    folder = FOLDER / f"web-{version}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]
        subprocess.run([*install, f"onnxruntime-web@{version}"], check=True)
        (folder / "complete").touch()
    return folder


def _cell(found: dict[str, Any]) -> str:
    """As in "right, 12 ms" or "wrong: antialias (off by 0.5); 12 ms"."""
    parts = []
    if found["wrong"]:
        parts.append("**wrong**: " + ", ".join(f"{k} ({v})" for k, v in found["wrong"].items()))
    if len(found["fails"]) == len(CASES):
        return "refused"
    if found["fails"]:
        parts.append("refused: " + ", ".join(found["fails"]))
    if not parts:
        parts.append("right")
    if found["ms"] is not None:
        parts.append(f"{float(format(found['ms'], '.3g')):g} ms")
    return "; ".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

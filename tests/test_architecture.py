"""The layers and the public names, as the design has them."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sr_ops
from sr_ops import errors

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "csrc"
PACKAGE = Path(sr_ops.__file__).resolve().parent
FRONT_ENDS = ("numpy", "ort", "sdk", "tensorrt", "torch", "wasm")
_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)

#: What each part of csrc may include besides itself and the C++ standard library.
_ALLOWED = {
    "core": ("hwy/", "cuda", "pthread.h", "intrin.h", "immintrin.h"),
    "threads": ("pthread.h", "xmmintrin.h", "dlfcn.h", "unistd.h", "sys/syscall.h"),
    "numpy": ("core/", "threads/", "pybind11/"),
    "ort": ("core/", "threads/", "sr_ops/ort.h", "onnxruntime_c_api.h"),
    "sdk": ("core/", "threads/", "sr_ops/core.h"),
    "tensorrt": ("core/", "cuda_runtime_api.h", "NvInferRuntime.h"),
    "torch": ("core/", "threads/", "torch/", "dlfcn.h"),
    "wasm": ("threads/", "sr_ops/core.h"),
}


def _sources(folder: str) -> list[Path]:
    endings = {".h", ".cpp", ".cu", ".cuh", ".in"}
    return [path for path in sorted((NATIVE / folder).rglob("*")) if path.suffix in endings]


def _is_standard(header: str) -> bool:
    return "/" not in header and "." not in header


@pytest.mark.parametrize("part", ["core", "threads", *FRONT_ENDS])
def test_native_parts_include_only_what_lies_below_them(part: str) -> None:
    files = _sources(part)
    assert files, f"csrc/{part} is empty"
    allowed = (f"{part}/", *_ALLOWED[part])
    for path in files:
        for header in _INCLUDE.findall(path.read_text()):
            assert _is_standard(header) or header.startswith(allowed), f"{path}: {header}"


def test_core_asks_nobody_for_threads() -> None:
    """Threads come from the front end: the core only says how many tiles there are."""
    for path in _sources("core"):
        text = path.read_text()
        assert not re.search(r"#\s*include\s*<(thread|future|condition_variable)>", text), path


def _modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def _imports(path: Path) -> set[str]:
    """Absolute names of all modules that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _assert_imports_nothing_of(part: str, *prefixes: str) -> None:
    for path in _modules(PACKAGE / part):
        for name in _imports(path):
            for prefix in prefixes:
                assert not (name == prefix or name.startswith(prefix + ".")), f"{path}: {name}"


def test_onnx_and_imaging_do_not_know_each_other() -> None:
    _assert_imports_nothing_of("onnx", "sr_ops.imaging", "sr_ops.cli")
    # The pipeline opens sessions through the public function; the insides are onnx's own.
    for path in _modules(PACKAGE / "imaging"):
        inside = {name for name in _imports(path) if name.startswith("sr_ops.onnx.")}
        public = {f"sr_ops.onnx.{name}" for name in ("dependence", "explain", "make_session")}
        assert inside <= public, path


def _reached(module: str) -> set[str]:
    """The modules of sr_ops that a module imports anywhere in its code, and that those import."""
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        file = (PACKAGE.parent / waiting.pop().replace(".", "/")).with_suffix(".py")
        if file.is_file():
            found = {name for name in _imports(file) if name.startswith("sr_ops.")} - reached
            reached |= found
            waiting.extend(found)
    return reached


def test_torch_knows_of_onnx_only_what_its_exporters_write() -> None:
    """And what they write with knows nothing of torch: no loop leads back."""
    for path in _modules(PACKAGE / "_torch"):
        onnx_side = {name for name in _imports(path) if name.startswith("sr_ops.onnx")}
        assert not onnx_side or path.name.startswith("onnx_"), f"{path}: {onnx_side}"
        for name in onnx_side:
            assert not any(r.startswith("sr_ops._torch") for r in _reached(name)), (path, name)


_ONNX_ROOMS = {
    "graphs": {"graphs", "operators.schema", "operators.kinds"},
    "operators": {"graphs", "operators"},
    "exporting": {"graphs", "operators", "rewriting", "running", "exporting"},
    "running": {"graphs", "operators", "running"},
    "rewriting": {"graphs", "operators", "running", "rewriting"},
    "inspecting": {"graphs", "operators", "running", "inspecting"},
}


@pytest.mark.parametrize("room", _ONNX_ROOMS)
def test_the_rooms_of_onnx_know_only_those_below_them(room: str) -> None:
    for path in _modules(PACKAGE / "onnx" / room):
        for name in _imports(path):
            inside = name.removeprefix("sr_ops.onnx.")
            if inside == name or "." not in inside:
                continue
            room_of, module = inside.split(".")[:2]
            assert {room_of, f"{room_of}.{module}"} & _ONNX_ROOMS[room], f"{path}: {name}"


def test_rooms_of_onnx_and_their_modules_have_plain_names() -> None:
    """A room that is called like a public function would hide it."""
    rooms = {path.name for path in (PACKAGE / "onnx").iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(_ONNX_ROOMS)
    assert not rooms & set(sr_ops.onnx.__all__)
    for room in rooms:
        for path in (PACKAGE / "onnx" / room).glob("*.py"):
            assert path.name == "__init__.py" or not path.name.startswith("_"), path


def test_nothing_but_the_program_imports_the_command_line() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent.name != "cli" and path.name != "__main__.py":
            inside = {name for name in _imports(path) if name.startswith("sr_ops.cli")}
            assert not inside, f"{path}: {inside}"


def test_the_command_line_is_thin() -> None:
    """Options and messages: it opens no file and computes nothing by itself."""
    helpers = {"typer", "rich", "sr_ops", "onnx"}  # onnx: for the type checker
    for path in _modules(PACKAGE / "cli"):
        foreign = {name.partition(".")[0] for name in _imports(path)} - helpers
        assert foreign <= sys.stdlib_module_names, f"{path}: {foreign}"
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"open", "exec", "eval"}, path


def test_io_knows_files_and_colour_alone() -> None:
    """`imaging/io` is below the pipeline: what reads and writes files upscales nothing."""
    modules = ("imaging.io", "imaging.colour", "errors", "_arguments", "_files", "_masked")
    allowed = tuple(f"sr_ops.{module}" for module in modules)
    for path in _modules(PACKAGE / "imaging" / "io"):
        if path.name == "encoded.py":  # runs a model from file to file
            continue
        for name in _imports(path):
            inside = name.startswith("sr_ops.") and name != "sr_ops.imaging"
            assert not inside or name.startswith(allowed), f"{path}: {name}"


def test_the_numpy_front_end_and_the_oracle_need_numpy_alone() -> None:
    for part in ("numpy", "reference", "_arguments", "errors", "_libraries"):
        _assert_imports_nothing_of(part, "torch", "onnx", "onnxruntime", "cv2", "PIL")


def _modules_after(code: str) -> set[str]:
    """What is imported in a fresh interpreter after `code` has run."""
    paths = os.pathsep.join([str(PACKAGE.parent), *(path for path in sys.path if path)])
    result = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(json.loads(result.stdout.rpartition("\n")[2] or result.stdout))


def test_import_is_light() -> None:
    """Fast by construction: itself, and a few modules of the standard library."""
    added = _modules_after("import sr_ops") - _modules_after("")
    foreign = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert foreign == {"sr_ops"}
    assert len(added) <= 20, sorted(added)


_EAGER = "import torch, sr_ops; x = torch.ones(1, 1, 4, 4);"
#: What takes seconds to import, and what only code that is compiled needs.
_COMPILER = {"sympy", "torch._dynamo", "torch.fx.experimental.symbolic_shapes"}


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import sr_ops; sr_ops.get_library_path()", {"torch", "onnx", "onnxruntime", "numpy"}),
        ("import sr_ops; sr_ops.numpy.get_num_threads()", {"torch", "onnx", "onnxruntime"}),
        ("import sr_ops; sr_ops.native_info()", {"torch", "onnx", "onnxruntime"}),
        ("import sr_ops; sr_ops.reference.axis_matrix", {"torch", "onnx", "onnxruntime"}),
        ("import sr_ops; sr_ops.onnx.make_session", {"torch"}),
        ("import sr_ops; sr_ops.dynamic_upscale", {"onnx", "onnxruntime", "onnxscript"}),
        (f"{_EAGER} sr_ops.dynamic_upscale(x, 2.5)", _COMPILER),
        (
            f"{_EAGER} sr_ops.DynamicUpscale(size=(5, 5))(x.requires_grad_()).sum().backward()",
            _COMPILER,
        ),
        (f"{_EAGER} sr_ops.dynamic_upscale(x, torch.tensor(2.5))", _COMPILER),
        (f"{_EAGER} sr_ops.compat.interpolate(x, scale_factor=2, mode='bicubic')", _COMPILER),
        ("import sr_ops; dir(sr_ops)", {"torch", "onnx", "onnxruntime", "numpy"}),
    ],
)
def test_a_name_loads_only_what_it_needs(code: str, absent: set[str]) -> None:
    assert not _modules_after(code) & absent


def test_public_names_exist_and_are_documented() -> None:
    for name in sr_ops.__all__:
        value = getattr(sr_ops, name)
        if name != "__version__":
            assert inspect.getdoc(value), name
    assert set(sr_ops.__all__) <= set(dir(sr_ops))
    settings = ["num_threads", "limits"]
    both = {f"{verb}_{name}" for verb in ("get", "set") for name in settings}
    functions = {"dynamic_upscale", "source_rectangle", "set_flush_denormal"}
    assert set(sr_ops.numpy.__all__) == functions | both
    with pytest.raises(AttributeError, match="has no attribute 'upscale'"):
        _ = sr_ops.upscale


@pytest.mark.parametrize("module", ["errors", "imaging", "models", "numpy", "onnx", "reference"])
def test_every_name_in_all_exists(module: str) -> None:
    namespace = getattr(sr_ops, module)
    for name in namespace.__all__:
        assert inspect.getdoc(getattr(namespace, name)), f"sr_ops.{module}.{name}"


@pytest.mark.parametrize(
    "module", ["imaging", "models", "numpy", "compat", "nn", "onnx", "reference", "doctor"]
)
def test_public_functions_have_an_example(module: str) -> None:
    """Which doctest runs."""
    namespace = importlib.import_module(f"sr_ops.{module}")
    functions = {name: getattr(namespace, name) for name in namespace.__all__}
    functions = {name: value for name, value in functions.items() if inspect.isfunction(value)}
    assert functions
    without = [name for name, value in functions.items() if ">>>" not in inspect.getdoc(value)]
    assert not without


def test_front_ends_take_the_same_keywords() -> None:
    """With the same defaults, in the order of the design."""
    attributes = {
        "coordinate_transformation_mode": "half_pixel",
        "cubic_coeff_a": -0.75,
        "antialias": False,
        "exclude_outside": False,
    }
    for function in (
        sr_ops.dynamic_upscale,
        sr_ops.DynamicUpscale,
        sr_ops.numpy.dynamic_upscale,
        sr_ops.reference.dynamic_upscale,
    ):
        defaults = {
            name: parameter.default
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        assert defaults.items() >= {"scale": None, "size": None, **attributes}.items(), function
        assert [name for name in defaults if name in attributes] == list(attributes), function


def test_errors_form_one_tree_under_builtins() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert errors.SrOpsError in classes
    for error in classes:
        assert issubclass(error, errors.SrOpsError)
        if error is not errors.SrOpsError:
            builtin = error.__bases__[1]
            assert getattr(builtins, builtin.__name__) is builtin
            assert f"{error.__name__} " in errors.__doc__.replace("(", " (").replace("  ", " ")
            assert f"({builtin.__name__})" in errors.__doc__


def _builtin_class(node: ast.expr | None) -> type[BaseException] | None:
    """The builtin exception that an expression names."""
    if isinstance(node, ast.Call):
        node = node.func
    value = getattr(builtins, node.id, None) if isinstance(node, ast.Name) else None
    return value if isinstance(value, type) and issubclass(value, BaseException) else None


def _caught(handler: ast.ExceptHandler) -> list[type[BaseException]]:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [error for error in map(_builtin_class, types) if error]


def _raised_builtins(tree: ast.AST) -> set[str]:
    """Builtin exceptions that a file raises and does not itself catch around the statement.

    But in functions that TorchScript compiles (``…_in_script``): it knows no other exceptions.
    """
    in_script = {
        statement
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name.endswith("_in_script")
        for statement in ast.walk(function)
    }
    caught_there = {
        statement
        for block in ast.walk(tree)
        if isinstance(block, ast.Try)
        for handler in block.handlers
        for part in block.body
        for statement in ast.walk(part)
        if isinstance(statement, ast.Raise)
        and (error := _builtin_class(statement.exc))
        and issubclass(error, tuple(_caught(handler)))
    }
    return {
        error.__name__
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and node not in caught_there | in_script
        and (error := _builtin_class(node.exc))
    }


def test_python_raises_its_own_errors() -> None:
    """Besides them: what the language's protocols ask for."""
    protocol = {"AttributeError", "NotImplementedError", "SystemExit", "KeyboardInterrupt"}
    for path in sorted(PACKAGE.rglob("*.py")):
        foreign = _raised_builtins(ast.parse(path.read_text())) - protocol
        assert not foreign, f"{path.relative_to(PACKAGE)} raises {sorted(foreign)}"


def test_no_source_file_is_long() -> None:
    files = [*PACKAGE.rglob("*.py"), *NATIVE.rglob("*.cpp"), *NATIVE.rglob("*.h")]
    for path in files:
        assert len(path.read_text().splitlines()) < 500, path

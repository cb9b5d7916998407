"""The C++ examples: standalone projects, built against an installed sr_ops, run, and compared."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import installed
import numpy as np
import onnx
import pytest
import torch

import sr_ops
from sr_ops.imaging import read_image, write_image
from sr_ops.models import SRCNN

# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("C++ examples")

EXAMPLES = installed.ROOT / "examples" / "cpp"


def from_prefix() -> str:
    return f"CMAKE_PREFIX_PATH={installed.prefix()}"


def from_package() -> str:
    return f"sr_ops_DIR={sr_ops.get_cmake_dir()}"


def runtime() -> list[str]:
    include = installed.onnxruntime_include_dir()
    return [f"Python_EXECUTABLE={sys.executable}", f"ONNXRUNTIME_INCLUDE_DIR={include}"]


def build(name: str, *definitions: str) -> Path:
    """The example's program; built below build/, so that it is quick the second time."""
    folder = installed.ROOT / "build" / "examples" / f"{name}-{sys.implementation.cache_tag}"
    return installed.build_project(EXAMPLES / name, folder, definitions) / "upscale"


def test_every_example_is_short() -> None:
    for project in EXAMPLES.glob("*/CMakeLists.txt"):
        lines = sum(len(path.read_text().splitlines()) for path in project.parent.iterdir())
        assert lines < 150, f"{project.parent}: {lines} lines"


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> Path:
    folder = tmp_path_factory.mktemp("cpp")
    write_image(folder / "in.png", picture)
    return folder


# The core alone


@pytest.fixture(scope="module", params=[from_prefix, from_package])
def core(request: pytest.FixtureRequest) -> Path:
    return build("core", request.param())


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("scale", [2, 2.7, 0.5])
def test_core(core: Path, folder: Path, picture: np.ndarray, scale: float, threads: int) -> None:
    out = folder / "core.png"
    done = installed.run(core, folder / "in.png", scale, out, threads)
    assert sr_ops.__version__ in done.stdout
    expected = sr_ops.numpy.dynamic_upscale(picture, scale, layout="HWC")
    np.testing.assert_array_equal(read_image(out), expected)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("none.png", "2", "out.png", "1"), "none.png"),
        (("in.png", "-2", "out.png", "1"), "the height factor is -2, expected a finite number"),
        (("in.png", "2", "no/such/out.png", "1"), "no/such/out.png: cannot be written"),
        (("in.png", "2", "out.png", "0"), "threads: got a count of 0"),
    ],
)
def test_core_errors(core: Path, folder: Path, arguments: tuple[str, ...], part: str) -> None:
    done = installed.run(core, *arguments, check=False, cwd=folder)
    assert done.returncode == 2
    assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "out.png").exists()


# ONNX Runtime, the library loaded at run time


@pytest.fixture(scope="module")
def loading() -> Path:
    return build("onnxruntime", *runtime())


@pytest.fixture(scope="module")
def network(folder: Path) -> SRCNN:
    """Exported to model.onnx."""
    torch.manual_seed(0)
    network = SRCNN().eval()
    with torch.no_grad():
        network.conv3.bias.fill_(0.5)  # levels in the middle of the range
    example = (torch.rand(1, 3, 8, 8), torch.tensor([2.0, 2.0]))
    sr_ops.onnx.export(network, example, folder / "model.onnx")
    return network


@pytest.mark.parametrize("library", ["library", "-"])
def test_two_scales_in_one_session(
    loading: Path, folder: Path, network: SRCNN, picture: np.ndarray, library: str
) -> None:
    path = sr_ops.get_library_path() if library == "library" else library
    done = installed.run(
        *(loading, folder / "model.onnx", path, folder / "in.png"),
        *("2", folder / "a.png", "2.7", folder / "b.png"),
    )
    assert "30 x 20 -> 81 x 54" in done.stdout
    for scale, name in ((2, "a.png"), (2.7, "b.png")):
        expected = sr_ops.upscale_image(picture, scale, model=network).astype(int)
        result = read_image(folder / name)
        assert result.shape == expected.shape
        assert np.abs(result - expected).max() <= 1
        assert (result == expected).mean() > 0.99


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({0: "none.onnx"}, "none.onnx"),
        ({1: "none.so"}, "none.so"),
        ({2: "none.png"}, "none.png: cannot be read"),
        ({3: "0"}, "scale"),
        ({3: "nan"}, "scale"),
        ({4: "no/such/out.png"}, "cannot be written"),
        ({4: "out.of_no_kind"}, "cannot be written"),
    ],
)
@pytest.mark.usefixtures("network")
def test_errors_are_told(
    loading: Path, folder: Path, tmp_path: Path, change: dict[int, str], part: str
) -> None:
    arguments = [
        *(folder / "model.onnx", sr_ops.get_library_path(), folder / "in.png"),
        *("2", tmp_path / "out.png"),
    ]
    for position, value in change.items():
        arguments[position] = value
    done = installed.run(loading, *arguments, check=False, cwd=tmp_path)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]  # OpenCV may have warned before
    assert last.startswith("upscale: error: ")
    assert part in last
    assert list(tmp_path.iterdir()) == []


def test_usage(loading: Path) -> None:
    done = installed.run(loading, check=False)
    assert done.returncode == 2
    assert "usage:" in done.stderr


# ONNX Runtime, the operators part of the program


def test_linked_operators(folder: Path, picture: np.ndarray) -> None:
    program = build("onnxruntime_static", *runtime(), from_prefix())
    text = """
    <ir_version: 8, opset_import: ["": 17, "sr_ops": 1]>
    zoom (uint8[C, H, W] X, float[3] scales) => (uint8[C, h, w] Y) {
        Y = sr_ops.DynamicUpscale (X, scales)
    }
    """
    onnx.save(onnx.parser.parse_model(text), folder / "zoom.onnx")
    done = installed.run(
        program, folder / "zoom.onnx", folder / "in.png", "1.9", folder / "linked.png"
    )
    assert "30 x 20 -> 57 x 38" in done.stdout
    expected = sr_ops.numpy.dynamic_upscale(picture, 1.9, layout="HWC")
    np.testing.assert_array_equal(read_image(folder / "linked.png"), expected)
    assert "libsr_ops" not in installed.run("ldd", program).stdout
    failed = installed.run(
        program, folder / "zoom.onnx", folder / "in.png", "-1", folder / "x.png", check=False
    )
    assert failed.returncode == 2
    assert "the height factor is -1" in failed.stderr


# PyTorch


@pytest.fixture(scope="module")
def torch_program() -> Path:
    return build("torch", f"CMAKE_PREFIX_PATH={torch.utils.cmake_prefix_path}")


def torch_library() -> Path:
    return Path(sr_ops.get_library_path()).with_name("libsr_ops_torch.so")


def image() -> torch.Tensor:
    """What the program computes on."""
    ramp = torch.arange(1 * 3 * 20 * 30, dtype=torch.float32).reshape(1, 3, 20, 30)
    return (ramp * 0.05).sin() * 0.5 + 0.5


def mean_in(line: str) -> float:
    found = re.search(r"\(1, 3, 54, 81\), mean ([\d.]+)", line)
    assert found, line
    return float(found[1])


def test_the_operator_in_torch(torch_program: Path) -> None:
    done = installed.run(torch_program, torch_library(), "2.7")
    expected = sr_ops.dynamic_upscale(image(), 2.7).mean().item()
    assert mean_in(done.stdout) == pytest.approx(expected, abs=2e-6)
    distance = re.search(r"torch's bicubic: (\S+)", done.stdout)
    assert distance and 0 <= float(distance[1]) < 1e-4


def test_a_program_compiled_ahead_of_time(torch_program: Path, folder: Path) -> None:
    model = sr_ops.DynamicUpscale()
    height, width = torch.export.Dim("h", min=2), torch.export.Dim("w", min=2)
    program = torch.export.export(
        model, (image(), torch.tensor([2.0])), dynamic_shapes=({2: height, 3: width}, {})
    )
    package = torch._inductor.aoti_compile_and_package(
        program, package_path=os.fspath(folder / "model.pt2")
    )
    done = installed.run(torch_program, torch_library(), "2.7", package)
    expected = model(image(), 2.7).mean().item()
    assert mean_in(done.stdout) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    ("library", "scale", "part"),
    [("", "-1", "the height factor is -1"), ("/no/such.so", "2", "/no/such.so")],
)
def test_torch_errors(torch_program: Path, library: str, scale: str, part: str) -> None:
    done = installed.run(torch_program, library or torch_library(), scale, check=False)
    assert done.returncode == 2
    assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1

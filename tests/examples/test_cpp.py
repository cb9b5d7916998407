"""The C++ example: built with CMake against the installed onnxruntime, run, and compared."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops.imaging import read_image, write_image
from sr_ops.models import SRCNN

ROOT = Path(__file__).parents[2]


def run(*command, **keywords):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **keywords
    )


@pytest.fixture(scope="module")
def program():
    """Built below build/, so that it is quick the second time."""
    folder = ROOT / "build" / "examples" / f"cpp-{sys.implementation.cache_tag}"
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    cmake = shutil.which("cmake", path=path)
    assert cmake, "cmake was not found; it is among the development requirements"
    (folder / "CMakeCache.txt").unlink(missing_ok=True)
    configured = run(
        *(cmake, "-S", ROOT / "examples" / "cpp", "-B", folder, "-D", "CMAKE_BUILD_TYPE=Release"),
        *("-D", f"Python_EXECUTABLE={sys.executable}", *include_directories()),
    )
    assert configured.returncode == 0, configured.stdout + configured.stderr
    built = run(cmake, "--build", folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "upscale"


def include_directories():
    """The headers that this checkout was built with, if they were named or fetched."""
    for cache in [*ROOT.glob("build/CMakeCache.txt"), *ROOT.glob("build/cmake-*/CMakeCache.txt")]:
        for line in cache.read_text().splitlines():
            name, _, value = line.partition("=")
            if name.startswith("SR_OPS_ONNXRUNTIME_INCLUDE_DIR:") and value:
                return ["-D", f"SR_OPS_ONNXRUNTIME_INCLUDE_DIR={value}"]
        fetched = cache.parent / "third_party" / "libonnxruntime-dev"
        if fetched.is_dir():
            return ["-D", f"SR_OPS_ONNXRUNTIME_INCLUDE_DIR={fetched}"]
    return []


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A folder with an exported model and a picture; and the network."""
    folder = tmp_path_factory.mktemp("cpp")
    torch.manual_seed(0)
    network = SRCNN().eval()
    with torch.no_grad():
        network.conv3.bias.fill_(0.5)  # levels in the middle of the range
    example = (torch.rand(1, 3, 8, 8), torch.tensor([2.0, 2.0]))
    sr_ops.onnx.export(network, example, folder / "model.onnx")
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    write_image(folder / "in.png", picture)
    return folder, network, picture


@pytest.mark.parametrize("library", ["library", "-"])
def test_two_scales_in_one_session(program, material, tmp_path, library):
    folder, network, picture = material
    path = sr_ops.get_library_path() if library == "library" else library
    done = run(
        *(program, folder / "model.onnx", path, folder / "in.png"),
        *("2", tmp_path / "a.png", "2.7", tmp_path / "b.png"),
    )
    assert done.returncode == 0, done.stderr
    assert "30 x 20 -> 81 x 54" in done.stdout
    for scale, name in ((2, "a.png"), (2.7, "b.png")):
        expected = sr_ops.upscale_image(picture, scale, model=network).astype(int)
        result = read_image(tmp_path / name)
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
    ],
)
def test_errors_are_one_line(program, material, tmp_path, change, part):
    folder = material[0]
    arguments = [
        *(folder / "model.onnx", sr_ops.get_library_path(), folder / "in.png"),
        *("2", tmp_path / "out.png"),
    ]
    for position, value in change.items():
        arguments[position] = value
    done = run(program, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert part in done.stderr
    assert done.stderr.startswith("upscale: error: ")
    assert list(tmp_path.iterdir()) == []


def test_usage(program):
    done = run(program)
    assert done.returncode == 2
    assert "usage:" in done.stderr

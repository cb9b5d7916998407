"""What is installed is whole: it moves, links four ways, shows its entry points and no more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import installed
import pytest

import sr_ops
from sr_ops.errors import LibraryLoadError

# One process makes what these tests and those of the examples share.
pytestmark = pytest.mark.xdist_group("C++ examples")

#: Through every target: a uint8 pixel of 77 stays 77.
PROGRAM = """
#include <cstdio>
#include {header}
int main() {{
  {body}
}}
"""
USE_CORE = """
  sr_ops_description d = sr_ops_default_description();
  d.dtype = SR_OPS_UINT8;
  for (int64_t& extent : d.shape) extent = 1;
  d.scale_height = d.scale_width = 2;
  const unsigned char x = 77;
  unsigned char y[4] = {};
  const sr_ops_status status = sr_ops_dynamic_upscale(&d, &x, y, nullptr);
  std::printf("%s %s%d\\n", sr_ops_version(), status.message, y[3]);
  return status.code;
"""
USE_ORT = """
  std::printf("%s %d\\n", SR_OPS_VERSION, SrOpsRegisterCustomOps != nullptr ? 77 : 0);
"""
PROJECT = """
cmake_minimum_required(VERSION 3.22)
project(consumer LANGUAGES CXX)
find_package(sr_ops {version} REQUIRED)
foreach(target core core_static ort ort_static)
  string(REGEX REPLACE "_.*" "" source ${{target}})
  add_executable(with_${{target}} ${{source}}.cpp)
  target_link_libraries(with_${{target}} PRIVATE sr_ops::${{target}})
  target_include_directories(with_${{target}} PRIVATE "${{ONNXRUNTIME_INCLUDE_DIR}}")
endforeach()
"""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installation at another place than it was installed to: nothing may remember that."""
    folder = tmp_path_factory.mktemp("moved") / "prefix"
    shutil.copytree(installed.prefix(), folder, symlinks=True)
    return folder


def _write_consumer(folder: Path) -> None:
    version = ".".join(sr_ops.__version__.split(".")[:2])
    (folder / "CMakeLists.txt").write_text(PROJECT.format(version=version))
    for name, body in (("core", USE_CORE), ("ort", USE_ORT)):
        text = PROGRAM.format(header=f"<sr_ops/{name}.h>", body=body)
        (folder / f"{name}.cpp").write_text(text)


@pytest.fixture(scope="module")
def consumer(moved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("consumer")
    _write_consumer(folder)
    include = f"ONNXRUNTIME_INCLUDE_DIR={installed.onnxruntime_include_dir()}"
    return installed.build_project(folder, folder / "b", [f"CMAKE_PREFIX_PATH={moved}", include])


@pytest.mark.parametrize("target", ["core", "core_static", "ort", "ort_static"])
def test_every_target_links_and_runs(consumer: Path, target: str) -> None:
    done = installed.run(consumer / f"with_{target}")
    assert done.stdout == f"{sr_ops.__version__} 77\n"


def test_static_targets_need_nothing_of_ours(consumer: Path) -> None:
    for target in ("core_static", "ort_static"):
        needed = installed.run("ldd", consumer / f"with_{target}").stdout
        assert not re.search(r"sr_ops|hwy", needed), needed


def test_another_interface_version_is_refused(moved: Path, tmp_path: Path) -> None:
    _write_consumer(tmp_path)
    text = (tmp_path / "CMakeLists.txt").read_text()
    (tmp_path / "CMakeLists.txt").write_text(
        re.sub(r"find_package\(sr_ops \S+", "find_package(sr_ops 99.1", text)
    )
    done = installed.run(
        installed.cmake(), "-S", tmp_path, "-B", tmp_path / "b", f"-DCMAKE_PREFIX_PATH={moved}",
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "99.1" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="names of ELF libraries")
def test_names_carry_the_interface_version(moved: Path) -> None:
    for library in ("libsr_ops_core.so", "libsr_ops_ort.so"):
        dynamic = installed.run("readelf", "--dynamic", "--wide", moved / "lib" / library).stdout
        (soname,) = re.findall(r"\(SONAME\).*\[(.+)\]", dynamic)
        assert re.fullmatch(re.escape(library) + r"\.\d+(\.\d+)?", soname)
        assert (moved / "lib" / soname).exists()
        assert "hwy" not in dynamic
        assert not re.search(r"\((RPATH|RUNPATH)\)", dynamic)


@pytest.mark.skipif(sys.platform != "linux", reason="symbols of ELF libraries")
@pytest.mark.parametrize(
    ("library", "shown"),
    [
        ("libsr_ops_core.so", r"sr_ops_[a-z_]+"),
        ("libsr_ops_ort.so", r"(?:SrOps)?RegisterCustomOps|CreateEpFactories|ReleaseEpFactory"),
    ],
)
def test_only_the_declared_functions_are_visible(moved: Path, library: str, shown: str) -> None:
    symbols = installed.run("nm", "-D", "--defined-only", moved / "lib" / library).stdout
    names = {line.split()[-1].split("@")[0] for line in symbols.splitlines()}
    assert names and all(re.fullmatch(shown, name) for name in names)
    headers = "".join(path.read_text() for path in (moved / "include" / "sr_ops").glob("*.h"))
    declared = set(re.findall(r"\b(" + shown + r")\(", headers))
    assert names <= declared
    if library == "libsr_ops_ort.so":
        assert names == declared


def test_every_public_function_is_documented(moved: Path) -> None:
    """Its parameters, what it returns, and from which threads it may be called."""
    for header in (moved / "include" / "sr_ops").glob("*.h"):
        text = header.read_text()
        for function in re.finditer(r"^SR_OPS_API [^(]*?(\w+)\(([^)]*)\)", text, re.MULTILINE):
            before = text[: function.start()].rstrip()
            assert before.endswith("*/"), f"{header.name}: {function[1]}"
            comment = before[before.rindex("/**") :]
            for parameter in function[2].split(","):
                name = re.search(r"(\w+)(\[\d\])?$", parameter.strip())[1]
                assert name == "void" or f"@param {name} " in comment, f"{function[1]}: {name}"
            assert "@return " in comment, function[1]
            assert "hread-safe" in comment, function[1]


def test_every_public_member_is_documented(moved: Path) -> None:
    text = (moved / "include" / "sr_ops" / "core.h").read_text()
    structs = list(re.finditer(r"^typedef struct (\w+) \{\n(.*?)^\} \1;", text, re.M | re.S))
    assert len(structs) == 4
    # A comment stands before the member, or behind it.
    documented = re.compile(r"/\*\*(?!<)(?:(?!\*/).)*\*/\s*[^;]+;|[^;]+;[ ]*/\*\*<.*?\*/", re.S)
    for struct in structs:
        bare = documented.sub("", struct[2]).strip()
        assert not bare, f"{struct[1]}: {bare}"


def test_pkg_config(moved: Path, tmp_path: Path) -> None:
    _write_consumer(tmp_path)
    environment = {**os.environ, "PKG_CONFIG_PATH": str(moved / "lib" / "pkgconfig")}
    said = installed.run("pkg-config", "--cflags", "--libs", "sr_ops", env=environment)
    installed.run("c++", tmp_path / "core.cpp", "-o", tmp_path / "program", *said.stdout.split())
    libraries = {**os.environ, "LD_LIBRARY_PATH": str(moved / "lib")}
    done = installed.run(tmp_path / "program", env=libraries)
    assert done.stdout == f"{sr_ops.__version__} 77\n"


def test_the_python_package_names_its_own_copy(tmp_path: Path) -> None:
    """By the paths that the two functions give, as a build script would ask for them."""
    _write_consumer(tmp_path)
    definitions = [
        f"sr_ops_DIR={sr_ops.get_cmake_dir()}",
        f"ONNXRUNTIME_INCLUDE_DIR={installed.onnxruntime_include_dir()}",
    ]
    consumer = installed.build_project(tmp_path, tmp_path / "b", definitions)
    for target in ("core", "ort"):
        done = installed.run(consumer / f"with_{target}")
        assert done.stdout == f"{sr_ops.__version__} 77\n"
    core = tmp_path / "core.cpp"
    words = ["c++", f"-I{sr_ops.get_include()}", "-fsyntax-only", str(core)]
    assert subprocess.run(words, check=False).returncode == 0


def test_an_installation_without_them_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sr_ops._libraries, "_PACKAGE", str(tmp_path))
    for function in (sr_ops.get_include, sr_ops.get_cmake_dir):
        with pytest.raises(LibraryLoadError, match="built without the C"):
            function()

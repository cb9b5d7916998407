#!/bin/bash
# Builds the release files and proves that they install: sdist -> wheel -> manylinux wheel in dist/,
# then two clean environments, one with numpy alone and one with [ort,image] and no torch, and a C++
# program from the latter.
#
#   scripts/release/check-wheel.sh PYTHON      a Python with torch
#
# What builds the wheel is pinned by hash in requirements.txt, beside this file; all but torch, of which
# the build reads the headers, and the system's compiler.
set -euo pipefail
python=$(realpath --no-symlinks "${1:?usage: $0 PYTHON}")
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { printf '\n== %s\n' "$*"; }

say "what builds the wheel, by its hashes"
"$python" -m venv "$scratch/tools"
tools=$scratch/tools/bin
"$tools/python" -m pip --disable-pip-version-check install --quiet --require-hashes \
  --only-binary :all: --requirement scripts/release/requirements.txt
"$tools/python" -m pip --disable-pip-version-check list

say "sdist and wheel"
# torch is found by path: the environment of the tools does not hold it.
rm -rf dist
SR_OPS_TORCH=on \
  SR_OPS_TORCH_ROOT=$("$python" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])") \
  PATH=$tools:$PATH "$tools/python" -m build --no-isolation --outdir "$scratch" .
PATH=$tools:$PATH "$tools/python" -m auditwheel repair --wheel-dir dist "$scratch"/*.whl \
  --exclude 'libtorch*.so' --exclude 'libc10*.so' --exclude 'libonnxruntime.so.*'
cp "$scratch"/*.tar.gz dist/
wheel=$(echo dist/*.whl)
ls -l dist
"$python" scripts/release/inspect_wheel.py "$wheel"

# The models that the environment without torch runs are made here.
PYTHONPATH=. "$python" scripts/release/clean_environment.py make "$scratch"

for extras in "" "[ort,image]"; do
  say "a clean environment with sr-ops$extras"
  "$python" -m venv "$scratch/clean"
  "$scratch/clean/bin/python" -m pip --disable-pip-version-check install --quiet \
    --constraint constraints.txt "$(realpath "$wheel")$extras"
  (cd "$scratch" && clean/bin/python "$OLDPWD/scripts/release/clean_environment.py" check "${extras:-numpy}" .)
  [ -n "$extras" ] || rm -rf "$scratch/clean"
done

say "a C++ program from the installed wheel"
package=$(cd "$scratch" && clean/bin/python -c "import sr_ops; print(sr_ops.get_cmake_dir())")
PATH=$tools:$PATH
cmake -S examples/cpp/core -B "$scratch/core" -D CMAKE_BUILD_TYPE=Release -D sr_ops_DIR="$package" >/dev/null
cmake --build "$scratch/core" >/dev/null
"$scratch/core/upscale" "$scratch/in.png" 2.7 "$scratch/core.png"

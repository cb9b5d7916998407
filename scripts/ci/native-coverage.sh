#!/bin/bash
# Which lines and branches of csrc the tests reach: those in C++, and those in Python of the front
# ends. GCC builds everything native with its counters, in build/coverage, and a copy of the package
# there holds the libraries. Arguments are pytest's: `native-coverage.sh tests/ort`.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/.venv/bin:$PATH
build=$PWD/build/coverage
if [ $# -eq 0 ]; then
  set -- tests/core tests/numpy tests/ort tests/torch tests/conformance tests/sdk \
    tests/test_any_arguments.py tests/test_doctor.py tests/test_same_bits.py
fi

if ! command -v g++ >/dev/null || ! command -v gcov >/dev/null; then
  echo "Install GCC first: sudo apt-get install g++" >&2
  exit 1
fi
mkdir -p "$build/package"
tar -c --exclude='*.so*' --exclude=__pycache__ --exclude=sr_ops/include --exclude=sr_ops/lib sr_ops |
  tar -x -C "$build/package"
# -O1: without optimisation the vector kernels compute a hundred times slower. Link-time
# optimisation would count in files of its own.
flags="-O1 --coverage -g1"
cmake -S . -B "$build" -G Ninja -D CMAKE_BUILD_TYPE=Coverage -D CMAKE_C_COMPILER=gcc \
  -D CMAKE_CXX_COMPILER=g++ -D CMAKE_C_FLAGS="$flags" -D CMAKE_CXX_FLAGS="$flags" \
  -D CMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF -D SR_OPS_CUDA=off -D SR_OPS_BUILD_TESTS=ON \
  -D SR_OPS_PYTHON_PACKAGE="$build/package/sr_ops" -D Python_EXECUTABLE="$(command -v python)" \
  -D SR_OPS_TORCH_ROOT="$(python -c 'import torch; print(torch.__path__[0])')" >/dev/null
cmake --build "$build" ${SR_OPS_JOBS:+-j "$SR_OPS_JOBS"}
find "$build" -name '*.gcda' -delete

# Counters are written where a process ends; tests that fail here because they are slow, or because
# a file more is written, do not stop the measurement.
status=0
ctest --test-dir "$build" --output-on-failure || status=$?
PYTHONPATH=$build/package pytest "$@" || status=$?
# A line counts once, whatever templates and instruction sets make of it. Threads may lose each
# other's counts, not a line.
python -m gcovr --root . --filter csrc/ --object-directory "$build" "$build" --merge-lines \
  --gcov-ignore-parse-errors=negative_hits.warn --merge-mode-functions=separate \
  --exclude-throw-branches --exclude-unreachable-branches --print-summary --txt
exit "$status"

#!/bin/bash
# Which lines and branches of csrc the C++ tests reach: built by Clang with its counters, without
# optimisation, in build/coverage. Other arguments are ctest's: `native-coverage.sh -R core`.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/.venv/bin:$PATH

# The tools of one release: their files fit together.
release=$(compgen -c | sed -nE 's/^llvm-profdata(-[0-9]+)$/\1/p' | sort -V | tail -n 1)
if ! command -v "llvm-cov$release" >/dev/null || ! command -v "clang++$release" >/dev/null; then
  echo "Install Clang and LLVM first: sudo apt-get install clang llvm libclang-rt-dev" >&2
  exit 1
fi
build=build/coverage
flags="-O0 -fprofile-instr-generate -fcoverage-mapping"
cmake -S . -B "$build" -G Ninja -D CMAKE_BUILD_TYPE=Coverage -D SR_OPS_PYTHON=OFF \
  -D SR_OPS_BUILD_TESTS=ON -D CMAKE_C_COMPILER="clang$release" -D CMAKE_CXX_COMPILER="clang++$release" \
  -D CMAKE_C_FLAGS="$flags" -D CMAKE_CXX_FLAGS="$flags" >/dev/null
cmake --build "$build" ${SR_OPS_JOBS:+-j "$SR_OPS_JOBS"}
rm -f "$build"/*.profraw
status=0
LLVM_PROFILE_FILE=$PWD/$build/%p-%m.profraw ctest --test-dir "$build" --output-on-failure "$@" || status=$?
"llvm-profdata$release" merge --sparse -o "$build/all.profdata" "$build"/*.profraw
mapfile -t programs < <(find "$build/tests/cpp" -maxdepth 1 -type f -executable -name 'sr_ops_*')
"llvm-cov$release" report "${programs[@]/#/--object=}" --instr-profile="$build/all.profdata" \
  --ignore-filename-regex='/(tests|hwy|third_party|onnxruntime)/|^/usr/' --show-branch-summary
exit "$status"

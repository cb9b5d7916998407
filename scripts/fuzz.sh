#!/bin/bash
# Builds the fuzz targets with libFuzzer and lets the core's run. New inputs gather in
# build/fuzz/corpus; a finding is written to the current folder.
#
#   scripts/fuzz.sh [LIBFUZZER-ARGUMENT...]
#
# SR_OPS_FUZZ_SANITIZE=address builds beside it, in build/fuzz-address, with AddressSanitizer and
# UndefinedBehaviorSanitizer; the inputs are shared.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

if ! compgen -c | grep -xE 'clang\+\+(-[0-9]+)?' >/dev/null; then
  echo "Install Clang and libFuzzer first: sudo apt-get install clang libclang-rt-dev" >&2
  exit 1
fi
sanitizer=${SR_OPS_FUZZ_SANITIZE:-}
build=build/fuzz${sanitizer:+-$sanitizer}
cmake -S . -B "$build" -G Ninja -D SR_OPS_FUZZ=ON -D SR_OPS_SANITIZE="$sanitizer" \
  -D SR_OPS_PYTHON=OFF -D SR_OPS_BUILD_TESTS=ON \
  -D CMAKE_TOOLCHAIN_FILE=cmake/toolchains/clang.cmake >/dev/null
cmake --build "$build" --target sr_ops_core_fuzz sr_ops_ort_fuzz
mkdir -p build/fuzz/corpus
# Without libFuzzer's weighting of rare features, which takes longer than the inputs, and without
# looking for other processes' inputs every second.
"$build/tests/cpp/sr_ops_core_fuzz" -entropic=0 -reload=0 -max_len=128 -len_control=0 \
  "$@" build/fuzz/corpus tests/cpp/corpus/core

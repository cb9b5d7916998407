#!/bin/bash
# The C++ tests under sanitizers: the core with its own threads, the C interface, and the ONNX
# Runtime library in real sessions.
#
#   scripts/ci/sanitize.sh address   AddressSanitizer, LeakSanitizer, UndefinedBehaviorSanitizer
#   scripts/ci/sanitize.sh thread    ThreadSanitizer
#
# Clang, because it compiles the kernels with sanitizers in a tenth of GCC's time. What is known of
# other people's code stands, with its reason, in tests/cpp/suppressions.
set -euo pipefail
kind=${1:?usage: $0 address|thread}
cd "$(dirname "$0")/../.."
PATH=$PWD/.venv/bin:$PATH

if ! compgen -c | grep -xE 'clang\+\+(-[0-9]+)?' >/dev/null; then
  echo "Install Clang and its sanitizers first: sudo apt-get install clang libclang-rt-dev" >&2
  exit 1
fi
cmake -S . -B "build/sanitize-$kind" -G Ninja -D SR_OPS_SANITIZE="$kind" -D SR_OPS_PYTHON=OFF \
  -D SR_OPS_BUILD_TESTS=ON -D CMAKE_TOOLCHAIN_FILE=cmake/toolchains/clang.cmake >/dev/null
cmake --build "build/sanitize-$kind"
ctest --test-dir "build/sanitize-$kind" --output-on-failure

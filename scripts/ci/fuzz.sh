#!/bin/bash
# Builds the native fuzz targets with libFuzzer, brings atheris for those in Python, and lets all of
# them run, one after the other. Arguments are those of run_fuzz_targets.py: `fuzz.sh --seconds 600 core`.
#
# SR_OPS_FUZZ_SANITIZE=address builds the native ones beside them, in build/fuzz-native-address, with
# AddressSanitizer and UndefinedBehaviorSanitizer; the inputs are shared.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/.venv/bin:$PATH

if ! compgen -c | grep -xE 'clang\+\+(-[0-9]+)?' >/dev/null; then
  echo "Install Clang and libFuzzer first: sudo apt-get install clang libclang-rt-dev" >&2
  exit 1
fi
sanitizer=${SR_OPS_FUZZ_SANITIZE:-}
build=build/fuzz-native${sanitizer:+-$sanitizer}
cmake -S . -B "$build" -G Ninja -D SR_OPS_FUZZ=ON -D SR_OPS_SANITIZE="$sanitizer" \
  -D SR_OPS_PYTHON=OFF -D SR_OPS_BUILD_TESTS=ON \
  -D CMAKE_TOOLCHAIN_FILE=cmake/toolchains/clang.cmake >/dev/null
cmake --build "$build" --target sr_ops_core_fuzz sr_ops_ort_fuzz
python -c 'import atheris' 2>/dev/null ||
  python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt atheris
exec python scripts/ci/run_fuzz_targets.py "$@"

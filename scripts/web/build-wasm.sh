#!/bin/sh
# Build js/sr_ops.wasm by emscripten, in build/wasm. emscripten's own cache stays where its package
# has it: Debian's is frozen, and another folder (EM_CACHE) makes its linker fail.
#
#   scripts/web/build-wasm.sh CMAKE
set -eu
cmake=${1:?usage: $0 CMAKE}
cd "$(dirname "$0")/../.."
unset EM_CACHE
mkdir -p build
highway=""
[ ! -e /usr/include/hwy/highway.h ] || highway=-DSR_OPS_HIGHWAY_ROOT=/usr
# shellcheck disable=SC2086  # one word, or none
emcmake "$cmake" -S . -B build/wasm -DCMAKE_BUILD_TYPE=Release \
  -DSR_OPS_PYTHON=OFF -DSR_OPS_ORT=OFF -DSR_OPS_CUDA=off $highway >build/wasm.log 2>&1 ||
  { cat build/wasm.log >&2; exit 1; }
"$cmake" --build build/wasm --parallel
cp build/wasm/csrc/wasm/sr_ops.wasm js/
printf 'js/sr_ops.wasm: %s bytes, %s gzipped\n' \
  "$(wc -c <js/sr_ops.wasm)" "$(gzip -9 -c js/sr_ops.wasm | wc -c)"

#!/bin/bash
# Builds the C++ libraries with another compiler, warnings being errors, and runs the C++ tests.
#
#   scripts/ci/test-portability.sh clang     with Clang
#   scripts/ci/test-portability.sh aarch64   for 64-bit ARM, under QEMU's user mode: NEON gives the bits
#                                         of the scalar specification, and those of this machine
set -euo pipefail
target=${1:?usage: $0 clang|aarch64}
cd "$(dirname "$0")/../.."
PATH=$PWD/.venv/bin:$PATH

need() {  # COMMAND-PATTERN PACKAGE...
  compgen -c | grep -qxE "$1" && return
  shift
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$@" >/dev/null
  else
    echo "Install $* first: sudo apt-get install $*" >&2
    exit 1
  fi
}

build() {  # NAME CMAKE-ARGUMENT...
  local folder=build/$1
  shift
  cmake -S . -B "$folder" -G Ninja -D SR_OPS_PYTHON=OFF -D SR_OPS_WERROR=ON \
    -D SR_OPS_BUILD_TESTS=ON -D Python_EXECUTABLE="$(command -v python3)" "$@" >/dev/null
  cmake --build "$folder"
}

case $target in
  clang)
    need 'clang\+\+(-[0-9]+)?' clang
    build clang -D CMAKE_TOOLCHAIN_FILE=cmake/toolchains/clang.cmake
    ctest --test-dir build/clang --output-on-failure
    ;;
  aarch64)
    need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    need 'qemu-aarch64(-static)?' qemu-user
    highway=()
    [ ! -e /usr/include/hwy/highway.h ] || highway=(-D SR_OPS_HIGHWAY_ROOT=/usr)
    build aarch64 -D CMAKE_TOOLCHAIN_FILE=cmake/toolchains/aarch64-linux-gnu.cmake \
      -D SR_OPS_ORT=OFF "${highway[@]}"
    ctest --test-dir build/aarch64 --output-on-failure
    build host -D SR_OPS_ORT=OFF
    emulator=$(sed -n 's/^SR_OPS_QEMU:FILEPATH=//p' build/aarch64/CMakeCache.txt)
    there=$("$emulator" -L /usr/aarch64-linux-gnu build/aarch64/tests/cpp/sr_ops_core_test 100)
    here=$(build/host/tests/cpp/sr_ops_core_test 100)
    printf '%s\n' "here: $here" "there: $there"
    [ "${here##* }" = "${there##* }" ] || { echo "the two machines' results differ" >&2; exit 1; }
    ;;
  *)
    echo "usage: $0 clang|aarch64" >&2
    exit 2
    ;;
esac

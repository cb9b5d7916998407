#!/bin/sh
# Compiles the core into the folder that setup.py builds in. It takes the longest of all and needs
# no package but CMake and Ninja, so it can begin while pip still fetches torch.
#
#   scripts/setup/compile-core.sh BIN BUILD
#
# BIN: the environment's programs; BUILD: the build folder. Does nothing where one is there already.
# setup.py compiles what is missing afterwards: whatever fails here fails there, and is shown there.
set -eu
build=${2:?usage: $0 BIN BUILD}
PATH=$PATH:$1
[ ! -e "$build/CMakeCache.txt" ] || exit 0
mkdir -p "$build"
{
  cmake -S . -B "$build" -G Ninja -D CMAKE_BUILD_TYPE=Release -D SR_OPS_PYTHON=OFF
  cmake --build "$build" --target sr_ops_core
} >"$build/core.log" 2>&1

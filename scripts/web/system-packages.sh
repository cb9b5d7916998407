#!/bin/sh
# Sees to what WebAssembly needs from the system, on Debian and Ubuntu: root gets it installed,
# others are told the command. About 1 GB, so nothing but `make wasm`, `make web` and `make test-web`
# asks for it.
#
#   scripts/web/system-packages.sh [browser]     with a browser as well, for the tests
set -eu
missing=""
need() { missing="$missing $1"; }
command -v emcc >/dev/null || need emscripten
command -v node >/dev/null || need nodejs
command -v npm >/dev/null || need npm
[ "${1:-}" != browser ] || command -v chromium >/dev/null || need chromium

# shellcheck disable=SC2086  # one word a package
exec "$(dirname "$0")/../setup/apt-install.sh" $missing

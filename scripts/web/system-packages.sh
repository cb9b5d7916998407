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
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "Install what Debian's packages$missing hold, then run make again." >&2
  exit 1
elif [ "$(id -u)" -ne 0 ]; then
  echo "System packages are missing. Install them, then run make again:" >&2
  echo "  sudo apt-get install$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing$missing"
apt-get -qq update
# shellcheck disable=SC2086  # one word a package
apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends $missing >/dev/null

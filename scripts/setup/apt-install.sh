#!/bin/sh
# Installs Debian's packages of these names: for root; others are told the command.
#
#   scripts/setup/apt-install.sh [NAME...]
set -eu
[ $# -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "Install what Debian's packages $* hold, then run make again." >&2
  exit 1
elif [ "$(id -u)" -ne 0 ]; then
  echo "System packages are missing. Install them, then run make again:" >&2
  echo "  sudo apt-get install $*" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing $*"
apt-get -qq update
apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >/dev/null

#!/bin/bash
# Proves that a fresh clone works on a machine that has nothing: builds a minimal Debian (or Ubuntu)
# in a folder, clones this checkout's last commit into it, and runs commands there.
#
#   sudo scripts/ci/bare-root.sh [COMMAND...]        default: "make demo" "make test"
#
#   SR_OPS_BARE_FOLDER=…   where the root goes, and stays (default: a temporary folder, removed)
#   SR_OPS_BARE_RELEASE=…  which release (default: this system's)
#   SR_OPS_BARE_MIRROR=…   from where (default: what apt is configured with)
#
# Needs root, debootstrap and a network. The root has make and nothing else; the rest is the
# Makefile's to bring. pip's configuration goes in as it is here, with the folders and certificates
# it names.
set -euo pipefail

[ "$(id -u)" -eq 0 ] || { echo "$0: needs root, to make a root" >&2; exit 1; }
command -v debootstrap >/dev/null ||
  { echo "$0: debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }

# Mounts below belong to this process's own view, and end with it.
if [ -z "${SR_OPS_BARE_UNSHARED:-}" ]; then
  SR_OPS_BARE_UNSHARED=1 exec unshare --mount --propagation private "$0" "$@"
fi
[ $# -gt 0 ] || set -- "make demo" "make test"

checkout=$(cd "$(dirname "$0")/../.." && pwd)
release=${SR_OPS_BARE_RELEASE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mirror=${SR_OPS_BARE_MIRROR:-$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
  'Created-By: Packages' | awk -v release="$release" '$1 == release { print $2; exit }')}
mirror=${mirror:-http://deb.debian.org/debian}

if [ -n "${SR_OPS_BARE_FOLDER:-}" ]; then
  root=$SR_OPS_BARE_FOLDER
  mkdir -p "$root"
else
  root=$(mktemp -d)
  chmod 755 "$root"  # apt's own user reads in it
  trap remove_root EXIT
fi

# Only after everything mounted inside is gone: that is not ours to remove.
remove_root() {
  awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/self/mounts | sort -r |
    while read -r mounted; do umount "$mounted"; done
  ! grep -qF " $root/" /proc/self/mounts || { echo "$0: $root is left behind" >&2; return; }
  rm -rf --one-file-system "$root"
}

say() { printf '\n== %s\n' "$*"; }

# The same path inside as here: a folder is shown (read-only), a file is copied.
bring() {
  [ -e "$1" ] || return 0
  if [ -d "$1" ]; then
    mkdir -p "$root$1"
    mount --bind -o ro "$1" "$root$1"
  else
    mkdir -p "$root$(dirname "$1")"
    cp --dereference "$1" "$root$1"
  fi
}

say "$release from $mirror in $root"
if [ ! -e "$root/etc/debian_version" ]; then
  debootstrap --variant=minbase --include=make "$release" "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; exit 1; }
  rm -f "$root.log"
fi
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
bring /etc/resolv.conf
bring /etc/hosts

# Environment and pip configuration, and what they point to.
environment=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LANG=C.UTF-8)
for name in $(compgen -e); do
  case $name in
    PIP_* | SSL_CERT_FILE | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE | GIT_SSL_CAINFO | *_proxy | *_PROXY)
      environment+=("$name=${!name}")
      ;;
  esac
done
# Debian's ca-certificates makes its bundle anew when it is installed: these go into it.
certificates=/usr/local/share/ca-certificates
mkdir -p "$root$certificates"
[ ! -d $certificates ] || cp -rL $certificates/. "$root$certificates"
if command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1; then
  # "global.cert='…'" becomes a line of an ini file; ":env:" lines are the environment's.
  python3 -m pip config list | grep -v '^:env:' | sort |
    sed -E "s/^([a-z]+)\.([a-z-]+)='(.*)'$/\1 \2 = \3/" |
    awk '$1 != section { section = $1; print "[" section "]" } { sub(/^[^ ]+ /, ""); print }' |
    tee "$root/etc/pip.conf"
fi
# The files of a file:// index lie beside its folder, below the same parent.
{ printf '%s\n' "${environment[@]#*=}"; cat "$root/etc/pip.conf" 2>/dev/null; } |
  tr ' =' '\n\n' | sed -E 's|^file://(.*)/[^/]+/?$|\1|' | grep -E '^/[^/]+/' | sort -u |
  while read -r path; do bring "$path"; done

say "clone of $(git -C "$checkout" describe --always --dirty)"
rm -rf "$root/sr_ops"
git clone --quiet --no-hardlinks "$checkout" "$root/sr_ops"

for command in "$@"; do
  say "$command"
  start=$SECONDS
  chroot "$root" /usr/bin/env -i "${environment[@]}" /bin/sh -c "cd /sr_ops && $command"
  say "$command: passed in $((SECONDS - start)) s"
done

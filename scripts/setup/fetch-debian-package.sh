#!/bin/sh
# Unpacks a package of a newer release of this Debian or Ubuntu into a folder, without installing
# it: for development files that the running release does not have.
#
#   scripts/setup/fetch-debian-package.sh PACKAGE FOLDER
#
# Works as any user and changes nothing on the system: apt runs with its own sources, lists and
# cache below FOLDER. The mirror and the keys are those that the machine's apt is configured with,
# and apt checks the signature as always.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 PACKAGE FOLDER" >&2; exit 2; }
package=$1
folder=$2
command -v apt-get >/dev/null || { echo "$0: this system has no apt" >&2; exit 1; }

. /etc/os-release
case $ID in
  debian) releases="trixie forky sid" ;;
  ubuntu) releases="resolute questing" ;;
  *) echo "$0: knows the releases of Debian and Ubuntu, not of $ID" >&2; exit 1 ;;
esac

# One line for each configured repository of the running release: "<address> <keyring or nothing>".
# apt reads its sources itself, so .list and .sources files are alike.
repositories=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(SIGNED_BY)' \
                 'Created-By: Packages' |
               awk -v release="$VERSION_CODENAME" '$2 == release { print $1, $3 }' | sort -u)
[ -n "$repositories" ] ||
  { echo "$0: apt has no source for $VERSION_CODENAME" >&2; exit 1; }

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
private=$folder/.apt
rm -rf "$private"
trap 'rm -rf "$private"' EXIT

apt_private() {
  apt-get -qq \
    -o Dir::Etc::sourcelist="$private/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$private/lists" -o Dir::Cache="$private/cache" \
    -o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any -o Acquire::Languages=none \
    -o Acquire::Retries=3 "$@"
}

for release in $releases; do
  [ "$release" != "$VERSION_CODENAME" ] || continue
  mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
  echo "$repositories" | while read -r address keyring; do
    case $keyring in /*) option="[signed-by=$keyring] " ;; *) option="" ;; esac
    [ "$ID" = debian ] && components="main" || components="main universe"
    echo "deb $option$address $release $components"
  done >"$private/sources.list"
  if apt_private update && (cd "$private" && apt_private download "$package"); then
    dpkg-deb -x "$private/$package"_*.deb "$folder"
    echo "$package of $release"
    exit 0
  fi
  rm -rf "$private"
done
echo "$0: none of $releases delivered $package" >&2
exit 1

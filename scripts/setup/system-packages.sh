#!/bin/sh
# Sees to what sr_ops needs from the system, on Debian and Ubuntu: root gets it installed, others
# are told the command. Looks for the things themselves, so what came another way counts as well.
#
#   scripts/setup/system-packages.sh PYTHON          for everything
#   scripts/setup/system-packages.sh PYTHON build    to build sr_ops and to use it
set -eu
python=${1:?usage: $0 PYTHON [build]}
purpose=${2:-everything}

has_library() { PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -qF "$1"; }
has_python_headers() {
  "$python" -c '
import pathlib, sys, sysconfig
sys.exit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").exists())'
}

missing=""
need() { missing="$missing $1"; }
command -v "$python" >/dev/null || need python3
command -v c++ >/dev/null || need g++
"$python" -c "import ensurepip, venv" 2>/dev/null || need python3-venv
has_python_headers 2>/dev/null || need python3-dev
has_library libGL.so.1 || need libgl1              # opencv-python loads these two
has_library libgthread-2.0.so.0 || need libglib2.0-0
# Not without alternative: CMake downloads it where it is missing.
[ -e /usr/include/hwy/highway.h ] || [ "$(id -u)" -ne 0 ] || need libhwy-dev
if [ "$purpose" != build ]; then
  command -v pkg-config >/dev/null || need pkg-config  # a test of the installed C++ libraries
  command -v dot >/dev/null || need graphviz           # draws pictures of graphs
  [ -e /usr/include/stb/stb_image.h ] || need libstb-dev  # pictures of the C++ examples
  [ -e /usr/include/opencv4/opencv2/imgcodecs.hpp ] || need libopencv-imgcodecs-dev  # the same
fi

# shellcheck disable=SC2086  # one word a package
exec "$(dirname "$0")/apt-install.sh" $missing

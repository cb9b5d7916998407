#!/bin/bash -eu
# Not run yet. Builds the core's target with the compiler and the flags that OSS-Fuzz sets, and packs
# the corpus of the tree. The target of ONNX Runtime needs its library at run time, the targets in
# Python an image of their own (base-builder-python): `make fuzz` runs those.
build=$WORK/sr_ops
cmake -S . -B "$build" -G Ninja -D SR_OPS_PYTHON=OFF -D SR_OPS_ORT=OFF -D SR_OPS_BUILD_TESTS=ON \
  -D SR_OPS_HIGHWAY=download -D SR_OPS_FUZZ=ON -D SR_OPS_FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
cmake --build "$build" --target sr_ops_core_fuzz
cp "$build/tests/cpp/sr_ops_core_fuzz" "$OUT/"
zip --quiet --junk-paths "$OUT/sr_ops_core_fuzz_seed_corpus.zip" tests/cpp/corpus/core/*
printf '[libfuzzer]\nentropic = 0\nmax_len = 128\nlen_control = 0\n' >"$OUT/sr_ops_core_fuzz.options"

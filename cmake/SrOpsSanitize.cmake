# Builds that watch themselves; `make sanitize` and `make fuzz` configure them.
#
#   SR_OPS_SANITIZE  address (with undefined behaviour), thread, or empty
#   SR_OPS_FUZZ      the fuzz targets driven by libFuzzer, which needs Clang
include_guard(GLOBAL)

set(SR_OPS_SANITIZE "" CACHE STRING "Instrument everything native: address, thread, or empty")
set_property(CACHE SR_OPS_SANITIZE PROPERTY STRINGS "" address thread)
set(SR_OPS_FUZZ_ENGINE "-fsanitize=fuzzer" CACHE STRING
    "What links a fuzz target to what drives it; OSS-Fuzz names its own")
option(SR_OPS_FUZZ "Let libFuzzer drive the fuzz targets (Clang only)" OFF)

if(SR_OPS_SANITIZE STREQUAL "address")
  set(_sanitizers address,undefined)
elseif(SR_OPS_SANITIZE STREQUAL "thread")
  set(_sanitizers thread)
elseif(SR_OPS_SANITIZE)
  message(FATAL_ERROR "SR_OPS_SANITIZE: got '${SR_OPS_SANITIZE}', expected address, thread or nothing")
endif()
if(_sanitizers)
  # -O1, -g1: with more, GCC takes many minutes for each of the kernels' files (Clang: seconds).
  string(REPLACE "-O3" "-O1" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  add_compile_options(
    -fsanitize=${_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${_sanitizers})
endif()

if(SR_OPS_FUZZ AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "SR_OPS_FUZZ: libFuzzer comes with Clang; configure with "
                      "-DCMAKE_CXX_COMPILER=clang++ (Debian: apt-get install clang)")
endif()

# Coverage of the code under test guides libFuzzer; the harness itself runs faster without. So does
# everything without traced comparisons: there are no magic numbers to be found.
function(sr_ops_instrument_for_fuzzing target)
  if(SR_OPS_FUZZ)
    target_compile_options(${target} PRIVATE
      -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp)
    target_link_options(${target} INTERFACE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# What results are compared with: nothing to be covered there, and fused multiply-adds in line, where
# the processor has them, not by a call.
function(sr_ops_speed_up_for_fuzzing source)
  if(SR_OPS_FUZZ)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
      "-fno-sanitize=fuzzer-no-link;-march=native")
  endif()
endfunction()

# The installed torch (2.10 or newer): its stable-ABI headers and libtorch_cpu, found by path,
# never imported.
#
#   SR_OPS_TORCH       auto (found or not), on (missing is an error), off (not looked for)
#   SR_OPS_TORCH_ROOT  the folder of the torch package; empty: the one of Python_EXECUTABLE
#
# Defines StableTorch_FOUND and, if found, the target sr_ops::stable_torch and StableTorch_CUDA:
# whether this torch was built with CUDA.
include_guard(GLOBAL)

set(SR_OPS_TORCH_ROOT "" CACHE PATH "The folder of the installed torch package")

set(StableTorch_FOUND FALSE)
set(StableTorch_CUDA FALSE)
if(SR_OPS_TORCH STREQUAL off)
  return()
endif()

set(_torch_root "${SR_OPS_TORCH_ROOT}")
if(NOT _torch_root)
  find_package(Python REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
      "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE _torch_root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

set(_torch_problem "torch is not installed")
if(_torch_root)
  find_library(SR_OPS_TORCH_CPU_LIBRARY torch_cpu PATHS "${_torch_root}/lib" NO_DEFAULT_PATH)
  mark_as_advanced(SR_OPS_TORCH_CPU_LIBRARY)
  set(StableTorch_INCLUDE_DIR "${_torch_root}/include")
  # 2.9 has a stable ABI too, but without the parallel loop that the operators run in.
  if(NOT SR_OPS_TORCH_CPU_LIBRARY)
    set(_torch_problem "${_torch_root} holds no libtorch_cpu")
  elseif(NOT EXISTS "${StableTorch_INCLUDE_DIR}/torch/headeronly/version.h")
    set(_torch_problem "${_torch_root} is older than 2.10")
  else()
    file(STRINGS "${StableTorch_INCLUDE_DIR}/torch/headeronly/version.h" _lines
         REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX REPLACE "#define [A-Z_]+ " "" _lines "${_lines}")
    string(REPLACE ";" "." StableTorch_VERSION "${_lines}")
    if(StableTorch_VERSION VERSION_LESS 2.10)
      set(_torch_problem "${_torch_root} holds torch ${StableTorch_VERSION}, older than 2.10")
    else()
      set(StableTorch_FOUND TRUE)
    endif()
  endif()
endif()

if(StableTorch_FOUND)
  file(GLOB StableTorch_CUDA "${_torch_root}/lib/*torch_cuda.*")
  add_library(sr_ops_stable_torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(sr_ops_stable_torch INTERFACE "${StableTorch_INCLUDE_DIR}")
  target_link_libraries(sr_ops_stable_torch INTERFACE "${SR_OPS_TORCH_CPU_LIBRARY}")
  target_compile_definitions(sr_ops_stable_torch INTERFACE
    TORCH_TARGET_VERSION=0x020a000000000000)  # 2.10: the oldest that the library runs on
  add_library(sr_ops::stable_torch ALIAS sr_ops_stable_torch)
  message(STATUS "torch ${StableTorch_VERSION}: ${_torch_root}")
elseif(SR_OPS_TORCH STREQUAL on)
  message(FATAL_ERROR
    "sr_ops: SR_OPS_TORCH=on, but ${_torch_problem}.\n"
    "  Install it first:  python -m pip install 'torch>=2.10'\n"
    "  or pass -DSR_OPS_TORCH_ROOT=<the folder of the torch package>")
else()
  message(STATUS "No torch front end: ${_torch_problem}")
endif()

# The CUDA toolkit, where SR_OPS_CUDA asks for it.
#
#   SR_OPS_CUDA                auto: on where nvcc and a torch that was built with CUDA are found, so
#                              that nobody gets tens of megabytes of GPU code for a CPU torch;
#                              on (a missing toolkit is an error); off. nvcc: CMAKE_CUDA_COMPILER,
#                              or the environment's CUDACXX, else below CUDA_HOME, or on PATH
#   SR_OPS_CUDA_ARCHITECTURES  all: every one from sm_75 on that the toolkit knows, and PTX of the
#                              newest for those to come; or a list as CMAKE_CUDA_ARCHITECTURES takes
#
# Defines SR_OPS_CUDA_FOUND; if true, the language CUDA is enabled, and SR_OPS_CUDA_TARGETS names
# what is compiled for, as in "sm_80 compute_80".
include_guard(GLOBAL)

set(SR_OPS_CUDA auto CACHE STRING "Build the CUDA kernels: auto, on, off")
set_property(CACHE SR_OPS_CUDA PROPERTY STRINGS auto on off)
set(SR_OPS_CUDA_ARCHITECTURES all CACHE STRING "GPUs to compile for: all, or as 80-real;90")

set(_oldest_toolkit 12.0)  # its C++17, and parameters that kernels read where they were passed

function(_sr_ops_cuda_wanted result)
  set(${result} "" PARENT_SCOPE)
  if(SR_OPS_CUDA STREQUAL off)
    set(${result} "SR_OPS_CUDA is off" PARENT_SCOPE)
    return()
  endif()
  if(NOT SR_OPS_CUDA MATCHES "^(auto|on)$")
    message(FATAL_ERROR "sr_ops: SR_OPS_CUDA is '${SR_OPS_CUDA}'; expected auto, on or off")
  endif()
  find_program(SR_OPS_NVCC NAMES ${CMAKE_CUDA_COMPILER} $ENV{CUDACXX} nvcc
    HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  mark_as_advanced(SR_OPS_NVCC)
  set(problem "")
  if(NOT SR_OPS_NVCC)
    set(problem "nvcc was not found")
  else()
    execute_process(COMMAND "${SR_OPS_NVCC}" --version OUTPUT_VARIABLE text ERROR_QUIET)
    string(REGEX MATCH "release ([0-9.]+)" text "${text}")
    set(version "${CMAKE_MATCH_1}")
    if(version VERSION_LESS _oldest_toolkit)
      set(problem "${SR_OPS_NVCC} is of release '${version}', older than ${_oldest_toolkit}")
    endif()
  endif()
  if(problem AND SR_OPS_CUDA STREQUAL on)
    message(FATAL_ERROR
      "sr_ops: SR_OPS_CUDA=on, but ${problem}.\n"
      "  Install NVIDIA's CUDA toolkit (${_oldest_toolkit} or newer) and put nvcc on PATH, or name "
      "its folder in the environment variable CUDA_HOME")
  elseif(NOT problem AND SR_OPS_CUDA STREQUAL auto AND NOT StableTorch_CUDA)
    set(problem "SR_OPS_CUDA=auto, and there is no torch that was built with CUDA")
  endif()
  set(${result} "${problem}" PARENT_SCOPE)
endfunction()

# Everything that this nvcc knows, and the newest as PTX.
function(_sr_ops_cuda_architectures result)
  if(NOT SR_OPS_CUDA_ARCHITECTURES STREQUAL all)
    set(${result} "${SR_OPS_CUDA_ARCHITECTURES}" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND "${SR_OPS_NVCC}" --list-gpu-arch
    OUTPUT_VARIABLE known COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9]+" known "${known}")
  list(SORT known COMPARE NATURAL)
  list(FILTER known EXCLUDE REGEX "^([0-6].|7[0-4])$")
  list(GET known -1 newest)
  list(TRANSFORM known APPEND -real)
  set(${result} ${known} ${newest}-virtual PARENT_SCOPE)
endfunction()

set(SR_OPS_CUDA_FOUND FALSE)
set(SR_OPS_CUDA_TARGETS "")
_sr_ops_cuda_wanted(_problem)
if(_problem)
  message(STATUS "No CUDA kernels: ${_problem}")
  return()
endif()

_sr_ops_cuda_architectures(CMAKE_CUDA_ARCHITECTURES)
if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER "${SR_OPS_NVCC}")
endif()
enable_language(CUDA)
# What ptxas says of registers would drown everything else.
set(CMAKE_CUDA_COMPILER_LAUNCHER "${CMAKE_CURRENT_LIST_DIR}/keep-output.sh")
if(SR_OPS_CCACHE)
  list(APPEND CMAKE_CUDA_COMPILER_LAUNCHER "${SR_OPS_CCACHE}")
endif()
find_package(CUDAToolkit REQUIRED)
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
set(SR_OPS_CUDA_FOUND TRUE)
list(TRANSFORM CMAKE_CUDA_ARCHITECTURES REPLACE "^([0-9]+[a-z]?)-real$" "sm_\\1"
  OUTPUT_VARIABLE SR_OPS_CUDA_TARGETS)
list(TRANSFORM SR_OPS_CUDA_TARGETS REPLACE "^([0-9]+[a-z]?)-virtual$" "compute_\\1")
list(TRANSFORM SR_OPS_CUDA_TARGETS REPLACE "^([0-9]+[a-z]?)$" "sm_\\1 compute_\\1")
list(JOIN SR_OPS_CUDA_TARGETS " " SR_OPS_CUDA_TARGETS)
message(STATUS "CUDA ${CUDAToolkit_VERSION}: ${SR_OPS_NVCC}, for ${SR_OPS_CUDA_TARGETS}")

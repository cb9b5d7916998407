# Google Highway: a given path, else the system's package, else a pinned download.
#
#   SR_OPS_HIGHWAY_ROOT  an installed prefix or an unpacked source tree
#   SR_OPS_HIGHWAY       auto (system, then download), system, or download
#
# Defines the target sr_ops::highway. Headers alone: its compiled part is not used, so nothing that
# is built here needs a libhwy.
include_guard(GLOBAL)
include(SrOpsDownload)

set(SR_OPS_HIGHWAY_ROOT "" CACHE PATH "Google Highway: an installed prefix or a source tree")
set(SR_OPS_HIGHWAY auto CACHE STRING "Where Google Highway comes from: auto, system, download")
set_property(CACHE SR_OPS_HIGHWAY PROPERTY STRINGS auto system download)

set(_minimum 1.0.3)
set(_pinned 1.2.0)

# The version that a header folder declares; the macros moved from highway.h to base.h in 1.1.
function(_sr_ops_highway_version include_dir result)
  set(version "")
  foreach(header highway.h base.h)
    if(NOT version AND EXISTS "${include_dir}/hwy/${header}")
      file(STRINGS "${include_dir}/hwy/${header}" lines
           REGEX "^#define HWY_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX REPLACE "#define HWY_[A-Z]+ " "" lines "${lines}")
      string(REPLACE ";" "." version "${lines}")
    endif()
  endforeach()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# Defines the target if `include_dir` holds a version that serves.
function(_sr_ops_take_highway include_dir)
  set(_highway_problem "not found" PARENT_SCOPE)
  if(NOT include_dir)
    return()
  endif()
  _sr_ops_highway_version("${include_dir}" version)
  if(version VERSION_LESS _minimum)
    set(_highway_problem "${include_dir} holds ${version}, too old" PARENT_SCOPE)
    return()
  endif()
  if(CMAKE_CROSSCOMPILING)  # without the host's own headers, which may lie beside Highway's
    set(folder "${CMAKE_BINARY_DIR}/third_party/highway")
    file(MAKE_DIRECTORY "${folder}")
    file(CREATE_LINK "${include_dir}/hwy" "${folder}/hwy" SYMBOLIC)
    set(include_dir "${folder}")
  endif()
  add_library(sr_ops_highway INTERFACE IMPORTED GLOBAL)
  target_include_directories(sr_ops_highway INTERFACE "${include_dir}")
  set(Highway_VERSION "${version}" PARENT_SCOPE)
  set(_highway_source "${include_dir}" PARENT_SCOPE)
endfunction()

if(SR_OPS_HIGHWAY_ROOT)
  find_path(SR_OPS_HIGHWAY_INCLUDE_DIR hwy/highway.h
            PATHS "${SR_OPS_HIGHWAY_ROOT}" PATH_SUFFIXES include NO_DEFAULT_PATH
            NO_CMAKE_FIND_ROOT_PATH)
  _sr_ops_take_highway("${SR_OPS_HIGHWAY_INCLUDE_DIR}")
else()
  if(NOT SR_OPS_HIGHWAY STREQUAL download)
    find_path(SR_OPS_HIGHWAY_INCLUDE_DIR hwy/highway.h)
    _sr_ops_take_highway("${SR_OPS_HIGHWAY_INCLUDE_DIR}")
  endif()
  if(NOT TARGET sr_ops_highway AND NOT SR_OPS_HIGHWAY STREQUAL system)
    sr_ops_download(_source NAME highway-${_pinned}.tar.gz
      SHA256 7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343
      URLS "https://github.com/google/highway/archive/refs/tags/${_pinned}.tar.gz"
           "https://deb.debian.org/debian/pool/main/h/highway/highway_${_pinned}.orig.tar.gz")
    _sr_ops_take_highway("${_source}")
  endif()
endif()
mark_as_advanced(SR_OPS_HIGHWAY_INCLUDE_DIR)

if(TARGET sr_ops_highway)
  add_library(sr_ops::highway ALIAS sr_ops_highway)
  message(STATUS "Highway ${Highway_VERSION}: ${_highway_source}")
  set(Highway_FOUND TRUE)
else()
  message(FATAL_ERROR
    "sr_ops needs Google Highway ${_minimum} or newer (${_highway_problem}).\n"
    "  Debian, Ubuntu:  sudo apt-get install libhwy-dev\n"
    "  Fedora:          sudo dnf install highway-devel\n"
    "  macOS:           brew install highway\n"
    "  elsewhere:       -DSR_OPS_HIGHWAY_ROOT=<an installed prefix or an unpacked source tree>")
endif()

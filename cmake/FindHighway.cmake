# Google Highway: a given path, else the system's package, else a pinned download.
#
#   SR_OPS_HIGHWAY_ROOT  an installed prefix or an unpacked source tree
#   SR_OPS_HIGHWAY       auto (system, then download), system, or download
#
# Defines the target sr_ops::highway. A download is built as a static library (nothing to install
# beside the wheel); Debian's libhwy-dev brings a shared one.
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

# Installed headers and library; `ARGN` restricts the search (a given prefix).
function(_sr_ops_find_installed_highway)
  find_path(SR_OPS_HIGHWAY_INCLUDE_DIR hwy/highway.h ${ARGN})
  find_library(SR_OPS_HIGHWAY_LIBRARY hwy ${ARGN})
  mark_as_advanced(SR_OPS_HIGHWAY_INCLUDE_DIR SR_OPS_HIGHWAY_LIBRARY)
  if(NOT SR_OPS_HIGHWAY_INCLUDE_DIR OR NOT SR_OPS_HIGHWAY_LIBRARY)
    set(_highway_problem "not found" PARENT_SCOPE)
    return()
  endif()
  _sr_ops_highway_version("${SR_OPS_HIGHWAY_INCLUDE_DIR}" version)
  if(version VERSION_LESS _minimum)
    set(_highway_problem "${SR_OPS_HIGHWAY_INCLUDE_DIR} holds ${version}, too old" PARENT_SCOPE)
    return()
  endif()
  add_library(sr_ops_highway INTERFACE IMPORTED GLOBAL)
  target_include_directories(sr_ops_highway INTERFACE "${SR_OPS_HIGHWAY_INCLUDE_DIR}")
  target_link_libraries(sr_ops_highway INTERFACE "${SR_OPS_HIGHWAY_LIBRARY}")
  if(NOT SR_OPS_HIGHWAY_LIBRARY MATCHES "\\${CMAKE_STATIC_LIBRARY_SUFFIX}$")
    target_compile_definitions(sr_ops_highway INTERFACE HWY_SHARED_DEFINE)
  endif()
  set(Highway_VERSION "${version}" PARENT_SCOPE)
  set(_highway_source "${SR_OPS_HIGHWAY_LIBRARY}" PARENT_SCOPE)
endfunction()

function(_sr_ops_build_highway source_dir)
  set(HWY_ENABLE_TESTS OFF)
  set(HWY_ENABLE_EXAMPLES OFF)
  set(HWY_ENABLE_CONTRIB OFF)
  set(HWY_ENABLE_INSTALL OFF)
  set(BUILD_TESTING OFF)
  set(BUILD_SHARED_LIBS OFF)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # let the settings above stand in Highway's option()s
  add_subdirectory("${source_dir}" "${CMAKE_BINARY_DIR}/highway" EXCLUDE_FROM_ALL SYSTEM)
  add_library(sr_ops_highway INTERFACE IMPORTED GLOBAL)
  target_link_libraries(sr_ops_highway INTERFACE hwy)
  _sr_ops_highway_version("${source_dir}" version)
  set(Highway_VERSION "${version}" PARENT_SCOPE)
  set(_highway_source "${source_dir}" PARENT_SCOPE)
endfunction()

if(SR_OPS_HIGHWAY_ROOT AND EXISTS "${SR_OPS_HIGHWAY_ROOT}/CMakeLists.txt")
  _sr_ops_build_highway("${SR_OPS_HIGHWAY_ROOT}")
elseif(SR_OPS_HIGHWAY_ROOT)
  _sr_ops_find_installed_highway(
    PATHS "${SR_OPS_HIGHWAY_ROOT}" PATH_SUFFIXES include lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}"
    NO_DEFAULT_PATH)
else()
  if(NOT SR_OPS_HIGHWAY STREQUAL download)
    _sr_ops_find_installed_highway()
  endif()
  if(NOT TARGET sr_ops_highway AND NOT SR_OPS_HIGHWAY STREQUAL system)
    sr_ops_download(_source NAME highway-${_pinned}.tar.gz
      SHA256 7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343
      URLS "https://github.com/google/highway/archive/refs/tags/${_pinned}.tar.gz"
           "https://deb.debian.org/debian/pool/main/h/highway/highway_${_pinned}.orig.tar.gz")
    if(_source)
      _sr_ops_build_highway("${_source}")
    endif()
  endif()
endif()

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

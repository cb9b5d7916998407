# ONNX Runtime's headers: a given path, else the system's package, else the package of a newer
# release of this Debian or Ubuntu (unpacked into the build folder, not installed), else a pinned
# download. Any from 1.17 on serve: the library asks for version 17 of the C API whatever they are.
#
#   SR_OPS_ONNXRUNTIME_INCLUDE_DIR  the folder that holds onnxruntime_c_api.h
#   SR_OPS_ONNXRUNTIME              auto (each in turn), system, debian or download
#
# Defines the target sr_ops::onnxruntime_headers, whose property SR_OPS_VERSION is theirs, and
# OnnxRuntimeHeaders_INCLUDE_DIR.
include_guard(GLOBAL)
include(SrOpsDownload)

set(SR_OPS_ONNXRUNTIME_INCLUDE_DIR "" CACHE PATH "The folder that holds onnxruntime_c_api.h")
set(SR_OPS_ONNXRUNTIME auto CACHE STRING
    "Where ONNX Runtime's headers come from: auto, system, debian, download")
set_property(CACHE SR_OPS_ONNXRUNTIME PROPERTY STRINGS auto system debian download)

set(_minimum 17)  # of ORT_API_VERSION
set(_pinned 1.20.1)

# Looks below `root`, in the places where distributions and upstream's archives put the headers.
function(_sr_ops_take_onnxruntime_headers root)
  if(NOT root)
    return()
  endif()
  foreach(suffix "" /onnxruntime /onnxruntime/core/session /include /include/onnxruntime
                 /usr/include/onnxruntime)
    set(header "${root}${suffix}/onnxruntime_c_api.h")
    if(EXISTS "${header}")
      file(STRINGS "${header}" line REGEX "^#define ORT_API_VERSION [0-9]+")
      string(REGEX REPLACE "[^0-9]" "" version "${line}")
      if(version GREATER_EQUAL _minimum)
        set(OnnxRuntimeHeaders_INCLUDE_DIR "${root}${suffix}" PARENT_SCOPE)
        set(OnnxRuntimeHeaders_VERSION "1.${version}" PARENT_SCOPE)
      else()
        message(STATUS "${header} is of ONNX Runtime 1.${version}, too old: 1.${_minimum} is needed")
      endif()
      return()
    endif()
  endforeach()
endfunction()

function(_sr_ops_fetch_onnxruntime_package result)
  set(folder "${CMAKE_BINARY_DIR}/third_party/libonnxruntime-dev")
  set(${result} "" PARENT_SCOPE)
  if(NOT EXISTS "${folder}.complete")
    find_program(SR_OPS_APT_GET apt-get)
    mark_as_advanced(SR_OPS_APT_GET)
    if(NOT SR_OPS_APT_GET)
      return()
    endif()
    message(STATUS "Fetching libonnxruntime-dev of a newer release through apt")
    file(REMOVE_RECURSE "${folder}")
    execute_process(
      COMMAND "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../scripts/setup/fetch-debian-package.sh" libonnxruntime-dev "${folder}"
      RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(STRIP "${output}" output)
    message(STATUS "  ${output}")
    if(NOT code EQUAL 0)
      return()
    endif()
    file(TOUCH "${folder}.complete")
  endif()
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

set(OnnxRuntimeHeaders_INCLUDE_DIR "")
if(SR_OPS_ONNXRUNTIME_INCLUDE_DIR)
  _sr_ops_take_onnxruntime_headers("${SR_OPS_ONNXRUNTIME_INCLUDE_DIR}")
else()
  if(SR_OPS_ONNXRUNTIME MATCHES "auto|system")
    find_path(SR_OPS_ONNXRUNTIME_SYSTEM_INCLUDE_DIR onnxruntime_c_api.h
              PATH_SUFFIXES onnxruntime onnxruntime/core/session)
    mark_as_advanced(SR_OPS_ONNXRUNTIME_SYSTEM_INCLUDE_DIR)
    _sr_ops_take_onnxruntime_headers("${SR_OPS_ONNXRUNTIME_SYSTEM_INCLUDE_DIR}")
  endif()
  if(NOT OnnxRuntimeHeaders_INCLUDE_DIR AND SR_OPS_ONNXRUNTIME MATCHES "auto|debian")
    _sr_ops_fetch_onnxruntime_package(_root)
    _sr_ops_take_onnxruntime_headers("${_root}")
  endif()
  if(NOT OnnxRuntimeHeaders_INCLUDE_DIR AND SR_OPS_ONNXRUNTIME MATCHES "auto|download")
    # The headers are the same in the archives of all platforms; this one is the smallest.
    sr_ops_download(_root NAME onnxruntime-linux-x64-${_pinned}.tgz
      SHA256 67db4dc1561f1e3fd42e619575c82c601ef89849afc7ea85a003abbac1a1a105
      URLS "https://github.com/microsoft/onnxruntime/releases/download/v${_pinned}/onnxruntime-linux-x64-${_pinned}.tgz")
    _sr_ops_take_onnxruntime_headers("${_root}")
  endif()
endif()

if(OnnxRuntimeHeaders_INCLUDE_DIR)
  add_library(sr_ops_onnxruntime_headers INTERFACE IMPORTED GLOBAL)
  target_include_directories(sr_ops_onnxruntime_headers
    INTERFACE "${OnnxRuntimeHeaders_INCLUDE_DIR}")
  set_target_properties(sr_ops_onnxruntime_headers PROPERTIES
    SR_OPS_VERSION "${OnnxRuntimeHeaders_VERSION}")
  add_library(sr_ops::onnxruntime_headers ALIAS sr_ops_onnxruntime_headers)
  message(STATUS
    "ONNX Runtime ${OnnxRuntimeHeaders_VERSION} headers: ${OnnxRuntimeHeaders_INCLUDE_DIR}")
  set(OnnxRuntimeHeaders_FOUND TRUE)
else()
  message(FATAL_ERROR
    "sr_ops needs the headers of ONNX Runtime 1.${_minimum} or newer (onnxruntime_c_api.h).\n"
    "  Debian 13, Ubuntu 26.04 or newer:  sudo apt-get install libonnxruntime-dev\n"
    "  Fedora:                            sudo dnf install onnxruntime-devel\n"
    "  macOS:                             brew install onnxruntime\n"
    "  elsewhere: unpack a release archive of github.com/microsoft/onnxruntime and pass "
    "-DSR_OPS_ONNXRUNTIME_INCLUDE_DIR=<its include folder>")
endif()

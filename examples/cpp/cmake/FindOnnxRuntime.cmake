# The target OnnxRuntime::OnnxRuntime: headers and library.
#
#   ONNXRUNTIME_INCLUDE_DIR  the folder of onnxruntime_cxx_api.h (1.17 or newer), where it is not on
#                            the system (Debian 13: libonnxruntime-dev): from a release archive of
#                            github.com/microsoft/onnxruntime
#   ONNXRUNTIME_LIBRARY      libonnxruntime.so.1...; empty: the one inside the pip package onnxruntime
#                            of Python_EXECUTABLE, which has neither headers nor a name to link to:
#                            it gets a link under its run-time name in the build folder
find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_cxx_api.h
  PATH_SUFFIXES onnxruntime onnxruntime/core/session REQUIRED)
set(ONNXRUNTIME_LIBRARY "" CACHE FILEPATH "libonnxruntime.so.1...; empty: the pip package's")
if(NOT ONNXRUNTIME_LIBRARY)
  find_package(Python REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
      "import importlib.util as u; print(u.find_spec('onnxruntime').submodule_search_locations[0])"
    OUTPUT_VARIABLE package OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(GLOB ONNXRUNTIME_LIBRARY "${package}/capi/libonnxruntime.so.1*")
  if(NOT package OR NOT ONNXRUNTIME_LIBRARY)
    message(FATAL_ERROR "${Python_EXECUTABLE} has no onnxruntime; bring it with `pip install "
                        "onnxruntime`, or name a library with -D ONNXRUNTIME_LIBRARY=...")
  endif()
endif()
file(CREATE_LINK "${ONNXRUNTIME_LIBRARY}" "${CMAKE_BINARY_DIR}/libonnxruntime.so.1" SYMBOLIC)
add_library(OnnxRuntime::OnnxRuntime SHARED IMPORTED)
set_target_properties(OnnxRuntime::OnnxRuntime PROPERTIES
  IMPORTED_LOCATION "${CMAKE_BINARY_DIR}/libonnxruntime.so.1"
  IMPORTED_SONAME libonnxruntime.so.1
  INTERFACE_INCLUDE_DIRECTORIES "${ONNXRUNTIME_INCLUDE_DIR}")
set(OnnxRuntime_FOUND TRUE)

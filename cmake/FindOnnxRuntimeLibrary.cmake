# ONNX Runtime's shared library, for tests that load it while they run: a given path, else the one
# in Python's onnxruntime package, else the system's. Sets OnnxRuntimeLibrary_PATH; nothing is
# linked to it.
include_guard(GLOBAL)

set(SR_OPS_ONNXRUNTIME_LIBRARY "" CACHE FILEPATH "ONNX Runtime's shared library, for tests")
set(OnnxRuntimeLibrary_PATH "${SR_OPS_ONNXRUNTIME_LIBRARY}")
if(NOT OnnxRuntimeLibrary_PATH)
  find_package(Python COMPONENTS Interpreter)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
      "import glob, importlib.util as u, os; s = u.find_spec('onnxruntime'); print(*(glob.glob(os.path.join(os.path.dirname(s.origin), 'capi', 'libonnxruntime.so*')) if s else []), sep=';')"
    OUTPUT_VARIABLE _from_python OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(GET _from_python 0 OnnxRuntimeLibrary_PATH)
endif()
if(NOT OnnxRuntimeLibrary_PATH)
  find_library(SR_OPS_SYSTEM_ONNXRUNTIME onnxruntime)
  mark_as_advanced(SR_OPS_SYSTEM_ONNXRUNTIME)
  if(SR_OPS_SYSTEM_ONNXRUNTIME)
    set(OnnxRuntimeLibrary_PATH "${SR_OPS_SYSTEM_ONNXRUNTIME}")
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxRuntimeLibrary REQUIRED_VARS OnnxRuntimeLibrary_PATH
  REASON_FAILURE_MESSAGE "the tests of sessions need it: pip install onnxruntime, or pass -DSR_OPS_ONNXRUNTIME_LIBRARY=<file>")

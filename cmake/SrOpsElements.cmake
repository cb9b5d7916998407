# The lists of element types in csrc/core/types.h: SR_OPS_ELEMENT_NAMES, those of tensors alone in
# SR_OPS_TENSOR_ELEMENT_NAMES, and SR_OPS_ELEMENT_TYPE_<name> for each.
include_guard(GLOBAL)

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/csrc/core/types.h")
file(READ "${PROJECT_SOURCE_DIR}/csrc/core/types.h" _types)
string(REGEX MATCHALL "_\\([A-Za-z0-9]+, [A-Za-z0-9_]+, [0-9]+\\)" _entries "${_types}")
foreach(entry IN LISTS _entries)
  string(REGEX MATCH "_\\(([A-Za-z0-9]+), ([A-Za-z0-9_]+)," _ "${entry}")
  list(APPEND SR_OPS_ELEMENT_NAMES ${CMAKE_MATCH_1})
  set(SR_OPS_ELEMENT_TYPE_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()
string(FIND "${_types}" "#define SR_OPS_ELEMENT_TYPES" _all)
string(SUBSTRING "${_types}" 0 ${_all} _types)
foreach(name IN LISTS SR_OPS_ELEMENT_NAMES)
  if(_types MATCHES "_\\(${name}, ")
    list(APPEND SR_OPS_TENSOR_ELEMENT_NAMES ${name})
  endif()
endforeach()
if(NOT SR_OPS_TENSOR_ELEMENT_NAMES)
  message(FATAL_ERROR "sr_ops: csrc/core/types.h has no list of element types")
endif()

# sr_ops_element_sources(<variable> <template> <stem> <ending> <name>...): one file an element type,
# made from the template, called <stem>_<name in lower case><ending>, in the present build folder.
function(sr_ops_element_sources variable template stem ending)
  set(files "")
  foreach(SR_OPS_ELEMENT IN LISTS ARGN)
    set(SR_OPS_ELEMENT_TYPE ${SR_OPS_ELEMENT_TYPE_${SR_OPS_ELEMENT}})
    string(TOLOWER "${stem}_${SR_OPS_ELEMENT}${ending}" SR_OPS_ELEMENT_FILE)
    configure_file("${template}" "${CMAKE_CURRENT_BINARY_DIR}/${SR_OPS_ELEMENT_FILE}" @ONLY)
    list(APPEND files "${CMAKE_CURRENT_BINARY_DIR}/${SR_OPS_ELEMENT_FILE}")
  endforeach()
  set(${variable} ${files} PARENT_SCOPE)
endfunction()

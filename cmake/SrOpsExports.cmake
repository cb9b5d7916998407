# sr_ops_export_only(<target> [<symbol>...]): the shared library shows these symbols and no other,
# not even template instances of the standard library, which would meet those of other libraries in
# the process.
include_guard(GLOBAL)

function(sr_ops_export_only target)
  set(list "${CMAKE_BINARY_DIR}/exports/${target}")
  if(APPLE)
    list(TRANSFORM ARGN PREPEND "_")
    string(REPLACE ";" "\n" content "${ARGN}\n")
    target_link_options(${target} PRIVATE "-Wl,-exported_symbols_list,${list}")
  elseif(UNIX)
    string(REPLACE ";" "; " symbols "${ARGN}")
    set(content "{ local: *; };\n")
    if(ARGN)
      set(content "{ global: ${symbols}; local: *; };\n")
    endif()
    target_link_options(${target} PRIVATE "-Wl,--version-script=${list}")
    get_target_property(type ${target} TYPE)
    # A Python module leaves the interpreter's symbols open, a sanitizer its runtime's.
    if(type STREQUAL SHARED_LIBRARY AND NOT SR_OPS_SANITIZE AND NOT SR_OPS_FUZZ)
      target_link_options(${target} PRIVATE -Wl,--no-undefined)
    endif()
  else()
    return()  # Windows shows only what __declspec(dllexport) marks
  endif()
  file(CONFIGURE OUTPUT "${list}" CONTENT "${content}" @ONLY)
  set_target_properties(${target} PROPERTIES LINK_DEPENDS "${list}")
endfunction()

# What other programs build against, as the component "sdk": headers, libraries, the CMake package
# sr_ops and a pkg-config file. `cmake --install` puts it below a prefix; setup.py puts the same into
# the Python package (SR_OPS_WHEEL), where files cannot be symbolic links: the libraries there carry
# no version in their names, and the ONNX Runtime one is the one that Python uses.
include_guard(GLOBAL)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

option(SR_OPS_WHEEL "Install for a Python wheel: unversioned libraries, below the package" OFF)

if(SR_OPS_WHEEL)
  set(_libraries lib)
  set(_headers include)
  set(_ort_library .)
else()
  set(_libraries "${CMAKE_INSTALL_LIBDIR}")
  set(_headers "${CMAKE_INSTALL_INCLUDEDIR}")
  set(_ort_library "${_libraries}")
endif()
set(_package "${_libraries}/cmake/sr_ops")

# In a wheel, no table of local symbols.
if(SR_OPS_WHEEL AND UNIX AND NOT APPLE)
  add_link_options(-s)
endif()

# One copy of the kernels for all of a wheel's front ends: in the ONNX Runtime library, which
# needs nothing but itself. It holds the functions of sr_ops/core.h as well; sr_ops::core is then its
# other name.
set(SR_OPS_ONE_LIBRARY OFF)
if(SR_OPS_WHEEL AND UNIX AND NOT APPLE)
  set(SR_OPS_ONE_LIBRARY ON)
endif()

# What the front ends of the Python package link.
add_library(sr_ops_front_end_core INTERFACE)
target_include_directories(sr_ops_front_end_core INTERFACE "${PROJECT_SOURCE_DIR}/csrc")
if(SR_OPS_ONE_LIBRARY)
  target_link_libraries(sr_ops_front_end_core INTERFACE sr_ops_ort)
else()
  target_link_libraries(sr_ops_front_end_core INTERFACE sr_ops_core)
endif()

# sr_ops_find_beside(<target>): which finds that library in its own folder.
function(sr_ops_find_beside target)
  if(SR_OPS_ONE_LIBRARY)
    set_target_properties(${target} PROPERTIES
      SKIP_BUILD_RPATH OFF BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN")
  endif()
endfunction()

# Until 1.0 a minor version may change the binary interface.
set(_interface "${PROJECT_VERSION_MAJOR}")
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(_interface "0.${PROJECT_VERSION_MINOR}")
endif()

configure_file(csrc/include/sr_ops/version.h.in include/sr_ops/version.h @ONLY)

# sr_ops_public_headers(<target>): its users find <sr_ops/...>.
function(sr_ops_public_headers target)
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/csrc/include>"
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>"
    "$<INSTALL_INTERFACE:${_headers}>")
endfunction()

# sr_ops_static_name(<target> <name>): a static library, named like its shared sibling where the two
# have different endings.
function(sr_ops_static_name target name)
  target_compile_definitions(${target} PUBLIC SR_OPS_STATIC)
  if(WIN32)
    string(APPEND name _static)
  endif()
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name})
endfunction()

function(sr_ops_install_sdk)
  set(libraries sr_ops_core_shared sr_ops_core_static)
  if(TARGET sr_ops_ort)
    list(APPEND libraries sr_ops_ort sr_ops_ort_static)
    install(TARGETS sr_ops_ort EXPORT sr_ops COMPONENT sdk
      LIBRARY DESTINATION "${_ort_library}" RUNTIME DESTINATION "${_ort_library}"
      ARCHIVE DESTINATION "${_libraries}")
    install(TARGETS sr_ops_ort_static EXPORT sr_ops COMPONENT sdk
      ARCHIVE DESTINATION "${_libraries}")
  else()
    set(unused PATTERN ort.h EXCLUDE)
  endif()
  if(NOT SR_OPS_WHEEL)
    foreach(library IN LISTS libraries)  # static ones take no notice
      set_target_properties(${library} PROPERTIES
        SOVERSION "${_interface}" VERSION "${PROJECT_VERSION}")
    endforeach()
  endif()
  install(TARGETS sr_ops_core_shared sr_ops_core_static EXPORT sr_ops COMPONENT sdk
    LIBRARY DESTINATION "${_libraries}" ARCHIVE DESTINATION "${_libraries}"
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(DIRECTORY csrc/include/sr_ops "${PROJECT_BINARY_DIR}/include/sr_ops"
    DESTINATION "${_headers}" COMPONENT sdk FILES_MATCHING PATTERN "*.h" ${unused})

  install(EXPORT sr_ops NAMESPACE sr_ops:: FILE sr_ops-targets.cmake DESTINATION "${_package}"
    COMPONENT sdk)
  configure_package_config_file(cmake/sr_ops-config.cmake.in sr_ops-config.cmake
    INSTALL_DESTINATION "${_package}")
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/sr_ops-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/sr_ops-config.cmake"
    "${PROJECT_BINARY_DIR}/sr_ops-config-version.cmake" DESTINATION "${_package}" COMPONENT sdk)

  file(RELATIVE_PATH SR_OPS_PC_PREFIX "/${_libraries}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" SR_OPS_PC_PREFIX "${SR_OPS_PC_PREFIX}")
  set(SR_OPS_PC_LIBDIR "${_libraries}")
  set(SR_OPS_PC_LIBRARY sr_ops_core)
  if(SR_OPS_ONE_LIBRARY)
    set(SR_OPS_PC_LIBDIR "${_ort_library}")
    set(SR_OPS_PC_LIBRARY sr_ops_ort)
  endif()
  set(SR_OPS_PC_INCLUDEDIR "${_headers}")
  configure_file(cmake/sr_ops.pc.in sr_ops.pc @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/sr_ops.pc" DESTINATION "${_libraries}/pkgconfig"
    COMPONENT sdk)

  # The Python package holds a copy, for sr_ops.get_include() and sr_ops.get_cmake_dir().
  if(SR_OPS_PYTHON)
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/include/sr_ops/*")
    add_custom_command(OUTPUT sdk_in_package.stamp
      COMMAND "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --config $<CONFIG>
              --component sdk --prefix "${SR_OPS_PYTHON_PACKAGE}"
      COMMAND "${CMAKE_COMMAND}" -E touch sdk_in_package.stamp
      DEPENDS ${libraries} ${headers}
      COMMENT "C++ libraries into the Python package" VERBATIM)
    add_custom_target(sr_ops_sdk_in_package ALL DEPENDS sdk_in_package.stamp)
  endif()
endfunction()

# sr_ops_compile_options(<target>): the warnings that all of our own code is compiled with. They are
# errors where SR_OPS_WERROR is on, as continuous integration sets it: a newer compiler than ours
# must not break an installation.
include_guard(GLOBAL)

option(SR_OPS_WERROR "Warnings are errors" OFF)

function(sr_ops_compile_options target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W3 /utf-8 /permissive- /Zc:__cplusplus
      $<$<BOOL:${SR_OPS_WERROR}>:/WX>)
    target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS NOMINMAX)
  else()
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:C,CXX>:-Wall -Wextra $<$<BOOL:${SR_OPS_WERROR}>:-Werror>>)
  endif()
endfunction()

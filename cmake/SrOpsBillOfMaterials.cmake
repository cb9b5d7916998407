# sr_ops_write_bill_of_materials(<file>): whose code the built libraries contain, in CycloneDX's form.
# setup.py puts it into the wheel (PEP 770). The licences' texts are in THIRD_PARTY_NOTICES.md.
#
# Called when every target is there. No dates and no random numbers: the same build gives the same
# bytes.
include_guard(GLOBAL)

# Appends a component to `components` and its name to `names`, in the caller's scope.
function(_sr_ops_component name version licence link)
  string(CONCAT component
    "    {\n"
    "      \"type\": \"library\",\n"
    "      \"bom-ref\": \"${name}\",\n"
    "      \"name\": \"${name}\",\n"
    "      \"version\": \"${version}\",\n"
    "      \"licenses\": [{\"expression\": \"${licence}\"}],\n"
    "      \"purl\": \"${link}\"\n"
    "    }")
  set(components ${components} "${component}" PARENT_SCOPE)
  set(names ${names} "\"${name}\"" PARENT_SCOPE)
endfunction()

function(sr_ops_write_bill_of_materials file)
  _sr_ops_component("Google Highway" "${Highway_VERSION}" "Apache-2.0 OR BSD-3-Clause"
    "pkg:github/google/highway@${Highway_VERSION}")
  if(TARGET sr_ops_native)
    get_target_property(version sr_ops_native SR_OPS_PYBIND11_VERSION)
    _sr_ops_component("pybind11" "${version}" "BSD-3-Clause" "pkg:pypi/pybind11@${version}")
  endif()
  if(TARGET sr_ops_torch)
    _sr_ops_component("PyTorch" "${StableTorch_VERSION}" "BSD-3-Clause"
      "pkg:pypi/torch@${StableTorch_VERSION}")
  endif()
  if(TARGET sr_ops_onnxruntime_headers)  # they do not say which release of 1.N they are of
    get_target_property(version sr_ops_onnxruntime_headers SR_OPS_VERSION)
    _sr_ops_component("ONNX Runtime" "${version}" "MIT" "pkg:github/microsoft/onnxruntime")
  endif()
  list(JOIN components ",\n" components)
  list(JOIN names ", " names)
  file(CONFIGURE OUTPUT "${file}" @ONLY CONTENT [[{
  "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.6",
  "version": 1,
  "metadata": {
    "component": {
      "type": "library",
      "bom-ref": "sr-ops",
      "name": "sr-ops",
      "version": "@PROJECT_VERSION@",
      "licenses": [{"expression": "Apache-2.0"}],
      "purl": "pkg:pypi/sr-ops@@PROJECT_VERSION@"
    }
  },
  "components": [
@components@
  ],
  "dependencies": [{"ref": "sr-ops", "dependsOn": [@names@]}]
}
]])
endfunction()

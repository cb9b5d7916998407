# The target OpenCvPictures: OpenCV's core and imgcodecs, by its CMake package or, where only Debian's
# smaller libopencv-imgcodecs-dev is installed, which has none, by name.
find_package(OpenCV QUIET COMPONENTS core imgcodecs)
add_library(OpenCvPictures INTERFACE IMPORTED)
if(OpenCV_FOUND)
  target_link_libraries(OpenCvPictures INTERFACE ${OpenCV_LIBS})
else()
  find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
  find_library(OPENCV_CORE_LIBRARY opencv_core REQUIRED)
  find_library(OPENCV_IMGCODECS_LIBRARY opencv_imgcodecs REQUIRED)
  target_include_directories(OpenCvPictures SYSTEM INTERFACE "${OPENCV_INCLUDE_DIR}")
  target_link_libraries(OpenCvPictures INTERFACE
    "${OPENCV_IMGCODECS_LIBRARY}" "${OPENCV_CORE_LIBRARY}")
endif()
set(OpenCvPictures_FOUND TRUE)

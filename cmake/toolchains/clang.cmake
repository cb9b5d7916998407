# Clang for C and C++, whichever release is installed.
find_program(SR_OPS_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
find_program(SR_OPS_CLANGXX NAMES clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15
  clang++-14 REQUIRED)
set(CMAKE_C_COMPILER "${SR_OPS_CLANG}")
set(CMAKE_CXX_COMPILER "${SR_OPS_CLANGXX}")

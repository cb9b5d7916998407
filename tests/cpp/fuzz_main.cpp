// Runs a libFuzzer target without libFuzzer: files, also whole folders, given on the command line,
// or random inputs. Knows libFuzzer's -runs=N and -seed=N; without them it runs the files only.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

bool RunFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << path.string() << ": cannot be read\n";
    return false;
  }
  const std::vector<char> data((std::istreambuf_iterator<char>(file)), {});
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  return true;
}

void RunRandom(uint64_t runs, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> input(96);
  for (uint64_t run = 0; run < runs; ++run) {
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 0, seed = 1;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("-runs=", 0) == 0) {
      runs = std::strtoull(argument.c_str() + 6, nullptr, 10);
    } else if (argument.rfind("-seed=", 0) == 0) {
      seed = std::strtoull(argument.c_str() + 6, nullptr, 10);
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::directory_iterator(argument)) {
        files.push_back(entry.path());
      }
    } else {
      files.push_back(argument);
    }
  }
  for (const std::filesystem::path& file : files) {
    if (!RunFile(file)) return EXIT_FAILURE;
  }
  RunRandom(runs, seed);
  std::cout << files.size() << " files and " << runs << " random inputs without a finding\n";
  return EXIT_SUCCESS;
}

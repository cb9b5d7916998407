// The library of sr_ops/core.h is loaded, used on its own threads and closed again, many times: its
// threads must outlive that. Usage: sr_ops_sdk_unload_test <the shared library>
#include <dlfcn.h>
#include <sr_ops/core.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"

namespace sr_ops::test {
namespace {

void UseAndClose(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  Expect(library != nullptr, "dlopen");
  if (library == nullptr) return;
  using Upscale = decltype(&sr_ops_dynamic_upscale);
  const Upscale upscale = reinterpret_cast<Upscale>(dlsym(library, "sr_ops_dynamic_upscale"));
  Expect(upscale != nullptr, "dlsym");
  sr_ops_description d = sr_ops_default_description();
  d.shape[0] = d.shape[1] = 1;
  d.shape[2] = d.shape[3] = 256;
  d.scale_height = d.scale_width = 2.0f;
  const std::vector<float> x(256 * 256, 1.0f);
  std::vector<float> y(512 * 512);
  const sr_ops_threads threads{4, nullptr, nullptr};
  const sr_ops_status status = upscale(&d, x.data(), y.data(), &threads);
  Expect(status.code == SR_OPS_OK && y.back() == 1.0f, std::string("result ") + status.message);
  Expect(dlclose(library) == 0, "dlclose");
  // The helpers go to sleep, or wake up, about now.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace sr_ops::test

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (int i = 0; i < 10; ++i) sr_ops::test::UseAndClose(argv[1]);
  std::cout << "closed ten times: " << sr_ops::test::failures << " failures\n";
  return sr_ops::test::ExitStatus();
}

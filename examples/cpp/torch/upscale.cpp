// PyTorch from C++: the operator by its name, or a whole network compiled by AOTInductor.
//
//   upscale libsr_ops_torch.so SCALE                 the operator, compared with torch's bicubic
//   upscale libsr_ops_torch.so SCALE PROGRAM.pt2     a program that takes an image and a scale
//
// The library lies beside the one that `python -c "import sr_ops;
// print(sr_ops.get_library_path())"` prints. Loading it registers the operators with torch; a .pt2
// program finds them there.
#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/torch.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// The operator sr_ops::dynamic_upscale with its defaults: half_pixel, a = -0.75, rounded to
/// nearest.
at::Tensor DynamicUpscale(const at::Tensor& x, const at::Tensor& scale) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("sr_ops::dynamic_upscale", "")
                             .typed<at::Tensor(const at::Tensor&, const at::Tensor&, int64_t,
                                               double, bool, bool, int64_t)>();
  return op.call(x, scale, 0, -0.75, false, false, 0);
}

/// The same image every time: a smooth one, as photographs mostly are.
at::Tensor Image() {
  const auto ramp = at::arange(1 * 3 * 20 * 30, at::kFloat).reshape({1, 3, 20, 30});
  return (ramp * 0.05f).sin() * 0.5f + 0.5f;
}

void Print(const char* what, const at::Tensor& y) {
  std::printf("%s: (%lld, %lld, %lld, %lld), mean %.6f\n", what, (long long)y.size(0),
              (long long)y.size(1), (long long)y.size(2), (long long)y.size(3),
              y.mean().item<double>());
}

void Run(int argc, char** argv) {
  if (!dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL)) throw std::runtime_error(dlerror());
  const at::Tensor x = Image();
  const at::Tensor scale = at::full({1}, std::strtof(argv[2], nullptr));
  if (argc == 4) {
    torch::inductor::AOTIModelPackageLoader program(argv[3]);
    Print("program", program.run({x, scale})[0]);
    return;
  }
  const at::Tensor y = DynamicUpscale(x, scale);
  Print("operator", y);
  const auto theirs = at::upsample_bicubic2d(x, {y.size(2), y.size(3)}, false, scale.item<double>(),
                                             scale.item<double>());
  std::printf("largest distance to torch's bicubic: %.1e\n",
              (y - theirs).abs().max().item<double>());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: %s LIBRARY SCALE [PROGRAM.pt2]\n", argv[0]);
    return 2;
  }
  try {
    const c10::InferenceMode inference;
    Run(argc, argv);
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "upscale: error: %s\n", error.what_without_backtrace());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "upscale: error: %s\n", error.what());
    return 2;
  }
  return 0;
}

// The public functions of sr_ops/core.h, through the shared library: the core's own bits in any
// layout, with anyone's threads, and every mistake named.
#include <sr_ops/core.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "descriptions.h"
#include "expect.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

void ReversedTasks(void* context, int64_t tasks, void (*run)(void*, int64_t), void* run_context) {
  ++*static_cast<int*>(context);
  std::thread half([&] {
    for (int64_t i = tasks - 1; i >= tasks / 2; --i) run(run_context, i);
  });
  for (int64_t i = tasks / 2 - 1; i >= 0; --i) run(run_context, i);
  half.join();
}

sr_ops_status Call(const Problem& p, const sr_ops_description& d, const void* source, void* out,
                   const sr_ops_threads* threads) {
  return p.direction == Direction::kForward
             ? sr_ops_dynamic_upscale(&d, source, out, threads)
             : sr_ops_dynamic_upscale_backward(&d, source, out, threads);
}

void TestBits(Random& random, int problems) {
  int callback_uses = 0;
  const sr_ops_threads own{3, nullptr, nullptr};
  const sr_ops_threads theirs{2, ReversedTasks, &callback_uses};
  const sr_ops_threads* all_threads[] = {nullptr, &own, &theirs};
  for (int i = 0; i < problems; ++i) {
    const Problem p = RandomProblem(random);
    const Shape shape = SourceShape(p), out_shape = DestinationShape(p);
    const Buffer source = DenseBuffer(random, shape, p.layout, p.dtype);
    Buffer expected = DenseBuffer(random, out_shape, p.layout, p.dtype);
    const ConstView from = ViewOf(source);
    const View to = ViewOf(&expected);
    Expect(Apply(p, from, to, 1).ok(), "the core: " + Describe(p));

    sr_ops_description d = DescriptionOf(p, IsBySize(p));
    int64_t size[2] = {-1, -1};
    const sr_ops_status sized = sr_ops_output_size(&d, size);
    Expect(sized.code == SR_OPS_OK && size[0] == p.out_height && size[1] == p.out_width,
           std::string("size: ") + sized.message + ", " + Describe(p));
    for (const sr_ops_threads* threads : all_threads) {
      Buffer out = DenseBuffer(random, out_shape, p.layout, p.dtype);
      const sr_ops_status status = Call(p, d, source.bytes.data(), out.bytes.data(), threads);
      Expect(status.code == SR_OPS_OK, status.message + (", " + Describe(p)));
      Expect(out.bytes == expected.bytes, "bits, " + Describe(p));
    }

    // The same from a source that lies anyhow, to rows that lie apart.
    int64_t origin = 0;
    const Buffer scattered = ScatteredCopy(random, shape, p.dtype, source, &origin);
    const bool forward = p.direction == Direction::kForward;
    std::copy_n(scattered.stride, 4, forward ? d.x_strides : d.y_strides);
    Buffer padded = expected;
    std::fill(padded.bytes.begin(), padded.bytes.end(), uint8_t{0});
    const bool last = p.layout == Layout::kChannelsLast;
    const int64_t row = (last ? out_shape.extent[1] : 1) * out_shape.extent[3] + 3;
    padded.stride[2] = row;
    padded.stride[1] = last ? 1 : row * out_shape.extent[2];
    padded.stride[0] = row * out_shape.extent[2] * (last ? 1 : out_shape.extent[1]);
    padded.bytes.resize(
        static_cast<size_t>(padded.stride[0] * out_shape.extent[0] * SizeOf(p.dtype)));
    std::copy_n(padded.stride, 4, forward ? d.y_strides : d.x_strides);
    const uint8_t* start = scattered.bytes.data() + origin * SizeOf(p.dtype);
    const sr_ops_status status = Call(p, d, start, padded.bytes.data(), &own);
    Expect(status.code == SR_OPS_OK, status.message + (", strided, " + Describe(p)));
    Expect(InOrder(out_shape, p.dtype, padded) == InOrder(out_shape, p.dtype, expected),
           "strided bits, " + Describe(p));
  }
  Expect(callback_uses > problems / 2, "the caller's threads were used");
}

sr_ops_description Ordinary() {
  sr_ops_description d = sr_ops_default_description();
  const int64_t shape[4] = {1, 3, 4, 5};
  std::copy_n(shape, 4, d.shape);
  d.scale_height = d.scale_width = 2.0f;
  return d;
}

template <typename Change>
void ExpectInvalid(const std::string& fragment, const Change& change) {
  sr_ops_description d = Ordinary();
  change(d);
  std::vector<double> x(4096), y(4096, 7.0);
  const sr_ops_status status = sr_ops_dynamic_upscale(&d, x.data(), y.data(), nullptr);
  Expect(status.code == SR_OPS_INVALID_ARGUMENT, "accepted, though: " + fragment);
  Expect(std::string(status.message).find(fragment) != std::string::npos,
         "expected '" + fragment + "' in: " + status.message);
  Expect(std::all_of(y.begin(), y.end(), [](double v) { return v == 7.0; }), "y was written");
}

void TestMistakes() {
  using D = sr_ops_description;
  const int64_t huge = INT64_MAX;
  ExpectInvalid("struct_size: got 8", [](D& d) { d.struct_size = 8; });
  ExpectInvalid("dtype: got 7", [](D& d) { d.dtype = 7; });
  ExpectInvalid("dtype: got -1", [](D& d) { d.dtype = -1; });
  ExpectInvalid("layout: got 2", [](D& d) { d.layout = 2; });
  ExpectInvalid("mode: got 5", [](D& d) { d.coordinate_transformation_mode = 5; });
  ExpectInvalid("antialias: got 2", [](D& d) { d.antialias = 2; });
  ExpectInvalid("exclude_outside: got -1", [](D& d) { d.exclude_outside = -1; });
  ExpectInvalid("rounding: got 2", [](D& d) { d.rounding = 2; });
  ExpectInvalid("takes uint8", [](D& d) { d.rounding = SR_OPS_ROUNDING_PILLOW; });
  ExpectInvalid("shape: height and width must be > 0", [](D& d) { d.shape[2] = 0; });
  ExpectInvalid("must be >= 0", [](D& d) { d.shape[1] = -1; });
  ExpectInvalid("2^40", [&](D& d) { d.shape[0] = huge; });
  ExpectInvalid("both a scale and an output size", [](D& d) { d.out_width = 3; });
  ExpectInvalid("neither a scale nor", [](D& d) { d.scale_height = d.scale_width = 0; });
  ExpectInvalid("the width factor is 0", [](D& d) { d.scale_width = 0; });
  ExpectInvalid("the height factor is nan", [](D& d) { d.scale_height = std::nanf(""); });
  ExpectInvalid("at least one pixel", [](D& d) { d.scale_height = 0.1f; });
  ExpectInvalid("2^40", [](D& d) { d.scale_height = d.scale_width = 1e30f; });
  ExpectInvalid("got 8, 0, expected both > 0", [](D& d) {
    d.scale_height = d.scale_width = 0;
    d.out_height = 8;
  });
  ExpectInvalid("cubic_coeff_a", [](D& d) { d.cubic_coeff_a = HUGE_VALF; });
  ExpectInvalid("y_strides: the rows", [](D& d) { std::fill_n(d.y_strides, 4, 2); });
  ExpectInvalid("y_strides: some elements", [](D& d) { d.y_strides[3] = 1; });
  ExpectInvalid("x_strides: got", [&](D& d) { d.x_strides[2] = huge; });
  ExpectInvalid("y_strides: got", [&](D& d) { d.y_strides[0] = d.y_strides[1] = -huge - 1; });
}

/// Callers that were compiled with an older header, whose description ended sooner.
void TestOlderHeaders() {
  sr_ops_description d = Ordinary();
  d.dtype = SR_OPS_UINT8;
  std::vector<uint8_t> x(60), exact(240), pillow(240), y(240);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i % 2 ? 255 : 37 * i);
  const auto run = [&](std::vector<uint8_t>* to) {
    Expect(sr_ops_dynamic_upscale(&d, x.data(), to->data(), nullptr).code == SR_OPS_OK, "refused");
  };
  run(&exact);
  d.rounding = SR_OPS_ROUNDING_PILLOW;
  run(&pillow);
  Expect(pillow != exact, "the rounding changes nothing");
  for (size_t size :
       {offsetof(sr_ops_description, window), offsetof(sr_ops_description, rounding)}) {
    d.struct_size = static_cast<uint32_t>(size);
    run(&y);
    Expect(y == exact, "the rounding of an older header was read");
  }
}

void TestMistakesBesides() {
  sr_ops_description d = Ordinary();
  std::vector<float> x(60, 1.0f), y(240);
  const auto invalid = [](const sr_ops_status& status, const std::string& fragment) {
    Expect(status.code == SR_OPS_INVALID_ARGUMENT &&
               std::string(status.message).find(fragment) != std::string::npos,
           "expected '" + fragment + "' in: " + status.message);
  };
  invalid(sr_ops_dynamic_upscale(nullptr, x.data(), y.data(), nullptr), "null pointer");
  invalid(sr_ops_dynamic_upscale(&d, nullptr, y.data(), nullptr), "null pointer");
  invalid(sr_ops_dynamic_upscale(&d, x.data(), nullptr, nullptr), "null pointer");
  invalid(sr_ops_dynamic_upscale(&d, y.data(), y.data(), nullptr), "same buffer");
  invalid(sr_ops_output_size(&d, nullptr), "null pointer");
  const sr_ops_threads none{0, nullptr, nullptr};
  invalid(sr_ops_dynamic_upscale(&d, x.data(), y.data(), &none), "count of 0");
  const sr_ops_threads lazy{
      2, [](void*, int64_t, void (*run)(void*, int64_t), void* context) { run(context, 0); },
      nullptr};
  invalid(sr_ops_dynamic_upscale(&d, x.data(), y.data(), &lazy), "ran 1 of 3 tasks");
  d.dtype = SR_OPS_UINT8;
  invalid(sr_ops_dynamic_upscale_backward(&d, y.data(), x.data(), nullptr), "floating-point");
  d = Ordinary();
  d.shape[1] = 0;
  Expect(sr_ops_dynamic_upscale(&d, nullptr, nullptr, nullptr).code == SR_OPS_OK, "empty");
  Expect(std::string(sr_ops_version()) == SR_OPS_VERSION, "version");
  Expect(!std::string(sr_ops_instruction_set()).empty(), "instruction set");
}

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 300;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  TestMistakes();
  TestMistakesBesides();
  TestOlderHeaders();
  TestBits(random, problems);
  std::cout << problems << " random descriptions on " << sr_ops_instruction_set() << ": "
            << failures << " failures\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }

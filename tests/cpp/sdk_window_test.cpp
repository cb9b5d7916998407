// Windows and limits of sr_ops/core.h, through the shared library: a part of the result has the
// bits that it has in the whole, also where it is computed from the smallest part of the source.
#include <sr_ops/core.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include "descriptions.h"
#include "expect.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

void Write(const Rectangle& part, int64_t (&field)[4]) {
  const int64_t values[4] = {part.top, part.left, part.height, part.width};
  std::copy_n(values, 4, field);
}

bool Refused(const sr_ops_status& status, const std::string& fragment) {
  return status.code == SR_OPS_INVALID_ARGUMENT &&
         std::string(status.message).find(fragment) != std::string::npos;
}

void ExpectBits(Random& random, const Problem& p, const sr_ops_description& d, const Buffer& source,
                const Buffer& expected, const Rectangle& window) {
  Buffer out =
      DenseBuffer(random, {{p.batch, p.channels, window.height, window.width}}, p.layout, p.dtype);
  const sr_ops_threads two{2, nullptr, nullptr};
  const sr_ops_status status =
      sr_ops_dynamic_upscale(&d, source.bytes.data(), out.bytes.data(), &two);
  Expect(status.code == SR_OPS_OK, status.message + (", " + Describe(p)));
  Expect(out.bytes == expected.bytes, "bits, " + Describe(p));
}

void TestWindow(Random& random) {
  Problem p = RandomProblem(random);
  p.direction = Direction::kForward;
  const Shape shape = SourceShape(p), out_shape = DestinationShape(p);
  const Buffer source = DenseBuffer(random, shape, p.layout, p.dtype);
  Buffer whole = DenseBuffer(random, out_shape, p.layout, p.dtype);
  Expect(Apply(p, ViewOf(source), ViewOf(&whole), 1).ok(), "the core: " + Describe(p));

  sr_ops_description d = DescriptionOf(p, IsBySize(p));
  p.window = RandomPart(random, p.out_height, p.out_width);
  Write(p.window, d.window);
  const Buffer expected = PartOf(out_shape, p.window, p.dtype, p.layout, whole);
  ExpectBits(random, p, d, source, expected, p.window);

  std::fill(d.crop, d.crop + 4, -7);  // is not looked at
  int64_t read[4];
  const sr_ops_status found = sr_ops_source_rectangle(&d, read);
  Expect(found.code == SR_OPS_OK, found.message + (", " + Describe(p)));
  const Rectangle smallest{read[0], read[1], read[2], read[3]};
  p.crop = RandomPartAround(random, smallest, p.in_height, p.in_width);
  Write(p.crop, d.crop);
  const Buffer part = PartOf(shape, p.crop, p.dtype, p.layout, source);
  ExpectBits(random, p, d, part, expected, p.window);

  if (smallest.height == 1 || p.batch * p.channels == 0) return;
  p.crop = {smallest.top + 1, smallest.left, smallest.height - 1, smallest.width};
  Write(p.crop, d.crop);
  Buffer untouched = expected;
  const sr_ops_status cut =
      sr_ops_dynamic_upscale(&d, source.bytes.data(), untouched.bytes.data(), nullptr);
  Expect(Refused(cut, "crop"), "a row is missing, " + Describe(p) + ": " + cut.message);
  Expect(untouched.bytes == expected.bytes, "y was written");
}

void TestMistakes() {
  sr_ops_description d = sr_ops_default_description();
  const int64_t shape[4] = {1, 1, 4, 5}, outside[4] = {0, 0, 9, 10};
  std::copy_n(shape, 4, d.shape);
  d.scale_height = d.scale_width = 2.0f;
  int64_t read[4];
  Expect(Refused(sr_ops_source_rectangle(&d, nullptr), "rectangle: got a null"), "null");
  Expect(Refused(sr_ops_source_rectangle(nullptr, read), "description: got a null"), "null");
  Expect(sr_ops_source_rectangle(&d, read).code == SR_OPS_OK && read[2] == 4 && read[3] == 5,
         "without a window the whole source is read");
  std::copy_n(outside, 4, d.window);
  Expect(Refused(sr_ops_source_rectangle(&d, read), "window"), "outside of the result");
}

void TestLimits() {
  sr_ops_limits before, now;
  Expect(sr_ops_get_limits(&before).code == SR_OPS_OK, "limits");
  Expect(Refused(sr_ops_get_limits(nullptr), "limits: got a null"), "null");
  Expect(Refused(sr_ops_set_limits(nullptr), "limits: got a null"), "null");
  now = before;
  now.work = 0;
  Expect(sr_ops_set_limits(&now).code == SR_OPS_INVALID_ARGUMENT, "no work at all");
  now.work = 10;
  Expect(sr_ops_set_limits(&now).code == SR_OPS_OK, "little work");
  Expect(sr_ops_get_limits(&now).code == SR_OPS_OK && now.work == 10, "as set");
  sr_ops_description d = sr_ops_default_description();
  std::fill(d.shape, d.shape + 4, 2);
  d.scale_height = d.scale_width = 3.0f;
  float x[16] = {}, y[144] = {};
  Expect(Refused(sr_ops_dynamic_upscale(&d, x, y, nullptr), "would need"), "above the limit");
  Expect(sr_ops_set_limits(&before).code == SR_OPS_OK, "as before");
  Expect(sr_ops_dynamic_upscale(&d, x, y, nullptr).code == SR_OPS_OK, "below it again");
}

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 1000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  TestMistakes();
  TestLimits();
  for (int i = 0; i < problems; ++i) TestWindow(random);
  std::cout << problems << " random windows: " << failures << " failures\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }

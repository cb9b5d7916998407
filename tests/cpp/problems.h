// Random problems and the buffers that they need, for tests and fuzzers of the core.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/resample.h"
#include "core/types.h"
#include "core/window.h"

namespace sr_ops::test {

using Random = std::mt19937_64;

/// Uniform in [low, high].
int64_t Between(Random& random, int64_t low, int64_t high);

/// A valid problem of moderate size; edges (one pixel, one output, many taps) are frequent.
Problem RandomProblem(Random& random);

/// One whose width is halved, or whose adjoint's is; the height shrinks, too.
Problem HalvedProblem(Random& random);

/// Everything that defines a problem, for failure messages.
std::string Describe(const Problem& problem);

/// (N, C, H, W) of the destination or the source of a problem.
struct Shape {
  int64_t extent[4];
  int64_t elements() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
};
/// Of the window and the crop where there are some.
Shape SourceShape(const Problem& problem);
Shape DestinationShape(const Problem& problem);

/// Calls `visit` with the offset of each element, in (N, C, H, W) order.
template <typename Visit>
void ForEach(const Shape& shape, const int64_t* stride, const Visit& visit) {
  const int64_t* e = shape.extent;
  for (int64_t n = 0; n < e[0]; ++n)
    for (int64_t c = 0; c < e[1]; ++c)
      for (int64_t y = 0; y < e[2]; ++y)
        for (int64_t x = 0; x < e[3]; ++x)
          visit(n * stride[0] + c * stride[1] + y * stride[2] + x * stride[3]);
}

/// A buffer of exactly the bytes that its elements need, on the heap, where sanitizers watch it.
struct Buffer {
  std::vector<uint8_t> bytes;
  int64_t stride[4];
};

/// As the operator takes it; element (0, 0, 0, 0) lies `origin` bytes behind the start.
ConstView ViewOf(const Buffer& buffer, int64_t origin = 0);
View ViewOf(Buffer* buffer);

/// Dense in the given layout, filled with finite random elements.
Buffer DenseBuffer(Random& random, const Shape& shape, Layout layout, DataType dtype);

/// What fills gaps between elements: NaN in every floating type.
constexpr uint8_t kGapByte = 0xff;

/// Any order of axes, any directions, gaps between elements; `origin` is element (0, 0, 0, 0).
Buffer ScatteredCopy(Random& random, const Shape& shape, DataType dtype, const Buffer& from,
                     int64_t* origin);

/// Bytes of the elements in (N, C, H, W) order.
std::vector<uint8_t> InOrder(const Shape& shape, DataType dtype, const Buffer& buffer,
                             int64_t origin = 0);

/// A dense copy, in the given layout, of a part of every plane.
Buffer PartOf(const Shape& shape, const Rectangle& part, DataType dtype, Layout layout,
              const Buffer& buffer);

/// A part of an image of height x width pixels; its edges and single pixels are frequent.
Rectangle RandomPart(Random& random, int64_t height, int64_t width);

/// Any rectangle of the image that holds `part`.
Rectangle RandomPartAround(Random& random, const Rectangle& part, int64_t height, int64_t width);

/// Applies the operator with `threads` threads of its own.
Status Apply(const Problem& problem, const ConstView& source, const View& destination, int threads);

}  // namespace sr_ops::test

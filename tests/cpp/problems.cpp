#include "problems.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <sstream>
#include <thread>
#include <utility>

#include "core/convert.h"
#include "core/scale.h"

namespace sr_ops::test {
namespace {

bool Chance(Random& random, double probability) {
  return std::uniform_real_distribution<double>()(random) < probability;
}

int64_t RandomExtent(Random& random) {
  return Chance(random, 0.15) ? Between(random, 1, 3) : Between(random, 1, 60);
}

template <typename T>
void Store(uint8_t* to, float value) {
  T element;
  FromAccumulator(value, &element);
  std::memcpy(to, &element, sizeof element);
}

void StoreElement(DataType dtype, float value, uint8_t* to) {
  switch (dtype) {
    case DataType::kFloat32: std::memcpy(to, &value, sizeof value); return;
    case DataType::kFloat64: {
      const double wide = value * 1.1;
      std::memcpy(to, &wide, sizeof wide);
      return;
    }
    case DataType::kFloat16: return Store<Float16>(to, value);
    case DataType::kBFloat16: return Store<BFloat16>(to, value);
    case DataType::kUInt8: return Store<uint8_t>(to, value);
    case DataType::kInt8: return Store<int8_t>(to, value);
    case DataType::kUInt16: return Store<uint16_t>(to, value * 256);
  }
}

void DenseStrides(const Shape& shape, Layout layout, int64_t* stride) {
  const int64_t* e = shape.extent;
  const bool last = layout == Layout::kChannelsLast;
  stride[3] = last ? e[1] : 1;
  stride[2] = e[3] * stride[3];
  stride[1] = last ? 1 : e[2] * e[3];
  stride[0] = e[1] * e[2] * e[3];
}

}  // namespace

int64_t Between(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

Problem RandomProblem(Random& random) {
  Problem p;
  p.batch = Between(random, 0, 2);
  p.batch += p.batch == 0 && Chance(random, 0.9);
  p.channels = Chance(random, 0.1) ? Between(random, 0, 40) : Between(random, 1, 4);
  p.in_height = RandomExtent(random);
  p.in_width = Chance(random, 0.1) ? Between(random, 100, 700) : RandomExtent(random);
  if (Chance(random, 0.5)) {
    p.out_height = RandomExtent(random);
    p.out_width = Chance(random, 0.1) ? Between(random, 100, 700) : RandomExtent(random);
    p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
    p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
  } else {
    std::uniform_real_distribution<float> logarithm(std::log(0.2f), std::log(8.0f));
    const auto scale = [&](int64_t n) {
      return std::max(std::exp(logarithm(random)), std::nextafter(1.0f / n, 2.0f));
    };
    const float height = scale(p.in_height), width = scale(p.in_width);
    p.out_height = std::max<int64_t>(1, OutputSize(p.in_height, height));
    p.out_width = std::max<int64_t>(1, OutputSize(p.in_width, width));
    p.scale_height = height;
    p.scale_width = width;
  }
  p.dtype = static_cast<DataType>(Between(random, 0, 6));
  p.layout = static_cast<Layout>(Between(random, 0, 1));
  const bool floating = !IsInteger(p.dtype);
  p.direction = floating ? static_cast<Direction>(Between(random, 0, 1)) : Direction::kForward;
  p.attributes.coordinate_transformation_mode = static_cast<CoordinateMode>(Between(random, 0, 4));
  p.attributes.cubic_coeff_a = Chance(random, 0.5) ? -0.75f : -0.5f;
  p.attributes.antialias = Chance(random, 0.5);
  p.attributes.exclude_outside = Chance(random, 0.5);
  return p;
}

Problem HalvedProblem(Random& random) {
  Problem p = RandomProblem(random);
  p.batch = 1;
  p.channels = Between(random, 1, 5);
  p.out_height = Between(random, 1, 90);
  p.in_height = Chance(random, 0.7) ? 2 * p.out_height : p.out_height * Between(random, 2, 5) + 1;
  p.out_width = Chance(random, 0.1) ? Between(random, 1000, 5000) : Between(random, 20, 400);
  p.in_width = 2 * p.out_width;
  if (p.direction == Direction::kAdjoint) {
    std::swap(p.in_height, p.out_height);
    std::swap(p.in_width, p.out_width);
  }
  p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
  p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
  return p;
}

std::string Describe(const Problem& p) {
  std::ostringstream text;
  text.precision(17);
  const Attributes& a = p.attributes;
  text << "N=" << p.batch << " C=" << p.channels << ", " << p.in_height << "x" << p.in_width
       << " -> " << p.out_height << "x" << p.out_width << ", scales " << p.scale_height << ", "
       << p.scale_width << ", dtype " << static_cast<int>(p.dtype) << ", layout "
       << static_cast<int>(p.layout) << ", direction " << static_cast<int>(p.direction) << ", mode "
       << static_cast<int>(a.coordinate_transformation_mode) << ", a " << a.cubic_coeff_a
       << ", antialias " << a.antialias << ", exclude_outside " << a.exclude_outside
       << ", rounding " << static_cast<int>(a.rounding);
  for (const Rectangle& r : {p.window, p.crop}) {
    if (!r.empty())
      text << ", part " << r.top << " " << r.left << " " << r.height << "x" << r.width;
  }
  return text.str();
}

Shape SourceShape(const Problem& p) {
  const AxisPart rows = RowsOf(p), columns = ColumnsOf(p);
  if (p.direction == Direction::kForward) {
    return {{p.batch, p.channels, rows.source_count, columns.source_count}};
  }
  return {{p.batch, p.channels, rows.count, columns.count}};
}

Shape DestinationShape(const Problem& p) {
  Problem other = p;
  other.direction = p.direction == Direction::kForward ? Direction::kAdjoint : Direction::kForward;
  return SourceShape(other);
}

ConstView ViewOf(const Buffer& buffer, int64_t origin) {
  ConstView view{buffer.bytes.data() + origin, {}};
  std::copy_n(buffer.stride, 4, view.stride);
  return view;
}

View ViewOf(Buffer* buffer) {
  View view{buffer->bytes.data(), {}};
  std::copy_n(buffer->stride, 4, view.stride);
  return view;
}

Buffer DenseBuffer(Random& random, const Shape& shape, Layout layout, DataType dtype) {
  Buffer buffer;
  DenseStrides(shape, layout, buffer.stride);
  const int64_t size = SizeOf(dtype);
  buffer.bytes.resize(static_cast<size_t>(shape.elements() * size));
  for (int64_t i = 0; i < shape.elements(); ++i) {
    // In [-300, 300). Not by uniform_real_distribution, which takes a logarithm each time.
    const float value = static_cast<float>(random() >> 40) * (600.0f / (1 << 24)) - 300.0f;
    StoreElement(dtype, value, &buffer.bytes[static_cast<size_t>(i * size)]);
  }
  return buffer;
}

Buffer ScatteredCopy(Random& random, const Shape& shape, DataType dtype, const Buffer& from,
                     int64_t* origin) {
  Buffer buffer;
  int order[4] = {0, 1, 2, 3};
  std::shuffle(order, order + 4, random);
  int64_t length = 1;
  *origin = 0;
  for (int axis : order) {
    const int64_t step = length * Between(random, 1, 2);
    const int64_t reach = std::max<int64_t>(shape.extent[axis] - 1, 0) * step;
    const bool reversed = Chance(random, 0.4);
    buffer.stride[axis] = reversed ? -step : step;
    if (reversed) *origin += reach;
    length += reach;
  }
  const size_t size = static_cast<size_t>(SizeOf(dtype));
  buffer.bytes.assign(static_cast<size_t>(length) * size, kGapByte);
  const std::vector<uint8_t> elements = InOrder(shape, dtype, from);
  size_t i = 0;
  ForEach(shape, buffer.stride, [&](int64_t offset) {
    std::memcpy(&buffer.bytes[static_cast<size_t>(*origin + offset) * size], &elements[i], size);
    i += size;
  });
  return buffer;
}

std::vector<uint8_t> InOrder(const Shape& shape, DataType dtype, const Buffer& buffer,
                             int64_t origin) {
  const size_t size = static_cast<size_t>(SizeOf(dtype));
  std::vector<uint8_t> elements(static_cast<size_t>(shape.elements()) * size);
  size_t i = 0;
  ForEach(shape, buffer.stride, [&](int64_t offset) {
    std::memcpy(&elements[i], &buffer.bytes[static_cast<size_t>(origin + offset) * size], size);
    i += size;
  });
  return elements;
}

Buffer PartOf(const Shape& shape, const Rectangle& part, DataType dtype, Layout layout,
              const Buffer& buffer) {
  const Shape small{{shape.extent[0], shape.extent[1], part.height, part.width}};
  const int64_t origin = part.top * buffer.stride[2] + part.left * buffer.stride[3];
  const std::vector<uint8_t> elements = InOrder(small, dtype, buffer, origin);
  Buffer copy;
  DenseStrides(small, layout, copy.stride);
  copy.bytes.resize(elements.size());
  const size_t size = static_cast<size_t>(SizeOf(dtype));
  size_t i = 0;
  ForEach(small, copy.stride, [&](int64_t offset) {
    std::memcpy(&copy.bytes[static_cast<size_t>(offset) * size], &elements[i], size);
    i += size;
  });
  return copy;
}

Rectangle RandomPart(Random& random, int64_t height, int64_t width) {
  const auto run = [&](int64_t extent, int64_t* first, int64_t* count) {
    *first = Chance(random, 0.3) ? 0 : Between(random, 0, extent - 1);
    *count = Chance(random, 0.3) ? extent - *first : Between(random, 1, extent - *first);
  };
  Rectangle part;
  run(height, &part.top, &part.height);
  run(width, &part.left, &part.width);
  return part;
}

Rectangle RandomPartAround(Random& random, const Rectangle& part, int64_t height, int64_t width) {
  const bool tight = Chance(random, 0.4);
  const auto run = [&](int64_t extent, int64_t* first, int64_t* count) {
    const int64_t end = *first + *count;
    *first = tight ? *first : Between(random, 0, *first);
    *count = (tight ? end : Between(random, end, extent)) - *first;
  };
  Rectangle around = part;
  run(height, &around.top, &around.height);
  run(width, &around.left, &around.width);
  return around;
}

Status Apply(const Problem& problem, const ConstView& source, const View& destination,
             int threads) {
  std::shared_ptr<const Plan> plan;
  Status status = GetPlan(problem, &plan);
  if (!status.ok()) return status;
  Call call(*plan, source, destination, threads);
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    for (int64_t tile = next++; tile < call.tiles(); tile = next++) call.Run(tile);
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  return call.status();
}

}  // namespace sr_ops::test

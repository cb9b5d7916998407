// The length of an output axis as an expression of the input's: TensorRT computes with symbols, and
// knows integers alone. Host code, tested with numbers in their place.
#pragma once

#include <cmath>
#include <cstdint>

namespace sr_ops::tensorrt {

/// Longer axes are refused: the expression has a term for each power of two of the length.
constexpr int kExtentBits = 17;
constexpr int64_t kLongestAxis = (int64_t{1} << kExtentBits) - 1;

/// An odd integer times a power of two.
struct Binary {
  int64_t mantissa;
  int exponent;
};

/// `scale` must be finite and > 0.
inline Binary Decompose(float scale) {
  int exponent = 0;
  auto mantissa = static_cast<int64_t>(std::ldexp(std::frexp(scale, &exponent), 24));
  exponent -= 24;
  for (; mantissa % 2 == 0; mantissa /= 2) ++exponent;
  return {mantissa, exponent};
}

/// trunc(fl32(n * scale)), as OutputSize() of core/scale.h, from whole numbers alone. The exact
/// product has one binary digit more than n and the scale's mantissa together, at most; of those
/// beyond 24, float32 rounds off, half to even: a term for each number of digits, of which one is
/// not zero.
///
/// `Algebra` has a type Value, and the functions Constant(int64_t), Add, Subtract, Multiply,
/// FloorDivide and IsLess (1 or 0) of values.
template <class Algebra>
class OutputExtent {
 public:
  using Value = typename Algebra::Value;

  explicit OutputExtent(Algebra* algebra) : algebra_(*algebra) {}

  Value operator()(Value n, float scale) const {
    const Binary binary = Decompose(scale);
    const Value product = algebra_.Multiply(n, Constant(binary.mantissa));
    int most_digits = kExtentBits;
    for (int64_t rest = binary.mantissa; rest > 0; rest /= 2) ++most_digits;
    Value sum = Scale(product, binary.exponent);
    if (most_digits <= 24) return sum;
    sum = algebra_.Multiply(algebra_.IsLess(product, Power(24)), sum);
    for (int dropped = 1; dropped <= most_digits - 24; ++dropped) {
      const Value has_digits = algebra_.Subtract(algebra_.IsLess(product, Power(24 + dropped)),
                                                 algebra_.IsLess(product, Power(23 + dropped)));
      const Value rounded = Scale(RoundOff(product, dropped), binary.exponent + dropped);
      sum = algebra_.Add(sum, algebra_.Multiply(has_digits, rounded));
    }
    return sum;
  }

 private:
  Value Constant(int64_t value) const { return algebra_.Constant(value); }
  Value Power(int exponent) const { return Constant(int64_t{1} << exponent); }

  /// trunc(value * 2^exponent)
  Value Scale(Value value, int exponent) const {
    if (exponent >= 0) return algebra_.Multiply(value, Power(exponent));
    return algebra_.FloorDivide(value, Power(-exponent));
  }

  /// value / 2^digits, rounded half to even.
  Value RoundOff(Value value, int digits) const {
    const Value below = algebra_.FloorDivide(value, Power(digits));
    const Value even = algebra_.Multiply(algebra_.FloorDivide(below, Constant(2)), Constant(2));
    const Value is_odd = algebra_.Subtract(below, even);
    const Value half = Constant((int64_t{1} << (digits - 1)) - 1);
    return algebra_.FloorDivide(algebra_.Add(algebra_.Add(value, half), is_odd), Power(digits));
  }

  Algebra& algebra_;
};

}  // namespace sr_ops::tensorrt

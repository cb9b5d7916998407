// What a problem needs before its first pixel: tables in the accumulator's type, and the kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "core/axis.h"
#include "core/cpu/column_table.h"
#include "core/cpu/halved_range.h"
#include "core/cpu/walk_table.h"
#include "core/types.h"

namespace sr_ops {

/// The horizontal axis of a plan. Windows one below the other share it: to make it takes as long as
/// to compute many rows.
template <typename Accumulator>
struct Columns {
  RoundedAxis<Accumulator> axis;
  ColumnTable<Accumulator> blocks;  ///< the same in vectors; empty for the scalar kernel
  WalkTable<Accumulator> walked;    ///< for plans that walk; empty where the axis cannot be walked
  HalvedRange halved;               ///< outputs that the kernel halves, if any
};

/// Both axes of a plan, as applied: for the adjoint these are the transposed tables.
template <typename Accumulator>
struct Tables {
  RoundedAxis<Accumulator> rows;  ///< vertical: the source rows of each destination row
  std::shared_ptr<const Columns<Accumulator>> columns;  ///< horizontal
  /// Interleaved channels that are worked on apart, as planes, and put together when they are
  /// stored; the columns' blocks are a plane's. 1: rows are worked on as they lie in memory.
  int64_t planes = 1;
  /// Whether source elements are walked, each loaded once for all that reads it.
  bool walks = false;
  WalkTable<Accumulator> walked_rows;  ///< empty where the rows cannot be walked
};

struct PillowTables;  // cpu/pillow_tables.h

/// The part of a call that one tile computes: rows [row_begin, row_end) of one plane. A plane is an
/// image's channel (kChannelsFirst) or a whole image (kChannelsLast).
struct TileArea {
  int64_t plane;
  int64_t row_begin;
  int64_t row_end;
  bool stream;  ///< write past the caches
  bool far;     ///< source and result hardly fit the caches, if at all; whatever is streamed is
};

class Plan;

/// False where scratch memory is out.
using RunTileFunction = bool (*)(const Plan&, const ConstView&, const View&, const TileArea&);

struct Kernel {
  RunTileFunction run_tile = nullptr;
  int64_t vector_bytes = 0;  ///< what column tables are cut into; 0: the kernel uses none
};

class Plan {
 public:
  /// `alike`: null, or a plan of the same kernel for another part of the same rows (see
  /// SameColumns), from which the horizontal axis is taken. May throw std::bad_alloc.
  Plan(const Problem& problem, const Kernel& kernel, const Plan* alike);

  const Problem problem;
  const Kernel kernel;                 // as chosen
  RunTileFunction run_tile = nullptr;  // the chosen kernel's, or the scalar one where it must be
  /// Sizes as applied, of the window and the crop where there are some: for the adjoint, the source
  /// is the output gradient.
  int64_t source_height = 0, source_width = 0;
  int64_t height = 0, width = 0;
  /// The order of the two passes, fixed by the shapes: rows (vertical) first where their number
  /// shrinks, columns (horizontal) first otherwise. Part of the contract: it decides bits.
  bool rows_first = false;
  Tables<float> float32;                       // filled unless dtype is float64
  Tables<double> float64;                      // filled for float64
  std::shared_ptr<const PillowTables> pillow;  // in place of both for Rounding::kPillow

  /// What the tables hold. Those of columns that plans share count for each.
  int64_t bytes() const;
  int64_t planes() const {
    return problem.batch * (problem.layout == Layout::kChannelsLast ? 1 : problem.channels);
  }
};

/// The shortest vectors, in bytes, of kernels that work on the planes of interleaved pictures.
constexpr int64_t kPlanesVectorBytes = 32;

/// Whether two problems' plans have the same horizontal axis: they differ in which rows they
/// compute, and how many images of.
bool SameColumns(const Problem& a, const Problem& b);

/// The plan's tables in the accumulator type of its elements.
template <typename Accumulator>
const Tables<Accumulator>& TablesOf(const Plan& plan) {
  if constexpr (std::is_same_v<Accumulator, double>) {
    return plan.float64;
  } else {
    return plan.float32;
  }
}

}  // namespace sr_ops

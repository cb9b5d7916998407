// What benchmarks/peers_native.py asks of each library: make, once a problem; run; version.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { kFloat32, kUInt8, kFloat16 };  // element types

// Pictures of rows `*_row` bytes apart, one of `planes` every `*_plane` bytes.
typedef struct {
  const char* from;
  char* to;
  ptrdiff_t from_plane, from_row, to_plane, to_row;
  int planes, channels;  // interleaved channels of each plane
  int width, height, out_width, out_height;
  int type;
  int antialias;  // shrinks with a stretched kernel
  int avx2;       // is held to it
  double a;       // Keys' coefficient
} Job;

void* sr_ops_peer_make(const Job* job);  // NULL where the library refuses
int sr_ops_peer_run(void* peer);         // 0: done
const char* sr_ops_peer_version(void);

#ifdef __cplusplus
}
#endif

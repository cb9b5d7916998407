// stb_image_resize2, with Keys' kernel of any coefficient as its own filter.
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STBIR_USE_FMA
#include <math.h>
#include <stdlib.h>

#include "peer.h"
#include "stb_image_resize2.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

typedef struct {
  STBIR_RESIZE resize;
  Job job;
  float a;
} Peer;

static float Keys(float x, float scale, void* user) {
  (void)scale;
  const float a = *(const float*)user;
  x = fabsf(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

static float Two(float scale, void* user) {
  (void)scale;
  (void)user;
  return 2;
}

const char* sr_ops_peer_version(void) { return TEXT(SR_OPS_STB_VERSION); }

void* sr_ops_peer_make(const Job* job) {
  const int shrinks = job->out_width < job->width || job->out_height < job->height;
  if (shrinks && !job->antialias) return NULL;  // it always stretches the kernel
  Peer* peer = calloc(1, sizeof *peer);
  if (!peer) return NULL;
  peer->job = *job;
  peer->a = (float)job->a;
  const stbir_datatype type = job->type == kUInt8     ? STBIR_TYPE_UINT8
                              : job->type == kFloat16 ? STBIR_TYPE_HALF_FLOAT
                                                      : STBIR_TYPE_FLOAT;
  stbir_resize_init(&peer->resize, job->from, job->width, job->height, (int)job->from_row, job->to,
                    job->out_width, job->out_height, (int)job->to_row,
                    job->channels == 1 ? STBIR_1CHANNEL : STBIR_RGB, type);
  stbir_set_edgemodes(&peer->resize, STBIR_EDGE_CLAMP, STBIR_EDGE_CLAMP);
  stbir_set_filter_callbacks(&peer->resize, Keys, Two, Keys, Two);
  stbir_set_user_data(&peer->resize, &peer->a);
  return stbir_build_samplers(&peer->resize) ? peer : NULL;
}

int sr_ops_peer_run(void* handle) {
  Peer* peer = handle;
  const Job* job = &peer->job;
  for (int p = 0; p < job->planes; ++p) {
    stbir_set_buffer_ptrs(&peer->resize, job->from + p * job->from_plane, (int)job->from_row,
                          job->to + p * job->to_plane, (int)job->to_row);
    if (!stbir_resize_extended(&peer->resize)) return 1;
  }
  return 0;
}

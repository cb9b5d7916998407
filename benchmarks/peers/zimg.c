// zimg, whose pictures are planes, three at a time.
#include <stdio.h>
#include <stdlib.h>
#include <zimg.h>

#include "peer.h"

typedef struct {
  zimg_filter_graph* graph;
  void* memory;
  Job job;
} Peer;

static void Describe(zimg_image_format* format, int width, int height, int type) {
  zimg_image_format_default(format, ZIMG_API_VERSION);
  format->width = (unsigned)width;
  format->height = (unsigned)height;
  format->pixel_type = type == kUInt8     ? ZIMG_PIXEL_BYTE
                       : type == kFloat16 ? ZIMG_PIXEL_HALF
                                          : ZIMG_PIXEL_FLOAT;
  format->depth = type == kUInt8 ? 8 : type == kFloat16 ? 16 : 32;
  format->pixel_range = ZIMG_RANGE_FULL;
  format->color_family = ZIMG_COLOR_RGB;
  format->matrix_coefficients = ZIMG_MATRIX_RGB;
}

const char* sr_ops_peer_version(void) {
  static char text[40];
  unsigned major, minor, patch;
  zimg_get_version_info(&major, &minor, &patch);
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
  return text;
}

void* sr_ops_peer_make(const Job* job) {
  // It always stretches the kernel.
  const int shrinks = job->out_width < job->width || job->out_height < job->height;
  if (job->planes != 3 || job->channels != 1 || (shrinks && !job->antialias)) return NULL;
  zimg_image_format from, to;
  Describe(&from, job->width, job->height, job->type);
  Describe(&to, job->out_width, job->out_height, job->type);
  zimg_graph_builder_params params;
  zimg_graph_builder_params_default(&params, ZIMG_API_VERSION);
  params.resample_filter = ZIMG_RESIZE_BICUBIC;
  params.filter_param_a = 0;
  params.filter_param_b = -job->a;
  params.cpu_type = job->avx2 ? ZIMG_CPU_X86_AVX2 : ZIMG_CPU_AUTO_64B;
  Peer* peer = malloc(sizeof *peer);
  if (!peer) return NULL;
  peer->job = *job;
  peer->graph = zimg_filter_graph_build(&from, &to, &params);
  size_t bytes = 0;
  if (!peer->graph || zimg_filter_graph_get_tmp_size(peer->graph, &bytes) != 0) {
    free(peer);
    return NULL;
  }
  peer->memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  return peer;
}

// Pointers and rows are multiples of 64 bytes.
int sr_ops_peer_run(void* handle) {
  const Peer* peer = handle;
  const Job* job = &peer->job;
  zimg_image_buffer_const source = {ZIMG_API_VERSION, {{0}}};
  zimg_image_buffer target = {ZIMG_API_VERSION, {{0}}};
  for (int plane = 0; plane < 3; ++plane) {
    source.plane[plane].data = job->from + plane * job->from_plane;
    source.plane[plane].stride = job->from_row;
    source.plane[plane].mask = ZIMG_BUFFER_MAX;
    target.plane[plane].data = job->to + plane * job->to_plane;
    target.plane[plane].stride = job->to_row;
    target.plane[plane].mask = ZIMG_BUFFER_MAX;
  }
  return zimg_filter_graph_process(peer->graph, &source, &target, peer->memory, NULL, NULL, NULL,
                                   NULL);
}

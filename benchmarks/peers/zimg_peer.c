// zimg's bicubic on three planes, for benchmarks/peers.py.
#include <stddef.h>
#include <stdlib.h>
#include <zimg.h>

typedef struct {
  zimg_filter_graph* graph;
  void* memory;
} Peer;

static void describe(zimg_image_format* format, unsigned width, unsigned height, int bytes) {
  zimg_image_format_default(format, ZIMG_API_VERSION);
  format->width = width;
  format->height = height;
  format->pixel_type = bytes ? ZIMG_PIXEL_BYTE : ZIMG_PIXEL_FLOAT;
  format->depth = bytes ? 8 : 32;
  format->pixel_range = ZIMG_RANGE_FULL;
  format->color_family = ZIMG_COLOR_RGB;
  format->matrix_coefficients = ZIMG_MATRIX_RGB;
}

unsigned sr_ops_zimg_version(unsigned* minor) {
  unsigned major, patch;
  zimg_get_version_info(&major, minor, &patch);
  return major;
}

// NULL where zimg refuses. `bytes`: uint8, otherwise float32. `a`: Keys' coefficient.
Peer* sr_ops_zimg_make(unsigned width, unsigned height, unsigned out_width, unsigned out_height,
                       int bytes, double a, int avx2) {
  zimg_image_format from, to;
  describe(&from, width, height, bytes);
  describe(&to, out_width, out_height, bytes);
  zimg_graph_builder_params params;
  zimg_graph_builder_params_default(&params, ZIMG_API_VERSION);
  params.resample_filter = ZIMG_RESIZE_BICUBIC;
  params.filter_param_a = 0;
  params.filter_param_b = -a;
  params.cpu_type = avx2 ? ZIMG_CPU_X86_AVX2 : ZIMG_CPU_AUTO_64B;
  Peer* peer = malloc(sizeof *peer);
  if (!peer) return NULL;
  peer->graph = zimg_filter_graph_build(&from, &to, &params);
  size_t bytes_needed = 0;
  if (!peer->graph || zimg_filter_graph_get_tmp_size(peer->graph, &bytes_needed) != 0) {
    free(peer);
    return NULL;
  }
  peer->memory = aligned_alloc(64, (bytes_needed + 127) / 64 * 64);
  return peer;
}

// Three planes, `plane` bytes apart, rows `row` bytes: multiples of 64, as the pointers are.
int sr_ops_zimg_run(Peer* peer, const char* from, ptrdiff_t from_plane, ptrdiff_t from_row,
                    char* to, ptrdiff_t to_plane, ptrdiff_t to_row) {
  zimg_image_buffer_const source = {ZIMG_API_VERSION, {{0}}};
  zimg_image_buffer target = {ZIMG_API_VERSION, {{0}}};
  for (int plane = 0; plane < 3; ++plane) {
    source.plane[plane].data = from + plane * from_plane;
    source.plane[plane].stride = from_row;
    source.plane[plane].mask = ZIMG_BUFFER_MAX;
    target.plane[plane].data = to + plane * to_plane;
    target.plane[plane].stride = to_row;
    target.plane[plane].mask = ZIMG_BUFFER_MAX;
  }
  return zimg_filter_graph_process(peer->graph, &source, &target, peer->memory, NULL, NULL, NULL,
                                   NULL);
}

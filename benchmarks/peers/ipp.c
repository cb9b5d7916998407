// Intel's IPP, called directly: its cubic of four taps, and its antialiased one.
#include <ipp.h>
#include <stdlib.h>

#include "peer.h"

typedef struct {
  Job job;
  IppiResizeSpec_32f* spec;
  Ipp8u* buffer;
} Peer;

const char* sr_ops_peer_version(void) { return ippiGetLibVersion()->Version; }

void* sr_ops_peer_make(const Job* job) {
  if (job->type == kFloat16 || (job->channels != 1 && job->channels != 3)) return NULL;
  ippInit();
  if (job->avx2) {
    const Ipp64u wide = ippCPUID_AVX512F | ippCPUID_AVX512CD | ippCPUID_AVX512BW |
                        ippCPUID_AVX512DQ | ippCPUID_AVX512VL;
    ippSetCpuFeatures(ippGetEnabledCpuFeatures() & ~wide);
  }
  const IppiSize from = {job->width, job->height}, to = {job->out_width, job->out_height};
  const Ipp32u stretched = (Ipp32u)job->antialias;
  const Ipp32f c = (Ipp32f)-job->a;
  const int bytes = job->type == kUInt8;
  int spec = 0, scratch = 0, buffer = 0;
  IppStatus status = bytes
                         ? ippiResizeGetSize_8u(from, to, ippCubic, stretched, &spec, &scratch)
                         : ippiResizeGetSize_32f(from, to, ippCubic, stretched, &spec, &scratch);
  if (status != ippStsNoErr) return NULL;
  Peer* peer = calloc(1, sizeof *peer);
  if (!peer) return NULL;
  peer->job = *job;
  peer->spec = (IppiResizeSpec_32f*)ippsMalloc_8u(spec);
  Ipp8u* const memory = ippsMalloc_8u(scratch + 64);
  if (job->antialias) {
    status = ippiResizeAntialiasingCubicInit(from, to, 0, c, peer->spec, memory);
  } else if (bytes) {
    status = ippiResizeCubicInit_8u(from, to, 0, c, peer->spec, memory);
  } else {
    status = ippiResizeCubicInit_32f(from, to, 0, c, peer->spec, memory);
  }
  ippsFree(memory);
  if (status == ippStsNoErr) {
    const Ipp32u channels = (Ipp32u)job->channels;
    status = bytes ? ippiResizeGetBufferSize_8u(peer->spec, to, channels, &buffer)
                   : ippiResizeGetBufferSize_32f(peer->spec, to, channels, &buffer);
  }
  if (status != ippStsNoErr) return NULL;
  peer->buffer = ippsMalloc_8u(buffer + 64);
  return peer;
}

#define RESIZE(Type, name)                                                                      \
  name((const Type*)from, (int)job->from_row, (Type*)to, (int)job->to_row, origin, size,        \
       ippBorderRepl, NULL, peer->spec, peer->buffer)

static IppStatus Plane(const Peer* peer, const char* from, char* to) {
  const Job* job = &peer->job;
  const IppiPoint origin = {0, 0};
  const IppiSize size = {job->out_width, job->out_height};
  const int colour = job->channels == 3;
  if (job->type == kFloat32) {
    if (job->antialias) {
      return colour ? RESIZE(Ipp32f, ippiResizeAntialiasing_32f_C3R)
                    : RESIZE(Ipp32f, ippiResizeAntialiasing_32f_C1R);
    }
    return colour ? RESIZE(Ipp32f, ippiResizeCubic_32f_C3R)
                  : RESIZE(Ipp32f, ippiResizeCubic_32f_C1R);
  }
  if (job->antialias) {
    return colour ? RESIZE(Ipp8u, ippiResizeAntialiasing_8u_C3R)
                  : RESIZE(Ipp8u, ippiResizeAntialiasing_8u_C1R);
  }
  return colour ? RESIZE(Ipp8u, ippiResizeCubic_8u_C3R) : RESIZE(Ipp8u, ippiResizeCubic_8u_C1R);
}

int sr_ops_peer_run(void* handle) {
  const Peer* peer = handle;
  for (int p = 0; p < peer->job.planes; ++p) {
    const IppStatus status = Plane(peer, peer->job.from + p * peer->job.from_plane,
                                   peer->job.to + p * peer->job.to_plane);
    if (status != ippStsNoErr) return (int)status;
  }
  return 0;
}

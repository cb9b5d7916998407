/* The header is C: a flat picture stays flat, from a C program. */
#include <sr_ops/core.h>
#include <stdio.h>

int main(void) {
  unsigned char x[2 * 3 * 3], y[5 * 8 * 3];
  size_t i;
  int64_t size[2];
  sr_ops_status status;
  sr_ops_description d = sr_ops_default_description();
  memset(x, 77, sizeof x);
  d.dtype = SR_OPS_UINT8;
  d.layout = SR_OPS_NHWC;
  d.shape[0] = 1;
  d.shape[1] = 3;
  d.shape[2] = 2;
  d.shape[3] = 3;
  d.scale_height = 2.5f;
  d.scale_width = 2.7f;
  status = sr_ops_output_size(&d, size);
  if (status.code != SR_OPS_OK || size[0] != 5 || size[1] != 8) {
    fprintf(stderr, "size: %s\n", status.message);
    return 1;
  }
  status = sr_ops_dynamic_upscale(&d, x, y, NULL);
  if (status.code != SR_OPS_OK) {
    fprintf(stderr, "%s\n", status.message);
    return 1;
  }
  for (i = 0; i < sizeof y; ++i) {
    if (y[i] != 77) return 1;
  }
  printf("sr_ops %s, %s\n", sr_ops_version(), sr_ops_instruction_set());
  return 0;
}

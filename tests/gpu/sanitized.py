"""What compute-sanitizer watches: every kernel, every dtype, both layouts, edges. Prints "done"."""

from __future__ import annotations

import torch

import sr_ops

SHAPES = ((2, 3, 19, 23), (1, 130, 2, 3), (1, 1, 1, 300), (1, 3, 700, 1100))
SCALES = (2.7, 1.0, (0.6, 1.4), 0.3)

if __name__ == "__main__":
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8):
        for shape in SHAPES:
            for layout in (torch.contiguous_format, torch.channels_last):
                x = torch.rand(shape, device="cuda").mul(255).to(dtype)
                x = x.contiguous(memory_format=layout)
                for scale in SCALES:
                    antialias = isinstance(scale, tuple)
                    if min(shape[2:]) * (scale[0] if antialias else scale) < 1:
                        continue
                    leaf = x.detach().requires_grad_(dtype.is_floating_point)
                    y = sr_ops.dynamic_upscale(leaf, scale, antialias=antialias)
                    if dtype.is_floating_point:
                        y.sum().backward()
    torch.cuda.synchronize()
    print("done")

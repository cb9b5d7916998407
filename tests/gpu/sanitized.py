"""What compute-sanitizer watches: every kernel, every dtype, both layouts, edges. Prints "done".

Tensors are made on the CPU, so that hardly a kernel runs but ours: others are slow to watch, and
not ours to judge.
"""

from __future__ import annotations

import torch

import sr_ops

#: Shape, scale, antialias.
CASES = (
    ((2, 3, 19, 23), 2.7, False),  # strips
    ((1, 130, 2, 3), 2.7, False),
    ((1, 1, 1, 300), 1.0, False),
    ((2, 3, 37, 41), (0.6, 1.4), True),  # tiles
    ((1, 5, 40, 3), 0.3, False),
    ((1, 2, 2048, 8), (1 / 256, 1.0), True),  # tables in a workspace: a thousand taps
    ((1, 1, 730, 730), 2.0, False),  # so many elements
)

if __name__ == "__main__":
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8):
        for layout in (torch.contiguous_format, torch.channels_last):
            for shape, scale, antialias in CASES:
                x = torch.rand(shape).mul(255).to(dtype).contiguous(memory_format=layout).cuda()
                x.requires_grad_(dtype.is_floating_point)
                y = sr_ops.dynamic_upscale(x, scale, antialias=antialias)
                if dtype.is_floating_point:
                    grad = torch.rand(y.shape).to(dtype).contiguous(memory_format=layout).cuda()
                    torch.autograd.grad(y, x, grad)
    torch.cuda.synchronize()
    print("done")

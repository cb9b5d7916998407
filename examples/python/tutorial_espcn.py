"""Deploying ESPCN: any batch, any size, luma through the network and chroma by bicubic.

python examples/python/tutorial_espcn.py [picture.png]
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import sr_ops
from sr_ops import models
from sr_ops.imaging import colour, evaluation, read_image, write_image

PHOTOGRAPH = Path(__file__).parents[1] / "photographs" / "astronaut.png"
FACTOR = 3


def main(result: Path) -> None:
    network = models.load(f"espcn_x{FACTOR}")
    print("1. Export: the example has one picture of 32 x 32, the file any number of any size.")
    file = Path(tempfile.mkdtemp()) / "espcn.onnx"
    example = (torch.rand(1, 1, 32, 32), torch.tensor([3.0, 3.0]))
    model = sr_ops.onnx.export(network, example, file, input_names=["luma", "scale"])
    for value in (*model.graph.input, *model.graph.output):
        dims = [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        print(f"   {value.name}: {dims}")

    print(
        "2. ONNX Runtime against torch, at rtol 1e-3 and atol 1e-5, with batches of several sizes."
    )
    session = sr_ops.onnx.make_session(file)
    random = np.random.default_rng(0)
    for batch, height, width, scale in ((1, 32, 32, 3), (5, 24, 40, 3), (2, 50, 31, 2.7)):
        x = random.random((batch, 1, height, width), dtype=np.float32)
        factors = np.float32([scale, scale])
        (y,) = session.run(None, {"luma": x, "scale": factors})
        with torch.no_grad():
            expected = network(torch.from_numpy(x), torch.from_numpy(factors)).numpy()
        np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-5)
        difference = np.abs(y - expected).max()
        print(f"   x{scale}: {x.shape} -> {y.shape}, largest difference {difference:.0e}")

    print("3. A photograph: to YCbCr, Y through the network, Cb and Cr by bicubic, back to RGB.")
    original = read_image(PHOTOGRAPH)
    small = evaluation.degrade(original, FACTOR)
    ycbcr = colour.rgb_to_ycbcr(colour.to_unit(small).transpose(2, 0, 1))
    factors = np.float32([FACTOR, FACTOR])
    (luma,) = session.run(None, {"luma": ycbcr[None, :1], "scale": factors})
    chroma = sr_ops.numpy.dynamic_upscale(np.ascontiguousarray(ycbcr[1:])[None], FACTOR)
    rgb = colour.ycbcr_to_rgb(np.concatenate([luma[0], chroma[0]]))
    large = colour.from_unit(np.ascontiguousarray(rgb.transpose(1, 2, 0)), np.uint8)
    write_image(result, large)
    bicubic = sr_ops.upscale_image(small, FACTOR, model=None)
    for name, picture in (("bicubic", bicubic), ("ESPCN", large)):
        truth = original[: picture.shape[0], : picture.shape[1]]
        pair = (evaluation.luma(truth), evaluation.luma(picture))
        db = evaluation.psnr(*(evaluation.shave(side, FACTOR) for side in pair))
        print(f"   {name}: {db:.2f} dB from the photograph before it was shrunk")
    print(f"   written: {result}")

    print("4. sr_ops.upscale_image does all of this in a line, and so does `sr-ops upscale`.")
    start = time.perf_counter()
    same = sr_ops.upscale_image(small, FACTOR, model=f"espcn_x{FACTOR}")
    levels = np.abs(same.astype(int) - large).max()
    print(f"   {(time.perf_counter() - start) * 1e3:.0f} ms, {levels} levels from the above")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "espcn.png"))

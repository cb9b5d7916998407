"""Deploying SRCNN: from a frozen factor to ONNX Runtime at x4, step by step, on today's stack."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch.nn.functional import interpolate

import sr_ops
from sr_ops import imaging, models

PHOTOGRAPH = Path(__file__).parents[1] / "photographs" / "astronaut.png"
FOLDER = Path(tempfile.mkdtemp())


class SRCNN(models.SRCNN):
    """The network around one way or another to enlarge; with a factor as an input, or without."""

    def __init__(self, upscale):
        super().__init__()
        self.upscale = upscale

    def forward(self, x, *factor):
        hidden = torch.relu(self.conv1(self.upscale(x, *factor)))
        return self.conv3(torch.relu(self.conv2(hidden)))


class Upscale(torch.autograd.Function):
    """Computes what it likes, and says itself which ONNX operator it is."""

    domain = ""

    @staticmethod
    def forward(ctx, x, factor):
        return interpolate(x, scale_factor=factor.item(), mode="bicubic")

    @staticmethod
    def symbolic(g, x, factor):
        scales = g.op("Concat", g.op("Constant", value_t=torch.ones(2)), factor, factor, axis_i=0)
        y = g.op("Resize", x, g.op("Constant", value_t=torch.empty(0)), scales, mode_s="cubic")
        if Upscale.domain:
            y = g.op(f"{Upscale.domain}::DynamicUpscale", x, scales)
        return y.setType(x.type().with_sizes([None, None, None, None]))


def export(number, upscale, *args):
    keywords = {"input_names": ["x", "factor"][: len(args)], "dynamic_axes": {"x": [2, 3]}}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(SRCNN(upscale), args, FOLDER / f"{number}.onnx", dynamo=False, **keywords)
    for warning in (w for w in caught if issubclass(w.category, torch.jit.TracerWarning)):
        print(f"   TracerWarning: {str(warning.message).partition('.')[0]}.")


def run(number, options=None, **feeds):
    try:
        session = onnxruntime.InferenceSession(FOLDER / f"{number}.onnx", options)
        print(f"   {feeds['x'].shape} -> {session.run(None, feeds)[0].shape}")
    except Exception as error:  # onnxruntime's exceptions have no common base but this
        print(f"   {str(error).strip().splitlines()[0][:160]}")


def main():
    photo = imaging.read_image(PHOTOGRAPH)[None, 64:128, 192:272].transpose(0, 3, 1, 2)
    photo = np.float32(photo / 255)
    x, three, four = torch.from_numpy(photo), torch.tensor([3.0]), np.float32([4])
    print("1. The factor is a constant of the model: the file triples, and does nothing else.")
    export(1, lambda x: interpolate(x, scale_factor=3.0, mode="bicubic"), x)
    run(1, x=photo)
    print("2. The factor is an argument; interpolate takes no tensor, so factor.item() is read.")
    export(2, lambda x, s: interpolate(x, scale_factor=s.item(), mode="bicubic"), x, three)
    print("   The example's 3 has become a constant, and the file has no such input:")
    run(2, x=photo, factor=four)
    print("3. A Function whose `symbolic` writes Resize: what `forward` reads no longer matters.")
    export(3, Upscale.apply, x, three)
    run(3, x=photo, factor=four)
    print("4. A `symbolic` may also write an operator of one's own domain. Nobody knows it yet:")
    Upscale.domain = "sr_ops"
    export(4, Upscale.apply, x, three)
    run(4, x=photo, factor=four)
    print("   With the library of the operator registered, it runs:")
    (options := onnxruntime.SessionOptions()).register_custom_ops_library(sr_ops.get_library_path())
    run(4, options, x=photo, factor=four)
    print("5. torch's new exporter ignores `symbolic`. sr_ops.onnx.export serves both exporters,")
    print("   and its file runs with the library and without, at any factor, as torch computes:")
    network, luma = models.load("srcnn"), x[:, :1]
    session = sr_ops.onnx.make_session(sr_ops.onnx.export(network, (luma, three)))
    for factor in (four, np.float32([2.7])):
        (y,) = session.run(None, {"x": luma.numpy(), "scale": factor})
        difference = np.abs(y - network(luma, torch.tensor(factor)).detach().numpy()).max()
        print(f"   x{factor[0]:.2g}: {y.shape}, {difference:.0e} from torch")


if __name__ == "__main__":
    main()

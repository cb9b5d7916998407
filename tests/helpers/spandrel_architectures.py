"""Small networks of spandrel's architectures, with random weights."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import nn

#: Name -> class, keywords. Small, in layouts that spandrel recognises.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "ATD": (
        "ATD",
        {
            **{"embed_dim": 12, "depths": (2, 2), "num_heads": (2, 2), "window_size": 8},
            **{"category_size": 32, "num_tokens": 8, "reducted_dim": 4, "upscale": 2},
            **{"upsampler": "pixelshuffledirect"},
        },
    ),
    "Compact": ("Compact", {"num_feat": 8, "num_conv": 2}),
    "CRAFT": (
        "CRAFT",
        {"embed_dim": 32, "depths": [1, 1], "num_heads": [2, 2], "upscale": 2},
    ),
    "DAT": (
        "DAT",
        {"embed_dim": 32, "depth": [2], "num_heads": [2], "upsampler": "pixelshuffledirect"},
    ),
    "DCTLSA": ("DCTLSA", {"nf": 20, "num_modules": 6, "num_head": 5, "upscale": 2}),
    "DITN": ("DITN", {"dim": 12, "ITL_blocks": 1, "SAL_blocks": 1, "upscale": 2}),
    "DRCT": (
        "DRCT",
        {
            **{"embed_dim": 12, "depths": (2,), "num_heads": (2,), "window_size": 8},
            **{"upscale": 2, "upsampler": "pixelshuffle", "gc": 4},
        },
    ),
    "ESRGAN x2": (
        "ESRGAN",
        {"in_nc": 12, "num_filters": 8, "num_blocks": 1, "scale": 4, "shuffle_factor": 2},
    ),
    "ESRGAN x4": ("ESRGAN", {"num_filters": 8, "num_blocks": 1}),
    "FDAT": (
        "FDAT",
        {"embed_dim": 16, "num_groups": 1, "depth_per_group": 2, "num_heads": 2, "mid_dim": 8},
    ),
    "GRL": (
        "GRL",
        {
            **{"embed_dim": 12, "depths": [2], "num_heads_window": [1], "num_heads_stripe": [1]},
            **{"upscale": 2, "upsampler": "pixelshuffledirect", "img_size": 16},
        },
    ),
    "HAT": (
        "HAT",
        {
            **{"embed_dim": 12, "depths": (2,), "num_heads": (2,), "window_size": 8, "upscale": 2},
            **{"squeeze_factor": 2, "num_feat": 8},
        },
    ),
    "IPT": (
        "IPT",
        {"n_feats": 12, "num_layers": 1, "scale": [2], "patch_size": 12, "rgb_range": 255},
    ),
    "MMRealSR": (
        "MMRealSR",
        {
            **{"num_in_ch": 3, "num_out_ch": 3, "num_feat": 8, "num_block": 1, "num_grow_ch": 4},
            **{"num_feats": [8, 8, 8, 8], "num_blocks": [1, 1, 1, 1]},
        },
    ),
    "MoESR": ("MoESR", {"dim": 16, "n_blocks": 1, "n_block": 1, "scale": 2}),
    "MoSR": ("MoSR", {"n_block": 2, "dim": 8, "upscale": 2}),
    "OmniSR": ("OmniSR", {"num_feat": 16, "up_scale": 2}),
    "PLKSR": ("PLKSR", {"dim": 8, "n_blocks": 2, "upscaling_factor": 2}),
    "RealPLKSR": ("PLKSR.RealPLKSR", {"dim": 8, "n_blocks": 2, "upscaling_factor": 2}),
    "RCAN": ("RCAN", {"n_resgroups": 1, "n_resblocks": 1, "n_feats": 16, "scale": 2}),
    "RealCUGAN x2": ("RealCUGAN.UpCunet2x", {}),
    "RealCUGAN x2 fast": ("RealCUGAN.UpCunet2x_fast", {}),
    "RealCUGAN x3": ("RealCUGAN.UpCunet3x", {}),
    "RealCUGAN x4": ("RealCUGAN.UpCunet4x", {}),
    "RGT": ("RGT", {"embed_dim": 32, "depth": [2], "num_heads": [2]}),
    "SAFMN": ("SAFMN", {"dim": 8, "n_blocks": 2}),
    "SeemoRe": ("SeemoRe", {"embedding_dim": 12, "num_layers": 1, "num_experts": 3, "scale": 2}),
    "SPAN": ("SPAN", {"num_in_ch": 3, "num_out_ch": 3, "feature_channels": 8, "upscale": 2}),
    "SwiftSRGAN": ("SwiftSRGAN", {"num_channels": 8, "num_blocks": 1, "upscale_factor": 2}),
    "Swin2SR": (
        "Swin2SR",
        {
            **{"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "img_size": 16},
            **{"upsampler": "pixelshuffledirect"},
        },
    ),
    "SwinIR": (
        "SwinIR",
        {
            **{"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "img_size": 16},
            **{"upscale": 2, "upsampler": "pixelshuffledirect"},
        },
    ),
}

#: Those that keep the size.
RESTORERS: dict[str, tuple[str, dict[str, Any]]] = {
    "DnCNN": ("DnCNN", {"in_nc": 3, "out_nc": 3, "nc": 8, "nb": 8, "act_mode": "R"}),
    "DRUNet": ("DRUNet", {"in_nc": 4, "out_nc": 3, "nc": [8, 8, 16, 16], "nb": 2}),
    "FFTformer": (
        "FFTformer",
        {"dim": 8, "num_blocks": [1, 1, 1], "num_refinement_blocks": 1},
    ),
    "HVI-CIDNet": ("HVICIDNet", {"channels": [8, 8, 16, 32]}),
    "KBNet": (
        "KBNet.KBNet_s",
        {
            **{"width": 8, "middle_blk_num": 1},
            **{"enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]},
        },
    ),
    "MixDehazeNet": ("MixDehazeNet", {}),
    "NAFNet": ("NAFNet", {"width": 8, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]}),
    "RetinexFormer": ("RetinexFormer", {"n_feat": 8, "stage": 1}),
    "SAFMN BCIE": ("SAFMNBCIE", {"dim": 8, "n_blocks": 1, "num_layers": 1}),
    "SCUNet": ("SCUNet", {"config": [1] * 7}),
}


def build(name: str) -> nn.Module:
    """An architecture's network with random weights."""
    path, keywords = {**ARCHITECTURES, **RESTORERS}[name]
    module, _, cls = path.partition(".")
    torch.manual_seed(0)
    home = importlib.import_module(f"spandrel.architectures.{module}")
    network: nn.Module = getattr(home, cls or module)(**keywords)
    return network.eval()

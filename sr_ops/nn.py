"""Modules of an existing model, exchanged for sr_ops' own."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn
from torch.nn import functional

from sr_ops import _arguments, compat
from sr_ops.errors import InvalidTypeError

__all__ = ["BicubicUpsample", "convert"]


class BicubicUpsample(nn.Upsample):
    """``nn.Upsample(mode="bicubic")`` computed by :func:`sr_ops.compat.interpolate`.

    Takes the arguments of ``torch.nn.Upsample``; another mode than bicubic goes to torch.

    Raises:
        InvalidArgumentError, InvalidTypeError: as :func:`sr_ops.compat.interpolate`, when called.

    >>> import torch
    >>> BicubicUpsample(scale_factor=2, mode="bicubic")(torch.ones(1, 1, 3, 4)).shape
    torch.Size([1, 1, 6, 8])
    """

    __constants__ = [  # noqa: RUF012 - TorchScript's spelling
        *nn.Upsample.__constants__,
        "align_corners_index",
        "cubic_coeff_a",
        "half_pixel_index",
    ]
    align_corners_index = _arguments.parse_mode("align_corners")
    half_pixel_index = _arguments.parse_mode("half_pixel")
    cubic_coeff_a = _arguments.DEFAULT_CUBIC_COEFF_A

    def forward(self, input: Tensor) -> Tensor:
        """Resample input, (N, C, H, W)."""
        if torch.jit.is_scripting():
            return self._forward_in_script(input)
        return compat.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def _forward_in_script(self, input: Tensor) -> Tensor:  # compiled by TorchScript
        """What TorchScript compiles: torch's size rule, and the op, which does the checks."""
        if self.mode != "bicubic":
            return functional.interpolate(
                input,
                self.size,
                self.scale_factor,
                self.mode,
                self.align_corners,
                self.recompute_scale_factor,
            )
        size, factor = self.size, self.scale_factor
        recompute, align_corners = False, False
        if self.recompute_scale_factor is not None:
            recompute = self.recompute_scale_factor
        if self.align_corners is not None:
            align_corners = self.align_corners
        factor_h: Optional[float] = None  # noqa: UP045 - TorchScript's spelling
        factor_w: Optional[float] = None  # noqa: UP045
        height, width = 0, 0
        if size is not None:
            if isinstance(size, int):
                height, width = size, size
            else:
                height, width = size[0], size[1]
        elif factor is not None:
            if isinstance(factor, float):
                scale_h, scale_w = factor, factor
            else:
                scale_h, scale_w = factor[0], factor[1]
            height, width = int(input.size(2) * scale_h), int(input.size(3) * scale_w)
            if not recompute:
                factor_h, factor_w = scale_h, scale_w
        return torch.ops.sr_ops.dynamic_upscale_to_size(
            input,
            [height, width],
            factor_h,
            factor_w,
            self.align_corners_index if align_corners else self.half_pixel_index,
            self.cubic_coeff_a,
            False,
            False,
        )


def convert(module: nn.Module) -> nn.Module:
    """Replace every ``nn.Upsample(mode="bicubic")`` inside a model, in place.

    Args:
        module: a model, or an ``nn.Upsample`` itself.

    Returns:
        The same model; a new module only where ``module`` itself is to be replaced. Hooks, training
        mode and names stay; ``state_dict`` is the same. Subclasses of ``nn.Upsample`` are left
        alone, and so are direct calls of ``torch.nn.functional.interpolate``: for those, import
        ``interpolate`` from :mod:`sr_ops.compat`.

    Raises:
        InvalidTypeError: not an ``nn.Module``.

    >>> convert(nn.Sequential(nn.Upsample(scale_factor=2, mode="bicubic")))
    Sequential(
      (0): BicubicUpsample(scale_factor=2.0, mode='bicubic')
    )
    """
    if not isinstance(module, nn.Module):
        raise InvalidTypeError(f"module: got {type(module).__name__}, expected a torch.nn.Module")
    if _is_bicubic(module):
        return _converted(module)
    replaced: dict[nn.Module, nn.Module] = {}  # a module may hang in several places
    for parent in list(module.modules()):
        for name, child in parent._modules.items():
            if child is not None and _is_bicubic(child):
                replaced.setdefault(child, _converted(child))
                parent._modules[name] = replaced[child]
    return module


def _is_bicubic(module: nn.Module) -> bool:
    return type(module) is nn.Upsample and module.mode == "bicubic"


def _converted(module: nn.Module) -> BicubicUpsample:
    converted = BicubicUpsample(mode="bicubic")
    converted.__dict__.update(module.__dict__)
    return converted

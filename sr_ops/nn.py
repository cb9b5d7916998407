"""Modules of an existing model, exchanged for sr_ops' own."""

from __future__ import annotations

from torch import Tensor, nn

from sr_ops import compat
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

    def forward(self, input: Tensor) -> Tensor:
        """Resample input, (N, C, H, W)."""
        return compat.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
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

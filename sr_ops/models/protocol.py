"""What a module needs for pictures to be upscaled with it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

__all__ = ["PictureNetwork"]


@runtime_checkable
class PictureNetwork(Protocol):
    """An ``nn.Module`` that :func:`sr_ops.upscale_image` and :func:`sr_ops.models.to_onnx` take.

    Attributes:
        channels: of the image that ``forward`` takes and gives: 3 for RGB, 1 for luma, 4 for RGBA,
            in 0..1.

    Further attributes are read where a module has them:

    - ``upscale_factor`` (int, 1 without it): what ``forward`` multiplies both sides by. With 1 the
      operator is inside ``forward``, before everything else; with another factor the pipeline
      resamples what it gives.
    - ``radius`` (int): how far an output pixel sees, in pixels of what the convolutions get. Found
      out without it.
    - ``multiple`` (int, 1 without it): pieces of a picture begin at multiples of it, in pixels.
    - ``restores`` (bool): with a factor of 1, that ``forward`` takes the picture as it is and keeps
      the size; the operator comes after it.

    >>> import sr_ops.models
    >>> isinstance(sr_ops.models.SRCNN(), PictureNetwork)
    True
    """

    channels: int

    def forward(self, x: Tensor, scale: Any) -> Tensor:
        """Enlarge.

        Args:
            x: (N, channels, H, W) float32 in 0..1, with N = 1 in the picture pipeline.
            scale: (scale_h, scale_w), two numbers or, in an exported graph, a tensor. The picture
                pipeline asks a module of a factor of its own for that factor alone.

        Returns:
            (N, channels, H_out, W_out) in 0..1; values outside are clamped later.
        """
        ...

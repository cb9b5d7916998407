"""``dynamic_upscale`` and ``DynamicUpscale``: the operator as torch users see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, List, Optional, Tuple, Union  # noqa: UP035 - TorchScript reads them

from sr_ops import _arguments
from sr_ops._arguments import DEFAULT_CUBIC_COEFF_A, DEFAULT_ROUNDING
from sr_ops._torch import library
from sr_ops.errors import InvalidArgumentError

import torch  # isort: skip - after the check that it is installed
from torch import Tensor, nn  # isort: skip
from torch.overrides import handle_torch_function, has_torch_function_variadic  # isort: skip

from sr_ops._torch import autograd, checks, matrices, scripted, traces

__all__ = ["DynamicUpscale", "dynamic_upscale"]

#: One factor for both axes, (scale_h, scale_w), or a tensor of 1, 2 or 4 elements.
Scale = Union[int, float, Tuple[float, float], List[float], Tensor]  # noqa: UP006, UP007


def dynamic_upscale(
    x: Tensor,
    scale: float | Sequence[float] | Tensor | None = None,
    *,
    size: Sequence[int] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = DEFAULT_CUBIC_COEFF_A,
    antialias: bool = False,
    exclude_outside: bool = False,
    rounding: str = DEFAULT_ROUNDING,
) -> Tensor:
    """Resample the two spatial axes of ``x`` with the Keys cubic kernel, as ONNX ``Resize`` does.

    Args:
        x: (N, C, H, W), float32, float64, float16, bfloat16 or uint8; any strides; N or C may be 0.
        scale: a number, a pair (scale_h, scale_w), or a tensor (also 0-d, also integer) of 1, 2 or
            4 elements, the last form being ``[1, 1, scale_h, scale_w]``; finite and > 0; rounded to
            float32. An axis of n pixels becomes ``trunc(float32(n) * scale)``, ONNX Runtime's rule.
            No gradient flows into a scale tensor.
        size: (H_out, W_out), instead of a scale.
        coordinate_transformation_mode: ``"half_pixel"``, ``"half_pixel_symmetric"``,
            ``"pytorch_half_pixel"``, ``"align_corners"`` or ``"asymmetric"``.
        cubic_coeff_a: Keys' a: -0.75 (torch, OpenCV, ONNX) or -0.5 (Pillow).
        antialias: stretch the kernel by 1 / scale where the scale is below 1.
        exclude_outside: drop taps outside the image and renormalise, instead of clamping them.
        rounding: ``"exact"``: integers are rounded once, half to even. ``"pillow"``: the bytes of
            Pillow's ``Image.resize(BICUBIC)``, for uint8 on the CPU: its fixed-point arithmetic,
            with 8 bits between the passes. That has a = -0.5, antialias and exclude_outside by
            itself, and coordinates that follow from the sizes, whatever the scale.

    Returns:
        (N, C, H_out, W_out) of x's dtype, device and memory format. Differentiable in ``x`` any
        number of times, in reverse and forward mode.

    Raises:
        InvalidArgumentError: (a ValueError) a value outside what is accepted, both or neither of
            scale and size, an output axis without a pixel, or more than 2**40 output elements.
        InvalidTypeError: (a TypeError) an argument of another type, or x of another dtype.

    Source: ONNX operator ``Resize``, version 19, ``mode="cubic"``; R. Keys, "Cubic convolution
    interpolation for digital image processing", IEEE Trans. ASSP 29(6), 1981.

    >>> dynamic_upscale(torch.ones(1, 3, 4, 5), 2.7).shape
    torch.Size([1, 3, 10, 13])
    """
    if torch.compiler.is_compiling():
        pair = (coordinate_transformation_mode, cubic_coeff_a)
        return _in_graph(x, scale, size, *pair, antialias, exclude_outside, rounding)
    if has_torch_function_variadic(x, scale):  # torch.fx's proxies, subclasses, modes
        recorded: Tensor = handle_torch_function(
            dynamic_upscale,
            (x, scale),
            x,
            scale,
            size=size,
            coordinate_transformation_mode=coordinate_transformation_mode,
            cubic_coeff_a=cubic_coeff_a,
            antialias=antialias,
            exclude_outside=exclude_outside,
            rounding=rounding,
        )
        return recorded
    checks.check_kinds(x, scale, size, antialias, exclude_outside)
    mode = _arguments.parse_mode(coordinate_transformation_mode)
    if type(cubic_coeff_a) is not float or cubic_coeff_a != DEFAULT_CUBIC_COEFF_A:
        cubic_coeff_a = _arguments.parse_cubic_coeff_a(cubic_coeff_a)
    rounded = 0
    if rounding is not DEFAULT_ROUNDING:
        rounded = checks.parse_rounding(rounding, x, mode, cubic_coeff_a)
    attributes = (mode, cubic_coeff_a, antialias, exclude_outside, rounded)
    if torch.jit.is_tracing():
        return traces.upscale_in_trace(x, scale, size, attributes)
    batch, channels, height, width = x.shape
    if isinstance(scale, Tensor):
        checks.check_scale_tensor(scale)
        if _has_no_values(scale):
            if autograd.is_functionalized_and_differentiated(x):
                return matrices.upscale_by_tensor(x, scale, *attributes)
            return library.dynamic_upscale(x, scale, *attributes)
        scale = scale.detach().tolist()
    if type(height) is not int or type(width) is not int:  # symbolic outside of the compiler
        pair = (coordinate_transformation_mode, cubic_coeff_a)
        return _in_graph(x, scale, size, *pair, antialias, exclude_outside, rounding)
    out_height, out_width, scale_h, scale_w = _arguments.resolve(height, width, scale, size)
    if (batch or 1) * (channels or 1) * out_height * out_width > _arguments.MAX_ELEMENTS:
        _arguments.check_elements((batch, channels, out_height, out_width))
    return autograd.upscale_to_size(x, (out_height, out_width), scale_h, scale_w, *attributes)


# What torch.jit.script compiles in its place: TorchScript knows no keyword-only arguments.
dynamic_upscale.__prepare_scriptable__ = lambda: scripted.dynamic_upscale_in_script


def _in_graph(*arguments: Any) -> Tensor:
    from sr_ops._torch import graphs  # which loads the compiler, as eager code must not

    return graphs.dynamic_upscale(*arguments)


def _has_no_values(scale: Tensor) -> bool:
    """Whether a scale tensor cannot be read, but stands for one that can: it is fake."""
    autograd.refuse_mapped_scale(torch._C._functorch.is_batchedtensor(scale))
    if type(scale) not in (Tensor, nn.Parameter) or torch._is_functional_tensor(scale):
        return True
    if scale.is_meta:
        raise InvalidArgumentError(
            "scale: got a tensor on the meta device, which has no values; give numbers or a size"
        )
    return False


class DynamicUpscale(nn.Module):
    """:func:`dynamic_upscale` as a module; ``forward`` may override its scale.

    Args:
        scale: a number or a pair (scale_h, scale_w); may be left out, and given to each call.
        size: (H_out, W_out), instead of a scale.
        coordinate_transformation_mode, cubic_coeff_a, antialias, exclude_outside, rounding: as in
            :func:`dynamic_upscale`.

    Raises:
        InvalidArgumentError: (a ValueError) a value outside what is accepted, or both scale and
            size.
        InvalidTypeError: (a TypeError) an argument of another type.

    Has no parameters and no buffers: ``state_dict()`` is empty.

    >>> DynamicUpscale(2)(torch.ones(1, 3, 4, 5)).shape
    torch.Size([1, 3, 8, 10])
    """

    def __init__(
        self,
        scale: Any = None,
        size: Any = None,
        *,
        coordinate_transformation_mode: str = "half_pixel",
        cubic_coeff_a: float = DEFAULT_CUBIC_COEFF_A,
        antialias: bool = False,
        exclude_outside: bool = False,
        rounding: str = DEFAULT_ROUNDING,
    ) -> None:
        super().__init__()
        if scale is not None and size is not None:
            _arguments.check_scale_or_size(scale, size)
        if isinstance(scale, Tensor):
            checks.check_scale_tensor(scale)
            scale = scale.detach().tolist()
        self.scale = None if scale is None else _arguments.parse_scale(scale)
        self.size = None if size is None else _arguments.parse_size(size)
        self.mode_index: int = _arguments.parse_mode(coordinate_transformation_mode)
        self.cubic_coeff_a: float = _arguments.parse_cubic_coeff_a(cubic_coeff_a)
        checks.check_flags(antialias, exclude_outside)
        self.coordinate_transformation_mode = coordinate_transformation_mode
        self.antialias = antialias
        self.exclude_outside = exclude_outside
        self.rounding_index: int = _arguments.parse_rounding(rounding)
        _arguments.check_rounding(self.rounding_index, "uint8", self.mode_index, self.cubic_coeff_a)
        self.rounding = rounding

    def forward(self, x: Tensor, scale: Optional[Scale] = None) -> Tensor:  # noqa: UP045
        """Resample x by the module's scale or size, or by the scale given here."""
        if torch.jit.is_scripting():
            return self._forward_in_script(x, scale)
        return dynamic_upscale(
            x,
            self.scale if scale is None else scale,
            size=self.size if scale is None else None,
            coordinate_transformation_mode=self.coordinate_transformation_mode,
            cubic_coeff_a=self.cubic_coeff_a,
            antialias=self.antialias,
            exclude_outside=self.exclude_outside,
            rounding=self.rounding,
        )

    def _forward_in_script(self, x: Tensor, scale: Optional[Scale]) -> Tensor:  # noqa: UP045 - compiled by TorchScript
        """What TorchScript compiles: the ops do the checks."""
        own_scale, own_size = self.scale, self.size
        if scale is None and own_size is not None:
            return torch.ops.sr_ops.dynamic_upscale_to_size(
                x,
                [own_size[0], own_size[1]],
                None,
                None,
                self.mode_index,
                self.cubic_coeff_a,
                self.antialias,
                self.exclude_outside,
                self.rounding_index,
            )
        if scale is None:
            if own_scale is None:
                raise ValueError("scale, size: got neither, expected exactly one of them")
            factors = torch.tensor([own_scale[0], own_scale[1]])
        elif isinstance(scale, Tensor):
            factors = scale
        elif isinstance(scale, (int, float)):
            factors = torch.tensor([float(scale)])
        elif isinstance(scale, List[float]):  # noqa: UP006
            factors = torch.tensor(scale)
        else:
            factors = torch.tensor([scale[0], scale[1]])
        return torch.ops.sr_ops.dynamic_upscale(
            x,
            factors,
            self.mode_index,
            self.cubic_coeff_a,
            self.antialias,
            self.exclude_outside,
            self.rounding_index,
        )

    def extra_repr(self) -> str:
        """The arguments that were given, as the constructor takes them."""
        defaults: dict[str, Any] = {"scale": None, "size": None}
        defaults.update(DynamicUpscale.__init__.__kwdefaults__ or {})
        given = {name: getattr(self, name) for name in defaults}
        return ", ".join(f"{k}={v!r}" for k, v in given.items() if v != defaults[k])

"""Super-resolution networks whose scale is an argument of ``forward``, and their checkpoints.

===============  ================================================================================
EDSR             residual blocks at the small size, shuffle pixels (Lim et al. 2017)
ESPCN            convolve at the small size, shuffle pixels, resample the rest (Shi et al. 2016)
IMDN             features weighed by their contrast (Hui et al. 2019)
MultiScale       one body, an end for each of several factors (as MDSR and ESPCN have them)
PictureNetwork   what a module of your own needs, as a Protocol
SRCNN            upscale first, then three convolutions (Dong et al. 2014)
VDSR             upscale first, then twenty convolutions (Kim et al. 2016)
load             a network from a checkpoint, or a bundled one; the keys tell the architecture
names            of the bundled networks
to_onnx          a network as an ONNX model that says what it is
to_picture_onnx  a network as an ONNX model from picture file to picture file
===============  ================================================================================

All but ``names`` need torch, and load it when first used. The names stand in ``__init__.pyi``.
"""

from __future__ import annotations

from sr_ops import _lazy

_lazy.attach(globals(), extras={"onnx": "ort", "onnxscript": "torch", "torch": "torch"})

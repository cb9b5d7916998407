"""Pictures: files, colour, and upscaling from picture to picture.

Needs OpenCV for files only; torch or onnxruntime only for models.
"""

from __future__ import annotations

from sr_ops.imaging.encoded import upscale_encoded, validate_encoded_image
from sr_ops.imaging.files import make_folder, read_image, read_profile, write_image
from sr_ops.imaging.pipeline import upscale_image

__all__ = [
    "make_folder",
    "read_image",
    "read_profile",
    "upscale_encoded",
    "upscale_image",
    "validate_encoded_image",
    "write_image",
]

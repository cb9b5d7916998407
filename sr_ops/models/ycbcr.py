"""Luma and chroma as networks of one channel see them: JFIF's full-range BT.601. Needs no torch."""

from __future__ import annotations

__all__ = ["CHROMA_CENTRE", "RGB_TO_YCBCR"]

#: ITU-T T.871, for values in 0..1; the rows give Y, Cb and Cr before ``CHROMA_CENTRE`` is added.
RGB_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
#: Chroma is centred at level 128 of 255.
CHROMA_CENTRE = (0.0, 128 / 255, 128 / 255)

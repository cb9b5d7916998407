"""What decoding a file would cost, found out before anything is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sr_ops.errors import ImageError

if TYPE_CHECKING:  # it loads numpy, and the command line asks for a default only
    from sr_ops.imaging.io.containers import Container

__all__ = ["DEFAULT_MAX_PIXELS", "check_cost"]

#: Pillow's limit: a quarter of a GiB in RGB, doubled.
DEFAULT_MAX_PIXELS = 2 * (2**28 // 3)
#: Bytes that any file may unpack to by default, and how many for each of its own beyond that.
#: Deflate reaches 1030 on pictures of one colour; files of photographs, a hundred at most.
_UNPACKED_ANYWAY = 64 << 20
_MOST_UNPACKED = 640
#: A camera's progressive JPEG has about ten scans; thousands are an attack on the decoder.
_MOST_SCANS = 100
#: Scans times pixels; a second for each hundred millions or so.
_MOST_SCANNED = 4_000_000_000


def check_cost(
    container: Container, name: str, max_pixels: int | None, max_bytes: int | None, stored: int
) -> None:
    """Refuse a picture whose decoding would take more than is allowed.

    Args:
        container: what the file announces.
        name: what errors call it.
        max_pixels: width times height; None for no limit. The default also looks at how much a
            small file unpacks to; any other number is the caller's own judgement.
        max_bytes: of the decoded picture; None for no limit.
        stored: bytes of the file.

    Raises:
        ImageError: it is larger, or does not say how large it is, or its JPEG has more scans than
            pictures have.
    """
    width, height = container.width, container.height
    pixels, size = width * height, width * height * container.pixel_bytes
    if pixels == 0:
        raise ImageError(f"{name}: a damaged picture: it does not say how large it is")
    if max_pixels is not None and pixels > max_pixels:
        raise ImageError(
            f"{name}: {width} x {height} pixels are more than max_pixels={max_pixels} allows; "
            "raise it (--max-pixels) for pictures that you trust"
        )
    allowed = max(_UNPACKED_ANYWAY, _MOST_UNPACKED * stored)
    if max_pixels == DEFAULT_MAX_PIXELS and size > allowed:
        raise ImageError(
            f"{name}: a file of {stored} bytes that unpacks to {width} x {height} pixels, "
            f"{-(-size // 2**20)} MiB, as files made to exhaust memory do; pass "
            f"max_pixels={pixels} (--max-pixels) if you trust it"
        )
    if max_bytes is not None and size > max_bytes:
        raise ImageError(
            f"{name}: {width} x {height} pixels take {-(-size // 2**20)} MiB, and max_memory is "
            f"{max_bytes >> 20} MiB; raise it (--max-memory)"
        )
    if container.scans > _MOST_SCANS or container.scans * pixels > _MOST_SCANNED:
        raise ImageError(
            f"{name}: a JPEG of {container.scans} scans, which takes its decoder very long; "
            "save it anew"
        )

"""Checkpoints from the web: downloaded once, checked, kept where torch.hub keeps its own."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import torch

from sr_ops._files import replacing
from sr_ops.errors import CheckpointError, FileError

__all__ = ["fetch", "is_address"]

#: torch.hub's convention: the name ends in the first digits of the file's SHA-256.
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")
#: Seconds that a server may be silent.
TIMEOUT = 30.0
#: Bytes of a checkpoint at most.
LARGEST = 8 << 30
_PIECE = 1 << 20
_LONGEST_NAME = 150
_FRAGMENT = re.compile(r"sha256=([0-9a-fA-F]{8,64})")


def is_address(path: str) -> bool:
    """Whether this is an http or https address.

    >>> is_address("https://example.org/net.pth"), is_address("net.pth")
    (True, False)
    """
    return path.lower().startswith(("http://", "https://"))


def fetch(address: str) -> Path:
    """The downloaded file; from the cache where it is there already.

    The cache is ``torch.hub.get_dir()/checkpoints``. A checksum is taken from the address, where it
    ends in ``#sha256=<digits>``, or from a name like ``net-0123abcd.pth``, as torch.hub has it; at
    least eight digits. Without one the file is used as it came.

    Args:
        address: http or https.

    Raises:
        FileError: no address, no connection, no such file there, a reply that is cut short, too
            large or no HTTP, or no place to keep it; nothing is kept.
        CheckpointError: the checksum is another one; nothing is kept.
    """
    parts = _parts(address)
    name = re.sub(r"[^\w.-]", "_", os.path.basename(parts.path), flags=re.ASCII)[-_LONGEST_NAME:]
    if not name:
        raise FileError(f"{address}: the address names no file")
    found = _FRAGMENT.fullmatch(parts.fragment) or _HASH_IN_NAME.search(name)
    digits = found.group(1).lower() if found else ""
    # Files of one name from two addresses are two files.
    folder = Path(torch.hub.get_dir()) / "checkpoints" / "sr_ops"
    kept = folder / f"{hashlib.sha256(address.encode()).hexdigest()[:12]}-{name}"
    if not kept.exists():
        _download(urllib.parse.urldefrag(address).url, kept, address)
    if digits and not hashlib.sha256(kept.read_bytes()).hexdigest().startswith(digits):
        kept.unlink()
        raise CheckpointError(
            f"{address}: the download does not have the SHA-256 {digits}…; it was not kept"
        )
    return kept


def _parts(address: str) -> urllib.parse.SplitResult:
    """Of an address that a request can be made of."""
    try:
        parts = urllib.parse.urlsplit(address)
        sound = bool(parts.hostname) and parts.port != 0
        address.encode("ascii")
    except ValueError:  # a port that is no number, brackets that don't close; letters beyond ASCII
        sound = False
    if not sound or not address.isprintable() or " " in address:
        raise FileError(
            f"{address[:200]!r}: not an address; expected http(s)://host/file, with %20 and the "
            "like for what is not ASCII"
        )
    return parts


def _download(url: str, kept: Path, address: str) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(url, timeout=TIMEOUT) as reply,
            replacing(kept) as draft,
            open(draft, "xb") as file,
        ):
            _copy(reply, file)
    except FileError as error:
        raise FileError(_no_download(address, str(error))) from None
    except (OSError, http.client.HTTPException, ValueError) as error:  # HTTPError among them
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise FileError(_no_download(address, str(reason)[:200] or type(error).__name__)) from error


def _no_download(address: str, reason: str) -> str:
    return (
        f"{address}: cannot be downloaded: {reason}; without a connection, give the path of a file"
    )


def _copy(reply: Any, file: Any) -> None:
    """The whole body, and no more than is sensible.

    Raises:
        FileError: it is cut short or too large.
    """
    announced, received = reply.headers.get("Content-Length"), 0
    expected = int(announced) if announced is not None else None
    if expected is not None and not 0 <= expected <= LARGEST:
        raise FileError(f"the reply announces {expected} bytes; at most {LARGEST} are taken")
    while piece := reply.read(_PIECE):
        received += len(piece)
        if received > LARGEST:
            raise FileError(f"the reply is longer than {LARGEST} bytes")
        file.write(piece)
    if expected is not None and received != expected:
        raise FileError(f"{received} of {expected} bytes arrived")

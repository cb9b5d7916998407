"""Checkpoints from the web: downloaded once, checked, kept where torch.hub keeps its own."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.parse
from pathlib import Path

import torch

from sr_ops.errors import CheckpointError, FileError

__all__ = ["fetch", "is_address"]

#: torch.hub's convention: the name ends in the first digits of the file's SHA-256.
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")
_FRAGMENT = re.compile(r"sha256=([0-9a-fA-F]{8,64})")


def is_address(path: str) -> bool:
    """Whether this is an http or https address.

    >>> is_address("https://example.org/net.pth"), is_address("net.pth")
    (True, False)
    """
    return path.startswith(("http://", "https://"))


def fetch(address: str) -> Path:
    """The downloaded file; from the cache where it is there already.

    The cache is ``torch.hub.get_dir()/checkpoints``. A checksum is taken from the address, where it
    ends in ``#sha256=<digits>``, or from a name like ``net-0123abcd.pth``, as torch.hub has it; at
    least eight digits. Without one the file is used as it came.

    Args:
        address: http or https.

    Raises:
        FileError: no connection, no such file there, or no place to keep it.
        CheckpointError: the checksum is another one; nothing is kept.
    """
    parts = urllib.parse.urlsplit(address)
    name = os.path.basename(parts.path)
    if not name:
        raise FileError(f"{address}: the address names no file")
    found = _FRAGMENT.fullmatch(parts.fragment) or _HASH_IN_NAME.search(name)
    digits = found.group(1).lower() if found else ""
    # Files of one name from two addresses are two files.
    folder = Path(torch.hub.get_dir()) / "checkpoints" / "sr_ops"
    target = folder / f"{hashlib.sha256(address.encode()).hexdigest()[:12]}-{name}"
    if not target.exists():
        _download(urllib.parse.urldefrag(address).url, target, address)
    if digits and not hashlib.sha256(target.read_bytes()).hexdigest().startswith(digits):
        target.unlink()
        raise CheckpointError(
            f"{address}: the download does not have the SHA-256 {digits}…; it was not kept"
        )
    return target


def _download(url: str, target: Path, address: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), progress=False)
    except urllib.error.URLError as error:  # HTTPError among them
        raise FileError(
            f"{address}: cannot be downloaded: {error.reason}; without a connection, give the path "
            "of a file"
        ) from error
    except OSError as error:
        raise FileError(f"{address}: cannot be downloaded: {error.strerror or error}") from error

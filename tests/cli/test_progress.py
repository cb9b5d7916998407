"""What a terminal sees of a command that takes a while."""

import contextlib
import os
import subprocess
import sys

import pytest
from films import write_film
from pictures import noise

from sr_ops.imaging import write_image


def watched(*arguments):
    """What a terminal sees of a command, read meanwhile: a full terminal stops who writes to it."""
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "sr_ops", "upscale", *map(str, arguments)]
    with subprocess.Popen(command, stderr=child, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(child)
        seen = b""
        with contextlib.suppress(OSError):  # how Linux says that the terminal is closed
            while chunk := os.read(parent, 4096):
                seen += chunk
    os.close(parent)
    assert process.returncode == 0, seen
    return seen


def test_a_terminal_sees_progress(tmp_path):
    write_image(tmp_path / "in.png", noise(12, 16, 3))
    seen = watched(tmp_path / "in.png", tmp_path / "out.png", "--tile", "16")
    assert b"upscaling" in seen
    assert b"4/4" in seen


def test_a_terminal_sees_the_speed_of_a_video(tmp_path):
    write_film(tmp_path / "in.mp4", 40, rate=10)
    seen = watched(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert b"40/40" in seen
    assert b"frames/s" in seen

"""Checkpoints by address, from a server of our own."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import safetensors.torch
import torch

from sr_ops import models
from sr_ops.errors import CheckpointError, FileError
from sr_ops.models import SRCNN


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """(folder that is served, its address, count of downloads); the cache is empty."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def net():
    return SRCNN(channels=1, features=(4, 4))


def kept(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_downloaded_once(site, net, tmp_path):
    folder, address = site
    torch.save(net.state_dict(), folder / "net.pth")
    for _ in range(2):
        loaded = models.load(f"{address}/net.pth")
        torch.testing.assert_close(loaded.conv1.weight, net.conv1.weight, rtol=0, atol=0)
        (folder / "net.pth").unlink(missing_ok=True)  # the second time comes from the cache
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("form", ["fragment", "name"])
def test_checksum(site, net, tmp_path, form):
    folder, address = site
    torch.save(net.state_dict(), folder / "net.pth")
    digest = hashlib.sha256((folder / "net.pth").read_bytes()).hexdigest()
    right, wrong = digest[:16], "0" * 16
    for digits in (right, wrong):
        (folder / f"net-{digits}.pth").write_bytes((folder / "net.pth").read_bytes())
    forms = {"fragment": "net.pth#sha256={}", "name": "net-{}.pth"}
    models.load(f"{address}/{forms[form].format(right)}")
    assert len(kept(tmp_path)) == 1
    with pytest.raises(CheckpointError, match="does not have the SHA-256 0000"):
        models.load(f"{address}/{forms[form].format(wrong)}")
    assert len(kept(tmp_path)) == 1


def test_safetensors_by_address(site, net):
    folder, address = site
    safetensors.torch.save_file(net.state_dict(), folder / "net.safetensors")
    assert models.load(f"{address}/net.safetensors").channels == 1


def test_not_there(site):
    with pytest.raises(FileError, match=r"none\.pth.*[Nn]ot found"):
        models.load(f"{site[1]}/none.pth")
    with pytest.raises(FileError, match="names no file"):
        models.load(f"{site[1]}/")


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(FileError, match="without a connection, give the path"):
        models.load("http://127.0.0.1:9/net.pth")
    assert kept(tmp_path) == []

"""Checkpoints by address, from a server of our own."""

import hashlib
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import safetensors.torch
import torch

from sr_ops import models
from sr_ops.errors import CheckpointError, FileError
from sr_ops.models import SRCNN, downloads


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


@pytest.fixture
def hostile():
    """hostile(reply) -> the address of a server that sends these bytes to anybody."""
    servers = []

    def serve(reply, close=True):
        server = socket.create_server(("127.0.0.1", 0))
        held = []

        def answer():
            try:
                connection, _ = server.accept()
                held.append(connection)
                connection.recv(4096)
                connection.sendall(reply)
            except OSError:  # they hung up on us
                pass
            if close:
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        servers.append((server, thread, held))
        return f"http://127.0.0.1:{server.getsockname()[1]}/net.pth"

    yield serve
    for server, thread, held in servers:
        thread.join()
        server.close()
        for connection in held:
            connection.close()


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        (HEAD + b"Content-Length: 1000\r\n\r\n" + bytes(500), "500 of 1000 bytes|IncompleteRead"),
        (HEAD + b"Content-Length: many\r\n\r\n" + bytes(500), "many"),
        (HEAD + b"Content-Length: -5\r\n\r\n" + bytes(500), "-5 bytes"),
        (HEAD + b"Content-Length: 99999999999999\r\n\r\n", "99999999999999 bytes"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "cannot be downloaded"),
        (HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n", "headers"),
        (HEAD + b"\r\n" + bytes(200_000), "longer than 100000 bytes"),
        (b"nonsense\r\n\r\n", "nonsense"),
        (b"", "cannot be downloaded"),
    ],
)
def test_replies_that_are_at_fault(hostile, tmp_path, monkeypatch, reply, part):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(downloads, "LARGEST", 100_000)
    with pytest.raises(FileError, match=part) as caught:
        models.load(hostile(reply))
    assert len(str(caught.value)) < 500
    assert kept(tmp_path) == []


def test_a_server_that_falls_silent(hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    with pytest.raises(FileError, match="timed out"):
        models.load(hostile(HEAD + b"Content-Length: 9\r\n\r\nabc", close=False))
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://host:port/net.pth",
        "http://host:99999999/net.pth",
        "http://[::1/net.pth",
        "http:///net.pth",
        "http://127.0.0.1/a net.pth",
        "http://127.0.0.1/net\x07.pth",
        "http://127.0.0.1/n\udce9t.pth",
        "http://127.0.0.1/nét.pth",
    ],
)
def test_addresses_that_are_none(address):
    with pytest.raises(FileError, match="not an address; expected"):
        models.load(address)


def test_capitals_and_long_names(site, net):
    folder, address = site
    name = "n" * 240 + ".pth"
    torch.save(net.state_dict(), folder / name)
    assert models.load(f"{address}/{name}".replace("http", "HTTP")).channels == 1

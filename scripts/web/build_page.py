#!/usr/bin/env python3
"""Assemble the page of examples/web into build/web: a folder for any file server, and offline.

    python scripts/web/build_page.py

Takes js/ with sr_ops.wasm (`make wasm`), onnxruntime-web from npm (the release that
examples/web/package.json names), the bundled networks, each as one file, and a photograph.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import onnx
from skimage.data import astronaut

from sr_ops.models import bundled

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "examples" / "web"
FOLDER = ROOT / "build" / "web"
DOWNLOADS = ROOT / "build" / "npm"

#: Of the package's archive, for the release in examples/web/package.json.
RUNTIME_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
NETWORKS = ("espcn_x3", "multiscale", "srcnn")  # as in examples/web/upscaler.js


def fetch_runtime() -> Path:
    """The archive of onnxruntime-web, downloaded by npm the first time."""
    version = json.loads((PAGE / "package.json").read_text())["dependencies"]["onnxruntime-web"]
    archive = DOWNLOADS / f"onnxruntime-web-{version}.tgz"
    if not archive.exists():
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", f"onnxruntime-web@{version}"]
        subprocess.run(command, cwd=DOWNLOADS, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != RUNTIME_SHA256:
        archive.unlink()
        sys.exit(f"sr_ops: {archive.name} has the SHA-256 {digest}, expected {RUNTIME_SHA256}")
    return archive


def add_runtime() -> None:
    """Of onnxruntime-web what runs networks on the CPU."""
    (FOLDER / "ort").mkdir()
    with tarfile.open(fetch_runtime()) as archive:
        for name in RUNTIME_FILES:
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None, name
            (FOLDER / "ort" / name).write_bytes(member.read())


def add_networks() -> None:
    """The bundled networks of the page, weights inside."""
    (FOLDER / "models").mkdir()
    for name in NETWORKS:
        path = bundled.find(name, ".onnx")
        assert path is not None, name
        onnx.save(onnx.load(path), FOLDER / "models" / path.name)


def main() -> None:
    """The whole folder, anew."""
    wasm = ROOT / "js" / "sr_ops.wasm"
    if not wasm.exists():
        sys.exit("sr_ops: js/sr_ops.wasm is missing; run `make wasm` first")
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(PAGE, FOLDER, ignore=shutil.ignore_patterns("package.json"))
    (FOLDER / "sr-ops").mkdir()
    for file in [wasm, *(ROOT / "js").glob("*.js")]:
        shutil.copy(file, FOLDER / "sr-ops")
    add_runtime()
    add_networks()
    picture = astronaut()[0:256, 96:352, ::-1]  # Eileen Collins, NASA, public domain
    cv2.imwrite(str(FOLDER / "sample.png"), picture)
    print(f"{FOLDER}: serve it, for example by `python -m http.server -d {FOLDER}`")


if __name__ == "__main__":
    main()

"""Upscale folders and lists of files on all machines of a Ray cluster, or on this one.

    pip install 'sr-ops[ort,image]' 'ray[data]'
    python examples/python/upscale_with_ray.py photos/ large/ --scale 2 --workers 2
    python examples/python/upscale_with_ray.py s3://bucket/photos /shared/large

Sources are local or addresses that pyarrow reads; the results go into a folder that every machine
sees. A pool of workers loads the network once each. A result appears whole or not at all, and one
that is there is skipped: run it again after a crash. What a killed worker was at is done again.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import ray
from pyarrow import fs

from sr_ops import errors, imaging

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp"}


class Upscaler:
    """A worker: what it loads stays loaded."""

    def __init__(self, scale: float, model: str) -> None:
        self.scale, self.model = scale, model

    def __call__(self, task: dict[str, Any]) -> dict[str, Any]:
        try:
            self.upscale(task["source"], task["target"])
        except (errors.SrOpsError, OSError, MemoryError) as error:
            return {"said": f"{task['source']}: {error}", "failed": True}
        return {"said": task["target"], "failed": False}

    def upscale(self, source: str, target: str) -> None:
        filesystem, path = opened(source)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, os.path.basename(path))
            with filesystem.open_input_file(path) as file:
                copy.write_bytes(file.read())
            image, metadata = imaging.read_image(copy), imaging.read_metadata(copy)
        large = imaging.upscale_image(image, self.scale, model=self.model)
        imaging.make_folder(Path(target).parent)
        imaging.write_image(target, large, metadata=metadata)


def opened(source: str) -> tuple[fs.FileSystem, str]:
    if "://" in source:
        return fs.FileSystem.from_uri(source)
    return fs.LocalFileSystem(), os.path.abspath(source)


def plan(sources: list[str], target: str) -> tuple[list[dict[str, str]], int, int]:
    """Tasks; how many results are there already, and how many files are no pictures."""
    tasks, there, others = {}, 0, 0
    for source in sources:
        filesystem, root = opened(source)
        prefix = source[: len(source) - len(root)] if "://" in source else ""
        entries = [filesystem.get_file_info(root)]
        if entries[0].type == fs.FileType.Directory:
            entries = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
        else:
            root = os.path.dirname(root)
        for entry in entries:
            inside = os.path.relpath(entry.path, root)
            result = os.path.abspath(os.path.join(target, inside))
            if entry.type == fs.FileType.Directory:
                continue
            if Path(inside).suffix.lower() not in PICTURES or Path(inside).name.startswith("."):
                others += 1
            elif result in tasks:
                sys.exit(f"{tasks[result]} and {prefix}{entry.path} would both become {result}")
            else:
                tasks[result] = prefix + entry.path
    todo = [{"source": s, "target": t} for t, s in tasks.items() if not os.path.exists(t)]
    there = len(tasks) - len(todo)
    return todo, there, others


def main() -> int:
    parser = argparse.ArgumentParser(description="Upscale pictures with Ray Data.")
    parser.add_argument("sources", nargs="+", help="folders, files, or addresses of either")
    parser.add_argument("target", help="a folder that every machine sees")
    parser.add_argument("--scale", type=float, default=2.0)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    todo, there, others = plan(arguments.sources, arguments.target)
    failed = 0
    if todo:
        ray.init(include_dashboard=False)
        ray.data.DataContext.get_current().enable_progress_bars = False
        # A picture a block: a killed worker costs what it was at. Ray Data starts it again.
        outcomes = ray.data.from_items(todo, override_num_blocks=len(todo)).map(
            Upscaler,
            fn_constructor_args=(arguments.scale, arguments.model),
            compute=ray.data.ActorPoolStrategy(size=arguments.workers),
        )
        for outcome in outcomes.iter_rows():
            print(outcome["said"], flush=True)
            failed += outcome["failed"]
    print(
        f"{len(todo) - failed} of {len(todo)} pictures upscaled; {there} were there already; "
        f"{others} files are no pictures"
    )
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""One target under atheris (libFuzzer for Python), which must be installed.

    python tests/fuzz/run.py TARGET [LIBFUZZER-ARGUMENT | CORPUS-FOLDER | FILE]...

Files alone are run once each, without atheris. A finding is written to the current folder.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

#: Target -> the parts of sr_ops whose coverage guides it.
TARGETS = {
    "pictures": ("sr_ops.imaging.io.",),
    "decoding": ("sr_ops.imaging.",),
    "checkpoints": ("sr_ops.models.",),
    "onnx_models": ("sr_ops.onnx.",),
    "arguments": ("sr_ops.cli", "sr_ops.imaging."),
}


def main(arguments: list[str]) -> None:
    """Fuzz, or run files."""
    name, *rest = arguments or [""]
    if name not in TARGETS:
        sys.exit(f"usage: run.py {'|'.join(TARGETS)} [argument of libFuzzer]...")
    if rest and all(Path(argument).is_file() for argument in rest):
        run = importlib.import_module(f"fuzz.{name}").run
        for file in rest:
            run(Path(file).read_bytes())
        return
    import atheris

    with atheris.instrument_imports(include=["sr_ops"]):
        import sr_ops

        for module in pkgutil.walk_packages(sr_ops.__path__, "sr_ops."):
            if module.name.startswith(TARGETS[name]):  # lazily imported otherwise
                importlib.import_module(module.name)
        target = importlib.import_module(f"fuzz.{name}")
    options = [f"-max_len={target.LONGEST}", "-len_control=0", "-timeout=120", "-rss_limit_mb=3072"]
    atheris.Setup([sys.argv[0], *options, *rest], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])

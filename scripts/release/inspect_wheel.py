"""Check a release wheel: its size, what its libraries need and show, its bill of materials.

python scripts/release/inspect_wheel.py dist/….whl
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LARGEST = 5 << 20  # bytes, without trained weights
LARGEST_WEIGHTS = 2 << 20
#: Library -> the symbols it may define for others. torch's registers when it is loaded.
ENTRY_POINTS = {
    "_native": {"PyInit__native"},
    "libsr_ops_ort": {
        "CreateEpFactories",
        "RegisterCustomOps",
        "ReleaseEpFactory",
        "SrOpsRegisterCustomOps",
        "sr_ops_dynamic_upscale",
        "sr_ops_dynamic_upscale_backward",
        "sr_ops_get_limits",
        "sr_ops_instruction_set",
        "sr_ops_output_size",
        "sr_ops_set_limits",
        "sr_ops_source_rectangle",
        "sr_ops_version",
    },
    "libsr_ops_torch": set(),
}
#: The functions of the core that the other front ends find there.
FOR_FRONT_ENDS = re.compile(r"_ZNK?6sr_ops\w+")
#: What a manylinux system has, torch for its front end, and the library that holds the kernels.
SYSTEM = re.compile(
    r"libsr_ops_ort\.so|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so|ld-linux|lib(torch|c10)\w*\.so"
)


def main(wheel: Path) -> int:
    """Print what was found; the exit code is the number of faults."""
    faults = []
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        sizes = {entry.filename: entry.compress_size for entry in archive.infolist()}
        weights = sum(size for name, size in sizes.items() if "/weights/" in name)
        size = sum(sizes.values()) - weights
        print(f"{wheel.name}: {size / 1e6:.2f} MB, and {weights / 1e6:.2f} MB of trained weights")
        if size > LARGEST:
            faults.append(f"larger than {LARGEST} bytes")
        if weights > LARGEST_WEIGHTS:
            faults.append(f"trained weights larger than {LARGEST_WEIGHTS} bytes")
        libraries = [name for name in archive.namelist() if ".so" in Path(name).suffixes]
        for name in libraries:
            faults += _check_library(Path(archive.extract(name, folder)))
        found = {Path(name).name.split(".")[0] for name in libraries}
        if found != set(ENTRY_POINTS):
            faults.append(f"libraries {sorted(found)}, expected {sorted(ENTRY_POINTS)}")
        faults += _check_bill_of_materials(archive)
        names = " ".join(archive.namelist())
        faults += [f"{name} is missing" for name in ("LICENSE", "NOTICES") if name not in names]
    print(*(f"FAULT: {fault}" for fault in faults), sep="\n", end="\n" if faults else "")
    return len(faults)


def _check_library(path: Path) -> list[str]:
    stem = path.name.split(".")[0]
    dynamic = _output("readelf", "--dynamic", "--wide", path)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    symbols = _output("nm", "--dynamic", "--defined-only", "--format=posix", path)
    shown = {
        line.split()[0].split("@")[0]
        for line in symbols.splitlines()
        if line.split()[1] in "TBDRVWuG"
    }
    inner = {name for name in shown if FOR_FRONT_ENDS.fullmatch(name)}
    shown -= inner if stem == "libsr_ops_ort" else set()
    print(f"{path.name}: shows {sorted(shown)} and {len(inner)} to front ends, needs {needed}")
    faults = []
    if shown != ENTRY_POINTS.get(stem, set()):
        faults.append(f"{path.name} shows {sorted(shown)}")
    faults += [f"{path.name} needs {name}" for name in needed if not SYSTEM.match(name)]
    if set(re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.+)\]", dynamic)) - {"$ORIGIN"}:
        faults.append(f"{path.name} has a run path")
    return faults


def _check_bill_of_materials(archive: zipfile.ZipFile) -> list[str]:
    """It names the projects, and the licences, of THIRD_PARTY_NOTICES.md, and their versions."""
    found = [name for name in archive.namelist() if re.search(r"\.dist-info/sboms/.", name)]
    if [Path(name).name for name in found] != ["sr_ops.cdx.json"]:
        return [f"bills of materials {found}, expected sr_ops.cdx.json"]
    bill = json.loads(archive.read(found[0]))
    (notices,) = (name for name in archive.namelist() if name.endswith("THIRD_PARTY_NOTICES.md"))
    rows = re.findall(r"^\| \[(.+?)\]\(.*\| (\S.*) \|$", archive.read(notices).decode(), re.M)
    listed = {name: licence.replace(" or ", " OR ") for name, licence in rows}
    parts = {part["name"]: part["licenses"][0]["expression"] for part in bill["components"]}
    versions = [f"{part['name']} {part['version']}" for part in bill["components"]]
    print(f"{found[0]}: {bill['bomFormat']} {bill['specVersion']}, of {', '.join(versions)}")
    faults = [] if parts == listed else [f"bill of materials {parts}, notices {listed}"]
    faults += [f"{name}: no version" for name in versions if not re.search(r" \d+\.\d+", name)]
    release = archive.filename and Path(archive.filename).name.split("-")[1]
    if bill["metadata"]["component"]["version"] != release:
        faults.append(f"the bill of materials is not of {release}")
    return faults


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""MkDocs hooks: the benchmark's plots lie beside their data, outside of docs/."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PLOTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the plots to the site."""
    for plot in sorted(PLOTS.glob("*.png")):
        files.append(File.generated(config, f"images/{plot.name}", abs_src_path=str(plot)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Point to them there; in the repository the pages' own links hold."""
    return markdown.replace("](../benchmarks/results/", "](images/")

"""MkDocs hooks: what lies outside of docs/, the benchmark's plots and the page for browsers."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PLOTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "build" / "web"  # of `make web`, where that has run

LINK = '<a class="md-button md-button--primary" href="try/index.html">Open the page</a>'


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the plots and the page to the site."""
    for plot in sorted(PLOTS.glob("*.png")):
        files.append(File.generated(config, f"images/{plot.name}", abs_src_path=str(plot)))
    for path in sorted(PAGE.rglob("*")):
        if path.is_file():
            name = f"try/{path.relative_to(PAGE).as_posix()}"
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Point to them there; in the repository the pages' own links hold."""
    if (PAGE / "index.html").exists():
        markdown = markdown.replace("<!-- try it -->", LINK)
    return markdown.replace("](../benchmarks/results/", "](images/")

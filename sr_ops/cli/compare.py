"""``sr-ops compare``: a page with a slider, to look at what models do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sr_ops.cli.errors import printable
from sr_ops.cli.options import (
    Backend,
    Colours,
    ColoursOption,
    EnlargeOption,
    LayoutOption,
    OverlapOption,
    TrustOption,
    ValueRangeOption,
    treated,
)
from sr_ops.cli.progress import show_progress
from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging.choice import AUTO, Models
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(compare)


def compare(  # noqa: PLR0917  Typer's options are parameters
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE...", help="What to upscale.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PAGE.html", help="Where to write the page.")
    ],
    scale: Annotated[
        str | None, typer.Option("--scale", "-s", metavar="S", help="Factor; 2 if not given.")
    ] = None,
    width: Annotated[int | None, typer.Option(metavar="PIXELS", help="Width of results.")] = None,
    height: Annotated[int | None, typer.Option(metavar="PIXELS", help="Height of results.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="As of upscale; may be repeated."),
    ] = None,
    original: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="What the result should be: PSNR and SSIM. One for each PICTURE, in their order.",
        ),
    ] = None,
    backend: Annotated[Backend, typer.Option("--backend", "-b", help="Who computes.")] = (
        Backend.auto
    ),
    colours: ColoursOption = Colours.rgb,
    layout: LayoutOption = None,
    value_range: ValueRangeOption = None,
    enlarge: EnlargeOption = None,
    overlap: OverlapOption = None,
    trust_torchscript: TrustOption = False,
    max_pixels: Annotated[
        int, typer.Option(min=1, metavar="N", help="Width times height of a source.")
    ] = DEFAULT_MAX_PIXELS,
) -> int:
    """Upscale pictures with several models, and make one page with a slider of the results."""
    from sr_ops.cli.upscale import parse_factors
    from sr_ops.imaging import compare_page, geometry
    from sr_ops.imaging.io import files, places

    if output.suffix.lower() not in (".html", ".htm"):
        raise InvalidArgumentError(f"--output: got {output}, expected a name that ends in .html")
    if original and len(original) != len(pictures):
        raise InvalidArgumentError(
            f"--original: got {len(original)}, expected one for each of {len(pictures)} pictures"
        )
    places.place(output)
    for path in (*pictures, *(original or [])):
        places.check_apart(path, output)
    sizes = {"width": width, "height": height}
    size: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    if scale is not None or not size:
        size["scale"] = parse_factors("2" if scale is None else scale)
    geometry.check_forms(size)
    treatment = treated(layout, value_range, enlarge, overlap, trust_torchscript)
    models = Models.of_each(model or [AUTO], backend.value, treatment, colours.value)
    compared = []
    with show_progress("upscaling") as show:
        for index, path in enumerate(pictures):
            reference = original[index] if original else None
            compared.append(_compared(path, reference, size, models, max_pixels))
            show(index + 1, len(pictures))
    files.write_bytes(output, compare_page.page(compared).encode())
    names = ", ".join(dict.fromkeys(made[0] for one in compared for made in one.results))
    count = f"{len(pictures)} picture{'s' * (len(pictures) > 1)}"
    print(printable(f"{output}: {count} by {names}, beside bicubic"))
    return 0


def _compared(
    path: str, original: str | None, size: dict[str, Any], models: list[Any], max_pixels: int
) -> Any:
    from sr_ops.imaging import compare_page, geometry, pipeline
    from sr_ops.imaging.io import files

    source = files.read_image(path, max_pixels=max_pixels)
    reference = None if original is None else files.read_image(original, max_pixels=max_pixels)
    g = geometry.resolve(source.shape[:2], **size)
    larger = max(g.scale_height, g.scale_width)
    before = pipeline.upscale_image(source, **size, model="bicubic")

    def measured(image: Any) -> str:
        if reference is None:
            return ""
        return compare_page.numbers(image, reference, larger, str(original))

    said = measured(before)
    results = []
    for _, chosen, keywords in models:
        network, name = chosen.choose(larger)
        image = pipeline.upscale_image(source, **size, model=network, **keywords)
        results.append((name, image, f"{measured(image)} (bicubic {said})" if said else ""))
    profile = files.read_profile(path)
    return compare_page.Compared(Path(path).name, source.shape[:2], before, results, profile)

"""The table of docs/pictures.md: every cell is tried, and its word is what is seen.

A column is the result's format. The source is of the same format where that can hold the thing,
else a PNG.
"""

import contextlib
import io
import re
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from films import add_pictures, encode, picture, probe, write_film
from PIL import Image, ImageCms, PngImagePlugin

from sr_ops import cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pictures.md"
COLUMNS = {
    **{"PNG": "png", "JPEG": "jpg", "WebP": "webp"},
    **{"AVIF": "avif", "TIFF": "tif", "video": "mkv"},
}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r>word</r></x:xmpmeta>'


class Done(NamedTuple):
    """How a call of the command went."""

    code: int
    said: str
    path: Path

    @property
    def image(self):
        return Image.open(self.path)


def upscale(source, target):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main(["upscale", str(source), str(target), "-s", "2", "-m", "bicubic"])
    assert target.exists() == (code == 0)
    assert said.getvalue().count("\n") == 1
    return Done(code, said.getvalue(), target)


def photo(size=(24, 16), mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(np.sort(pixels, axis=1)).convert(mode)


def saved(folder, ending, image=None, **options):
    path = folder / f"in.{ending}"
    (image or photo()).save(path, **options)
    return path


def to(folder, ending, source):
    return upscale(source, folder / f"out.{ending}")


def word(done, kept):
    """What became of a thing that is in the result, or is not."""
    if done.code:
        return "refused"
    if kept(done):
        return "kept"
    assert "not kept:" in done.said, f"lost in silence: {done.said}"
    return "named"


def eight_bits(folder, ending):
    if ending == "mkv":
        write_film(folder / "in.mkv", 3)
        done = to(folder, ending, folder / "in.mkv")
        return word(done, lambda _: probe(done.path).pixels == "yuv420p")
    return word(to(folder, ending, saved(folder, ending)), lambda d: d.image.mode == "RGB")


def more_bits(folder, ending):
    if ending == "mkv":
        write_film(folder / "in.mkv", 3, pixels="yuv420p10le")
        done = to(folder, ending, folder / "in.mkv")
        return word(done, lambda _: probe(done.path).pixels == "yuv420p10le")
    deep = Image.fromarray(np.linspace(0, 65535, 24 * 16).astype(np.uint16).reshape(16, 24))
    source = saved(folder, ending if ending in ("png", "tif") else "png", deep)
    return word(to(folder, ending, source), lambda d: np.asarray(d.image).max() > 60000)


def transparency(folder, ending):
    if ending == "mkv":
        write_film(folder / "in.mov", 3, codec="png", pixels="rgba")
        return word(to(folder, ending, folder / "in.mov"), lambda _: True)
    image = photo(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    source = saved(folder, "png" if ending == "jpg" else ending, image)
    return word(to(folder, ending, source), lambda d: np.ptp(np.asarray(d.image)[..., 3]) > 99)


def a_turn(folder, ending):
    if ending == "mkv":
        with av.open(str(folder / "in.mp4"), "w") as result:
            stream = add_pictures(result)
            stream.set_display_rotation(90)
            encode(result, stream, [picture(n) for n in range(3)])
        done = to(folder, ending, folder / "in.mp4")
        assert (probe(done.path).sides, probe(done.path).turned) == ((96, 128), 0)
        return "converted"
    exif = Image.Exif()
    exif[0x0112] = 6
    done = to(folder, ending, saved(folder, ending, exif=exif))
    assert (done.image.size, done.image.getexif().get(0x0112, 1)) == ((32, 48), 1)
    return "converted"


def colour_profile(folder, ending):
    if ending == "mkv":
        return "-"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = saved(folder, ending, icc_profile=profile)
    return word(to(folder, ending, source), lambda d: d.image.info.get("icc_profile") == profile)


def colour_tags(folder, ending):
    if ending == "mkv":
        names = ("color_range", "colorspace", "color_primaries", "color_trc")
        write_film(folder / "in.mp4", 3, **dict(zip(names, (1, 1, 1, 1), strict=True)))
        done = to(folder, ending, folder / "in.mp4")
        return word(done, lambda _: probe(done.path).tags == (1, 1, 1, 1))
    if ending == "avif":
        source = with_colours(saved(folder, "avif"), 12, 13)
        return word(to(folder, ending, source), lambda d: colours_of(d.path) == (12, 13))
    data = with_chunk(saved(folder, "png"), b"cICP", bytes([12, 13, 0, 1]))
    return word(to(folder, ending, data), lambda d: b"cICP" in d.path.read_bytes())


def hdr_values(folder, ending):
    """PQ: kept, and a note that a network takes the values for something else."""
    if ending == "mkv":
        write_film(
            folder / "in.mkv",
            3,
            pixels="yuv420p10le",
            color_trc=16,
            color_primaries=9,
            colorspace=9,
        )
        done = to(folder, ending, folder / "in.mkv")
        kept = probe(done.path).tags[3] == 16
    elif ending == "png":
        done = to(folder, ending, with_chunk(saved(folder, "png"), b"cICP", bytes([9, 16, 0, 1])))
        kept = b"cICP" in done.path.read_bytes()
    elif ending == "avif":
        done = to(folder, ending, with_colours(saved(folder, "avif"), 9, 16))
        kept = colours_of(done.path) == (9, 16)
    else:  # by a colour profile
        tag = b"cicp" + bytes(4) + bytes([9, 16, 0, 1])
        head = bytes(16) + b"RGB " + bytes(108) + struct.pack(">I4sII", 1, b"cicp", 144, len(tag))
        done = to(folder, ending, saved(folder, ending, icc_profile=head + tag))
        kept = done.image.info.get("icc_profile") == head + tag
    assert "PQ (HDR), upscaled as if" in done.said
    return word(done, lambda _: kept)


def with_chunk(path, kind, body):
    data = path.read_bytes()
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    path.write_bytes(data[:33] + chunk + data[33:])
    return path


def with_colours(path, primaries, transfer):
    data = path.read_bytes()
    at = data.index(b"nclx") + 4
    path.write_bytes(data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :])
    return path


def colours_of(path):
    data = path.read_bytes()
    return struct.unpack_from(">HH", data, data.index(b"nclx") + 4)


def camera_and_date(folder, ending):
    if ending == "mkv":
        said = {"creation_time": "2020-01-02T03:04:05.000000Z", "title": "T"}
        write_film(folder / "in.mkv", 3, metadata=said)
        done = to(folder, ending, folder / "in.mkv")
        return word(done, lambda _: said.items() <= probe(done.path).metadata.items())
    exif = Image.Exif()
    exif[0x010F], exif[0x0132] = "Maker", "2020:01:02 03:04:05"
    source = saved(folder, ending, exif=exif)
    return word(to(folder, ending, source), lambda d: d.image.getexif().get(0x010F) == "Maker")


def xmp(folder, ending):
    if ending == "mkv":
        return "-"
    image, options = photo(), {"xmp": XMP}
    if ending == "png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options = {"pnginfo": text}
    elif ending == "tif":
        options = {"tiffinfo": {700: XMP}}
    source = saved(folder, ending, image, **options)
    return word(to(folder, ending, source), lambda d: b"<r>word</r>" in d.path.read_bytes())


def resolution(folder, ending):
    if ending == "mkv":
        write_film(folder / "in.mkv", 3, sample_aspect_ratio=Fraction(4, 3))
        done = to(folder, ending, folder / "in.mkv")
        return word(done, lambda _: float(probe(done.path).shape) == pytest.approx(4 / 3, rel=0.01))
    source = saved(folder, "png" if ending in ("webp", "avif") else ending, dpi=(300, 300))
    kept = lambda d: round(float(d.image.info.get("dpi", (0, 0))[0])) == 300  # noqa: E731
    return word(to(folder, ending, source), kept)


def text(folder, ending):
    if ending == "mkv":
        return "-"
    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", "a cat, 20 steps")
    source = saved(folder, "png", pnginfo=said)
    return word(to(folder, ending, source), lambda d: b"20 steps" in d.path.read_bytes())


def cmyk(folder, ending):
    if ending not in ("jpg", "tif"):
        return "-"
    done = to(folder, ending, saved(folder, ending, photo(mode="CMYK")))
    if done.code:
        return "refused"
    assert done.image.mode == "RGB"
    return "converted"


def lab(folder, ending):
    if ending != "tif":
        return "-"
    done = to(folder, ending, saved(folder, ending, photo(mode="LAB")))
    return word(done, lambda _: False)


def several_pictures(folder, ending):
    if ending in ("jpg", "mkv"):
        return "-"
    source = saved(
        folder,
        ending,
        save_all=True,
        append_images=[photo().rotate(180), photo((24, 16), "L").convert("RGB")],
    )
    done = to(folder, ending, source)
    assert "3 frames" in done.said or "the first of 3 pages" in done.said
    return word(done, lambda _: False) if done.code else "converted"


def cut_short(folder, ending):
    if ending == "mkv":
        write_film(folder / "in.mkv", 40, rate=10, codec="mpeg4")
        source = folder / "in.mkv"
    else:
        source = saved(folder, ending, photo((200, 200)))
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    return word(to(folder, ending, source), lambda _: True)


ROWS = {
    "8 bits": eight_bits,
    "16 bits; 10 and 12 in a video": more_bits,
    "transparency": transparency,
    "rotation and mirroring": a_turn,
    "ICC colour profile": colour_profile,
    "colour tags (cICP; range, primaries, transfer, matrix)": colour_tags,
    "PQ, HLG, linear light": hdr_values,
    "camera, date, place; title": camera_and_date,
    "XMP": xmp,
    "resolution; shape of pixels": resolution,
    "text of image generators": text,
    "CMYK": cmyk,
    "Lab": lab,
    "animations; several pages": several_pictures,
    "a file that is cut short": cut_short,
}


def table():
    """Rows of the page: {thing: {format: word}}."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    heads, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(heads[1:], row[1:], strict=True)) for row in rows}


def test_the_table_has_these_rows_and_columns():
    assert list(table()) == list(ROWS)
    for row in table().values():
        assert list(row) == list(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", ROWS)
def test_a_cell(tmp_path, row, column):
    cell = re.split(r"[,:]", table()[row][column])[0]
    assert ROWS[row](tmp_path, COLUMNS[column]) == cell

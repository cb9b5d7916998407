"""AVIF: what Pillow writes is read right, what is written Pillow reads, and lies are noticed."""

import contextlib
import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.data import astronaut

from sr_ops.errors import ImageError, MissingDependencyError
from sr_ops.imaging import read_image, read_metadata, write_image
from sr_ops.imaging.io import avif, containers, files
from sr_ops.imaging.io.files import decode, decode_image, encode, encode_image
from sr_ops.imaging.io.metadata import Metadata


def smooth(shape=(40, 60, 3), seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (shape[0] // 10, shape[1] // 10, *shape[2:]), dtype=np.uint8)
    return np.kron(small, np.ones((10, 10, *[1] * (len(shape) - 2)), np.uint8))


def encoded(image, bits=8):
    options = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    return cv2.imencode(".avif", image, options)[1].tobytes()


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (40, 60, 4)])
def test_written_and_read(tmp_path, shape):
    write_image(tmp_path / "a.avif", smooth(shape), quality=100)
    np.testing.assert_array_equal(read_image(tmp_path / "a.avif"), smooth(shape))
    with Image.open(tmp_path / "a.avif") as seen:
        assert seen.mode == {2: "L", 3: "RGBA" if shape[-1] == 4 else "RGB"}[len(shape)]
        np.testing.assert_array_equal(np.asarray(seen), smooth(shape))


def test_the_quality_that_nobody_asked_for(tmp_path):
    """As good as a JPEG's."""
    photo, error = astronaut(), {}
    for suffix in (".avif", ".jpg"):
        write_image(tmp_path / f"a{suffix}", photo)
        error[suffix] = np.square(read_image(tmp_path / f"a{suffix}") - photo.astype(float)).mean()
    assert error[".avif"] < error[".jpg"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_the_file_says(orientation):
    """By its own properties: what EXIF says of it does not count."""
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(smooth()).save(stream, "AVIF", exif=exif, quality=100, subsampling="4:4:4")
    expected = ImageOps.exif_transpose(Image.open(stream))
    result = decode_image(stream.getvalue())
    np.testing.assert_array_equal(result, np.asarray(expected))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_mirror_in_front_of_a_turn(axis, turns):
    """The properties count in their order; Pillow writes one order alone."""
    properties = ((b"imir", bytes([axis])), (b"irot", bytes([turns])))
    item = avif.Item(b"av01", b"", properties, ())
    mirrored = (
        np.arange(6).reshape(2, 3)[::-1] if axis == 0 else np.arange(6).reshape(2, 3)[:, ::-1]
    )
    turned = files.turned(np.arange(6).reshape(2, 3), avif._orientation(item))
    np.testing.assert_array_equal(turned, np.rot90(mirrored, turns))


@pytest.mark.parametrize("bits", [10, 12])
def test_more_bits_are_kept_as_sixteen(run, tmp_path, bits):
    ramp = np.linspace(0, 2**bits - 1, 64).astype(np.uint16)
    image = np.repeat(np.broadcast_to(ramp, (16, 64))[..., None], 3, axis=2).copy()
    (tmp_path / "a.avif").write_bytes(encoded(image, bits))
    result = read_image(tmp_path / "a.avif")
    assert (result.dtype, result.max()) == (np.uint16, 65535)
    np.testing.assert_allclose(result / 65535, image / (2**bits - 1), atol=1e-5)
    code, _, err = run("upscale", tmp_path / "a.avif", tmp_path / "b.avif", "-m", "bicubic")
    assert (code, err.count("\n"), (tmp_path / "b.avif").exists()) == (2, 1, False)
    assert ".avif cannot hold 16 bits per channel; use .png or .tif" in err
    assert run("upscale", tmp_path / "a.avif", tmp_path / "b.png", "-m", "bicubic")[0] == 0
    assert read_image(tmp_path / "b.png").dtype == np.uint16


def test_what_a_file_says():
    """EXIF, XMP and profile through Pillow, in and out; what has no place is named."""
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    icc = bytes(16) + b"RGB " + bytes(200_000)
    Image.fromarray(smooth()).save(stream, "AVIF", exif=exif, xmp=b"<x/>", icc_profile=icc)
    metadata = containers.inspect(stream.getvalue(), "a").metadata
    assert (metadata.xmp, metadata.profile) == (b"<x/>", icc)
    metadata = metadata._replace(iptc=b"words", text=((b"tEXt", b"a\0b"),))
    metadata = metadata._replace(colour=((b"cICP", bytes([9, 18, 0, 1])), (b"gAMA", bytes(4))))
    parts, lost = encode(smooth((80, 120, 3)), "b.avif", metadata=metadata)
    assert lost == ["IPTC", "text", "gAMA"]
    written = b"".join(parts)
    with Image.open(io.BytesIO(written)) as seen:
        assert seen.getexif()[0x010F] == "Maker"
        assert seen.getexif().get_ifd(0x8825)[1] == "N"
        assert (seen.info["xmp"], seen.info["icc_profile"]) == (b"<x/>", icc)
    found = decode(written, "b")[1].metadata
    assert found.colour == ((b"cICP", bytes([9, 18, 0, 1])),)
    assert found.misread() == "HLG (HDR)"
    assert found.stripped() == Metadata(profile=icc, colour=found.colour)


def test_an_older_opencv(tmp_path, monkeypatch):
    """Without metadata, which is named; without AVIF, what to install."""
    stream = io.BytesIO()
    Image.fromarray(smooth()).save(stream, "AVIF", xmp=b"<x/>")
    (tmp_path / "a.avif").write_bytes(stream.getvalue())
    metadata = read_metadata(tmp_path / "a.avif")
    monkeypatch.delattr(cv2, "imencodeWithMetadata")
    parts, lost = encode(smooth(), "b.avif", metadata=metadata)
    assert lost == ["XMP"]
    assert decode_image(b"".join(parts)).shape == (40, 60, 3)
    monkeypatch.setattr(cv2, "haveImageWriter", lambda name: not name.endswith("avif"))
    for call in (
        lambda: read_image(tmp_path / "a.avif"),
        lambda: encode_image(smooth(), "b.avif"),
    ):
        with pytest.raises(MissingDependencyError, match=r"no AVIF; pip install --upgrade opencv"):
            call()


def announcing(data, width, height):
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def test_announced_sizes_are_not_believed():
    """Neither larger than the picture, which would cost memory, nor smaller, which hides it."""
    whole = encoded(smooth((400, 600, 3)))
    with pytest.raises(ImageError, match=r"30000 x 30000 pixels are more than max_pixels"):
        decode(announcing(whole, 30_000, 30_000), "a.avif")
    with pytest.raises(ImageError, match=r"announces 60 x 40 pixels, and holds 600 x 400"):
        decode(announcing(whole, 60, 40), "a.avif")
    with pytest.raises(ImageError, match="does not say how large"):
        decode(whole.replace(b"ispe", b"free"), "a.avif")


def test_a_header_of_every_form():
    """AV1's long form, as films have it: timing, a decoder's model, operating points."""
    fields = [(0, 3), (1, 1), (0, 1), (1, 1), (7, 32), (9, 32), (1, 1), (1, 1)]  # ends in a uvlc 0
    fields += [(1, 1), (4, 5), (1, 32), (3, 5), (2, 5), (1, 1), (1, 5)]
    for level in (5, 9):  # the second one has a tier
        fields += [(0, 12), (level, 5), *([(1, 1)] if level > 7 else [])]
        fields += [(1, 1), (0, 11), (1, 1), (3, 4)]
    fields += [(9, 4), (8, 4), (599, 10), (399, 9)]
    text = "".join(f"{value:0{count}b}" for value, count in fields)
    body = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
    units = bytes([0x12, 0, 0x0A, len(body)]) + body
    assert avif._sequence_sides(units) == (600, 400)


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"\xff\x0a" + bytes(30), "a JPEG XL picture.*djxl IN OUT.png.*libjxl-tools"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(30), "a JPEG XL picture.*djxl"),
        (b"\0\0\0\x18ftypheic" + bytes(30), "a HEIC picture.*heif-convert"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0heic" + bytes(30), "a HEIF picture that is no AVIF"),
        (b"\0\0\0\x14ftypavif\0\0\0\0avif" + bytes(8), "damaged file|without a picture"),
    ],
)
def test_neighbours_are_refused_by_name(tmp_path, run, head, part):
    (tmp_path / "a.png").write_bytes(head)
    with pytest.raises(ImageError, match=part):
        read_image(tmp_path / "a.png")
    code, _, err = run("upscale", tmp_path / "a.png", tmp_path / "b.png")
    assert (code, err.count("\n"), (tmp_path / "b.png").exists()) == (2, 1, False)
    with pytest.raises(ImageError, match=r"no picture format ends in '\.jxl'; use \.png"):
        encode_image(smooth(), "a.jxl")


def test_any_bytes_are_refused_or_read():
    """Fields changed at random: a picture of the announced size, or an error; nothing endless."""
    rng = np.random.default_rng(0)
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "Maker"
    Image.fromarray(smooth((40, 60, 4))).save(stream, "AVIF", exif=exif, xmp=b"<x/>")
    whole, outcomes = stream.getvalue(), set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            data[int(rng.integers(0, len(whole)))] = int(rng.integers(256))
        try:
            image, container = decode(bytes(data), "a.avif")
        except ImageError:
            outcomes.add("refused")
        else:
            outcomes.add("read")
            assert {*image.shape[:2]} == {container.height, container.width}
    assert outcomes == {"refused", "read"}


def test_items_in_very_many_pieces():
    """A list of pieces that take no bytes each: refused at once."""
    whole = encoded(smooth())
    at = whole.index(b"iloc")
    body = bytes([0, 0, 0, 0, 0, 0]) + struct.pack(">HHHH", 1, 1, 0, 65535)
    made = struct.pack(">I4s", 8 + len(body), b"iloc") + body + struct.pack(">I4s", 8, b"free")
    data = whole[: at - 4] + made + whole[at + 26 :]
    with pytest.raises(ImageError, match="too many pieces"):
        containers.inspect(data, "a.avif")


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def crafted(*parts):
    return box(b"ftyp", b"avif\0\0\0\0avif") + b"".join(parts)


def infe(number, kind):
    return box(b"infe", bytes([2, 0, 0, 0]) + struct.pack(">HH4s", number, 0, kind) + b"\0")


def test_crafted_files_come_to_an_end():
    """Boxes in boxes; items that all have the whole file; very many references and properties."""
    nested = b""
    for _ in range(3000):
        nested = box(b"trak", nested)
    many = 5000
    entries = b"".join(infe(number, b"av01") for number in range(1, many + 1))
    places = b"".join(struct.pack(">HHHII", n, 0, 1, 0, 2_000_000) for n in range(1, many + 1))
    listed = box(
        b"meta",
        bytes(4)
        + box(b"pitm", bytes(4) + struct.pack(">H", 1))
        + box(b"iinf", bytes(4) + struct.pack(">H", many) + entries)
        + box(b"iloc", bytes([0, 0, 0, 0, 0x44, 0]) + struct.pack(">H", many) + places)
        + box(
            b"iprp",
            box(b"ipco", box(b"ispe", bytes(4) + struct.pack(">II", 8, 8)))
            + box(
                b"ipma",
                bytes(4)
                + struct.pack(">I", many)
                + b"".join(struct.pack(">HB", n, 200) + b"\1" * 200 for n in range(1, many + 1)),
            ),
        )
        + box(
            b"iref",
            bytes(4) + box(b"auxl", struct.pack(">HH", 2, 60_000) + struct.pack(">H", 1) * 60_000),
        ),
    )
    for data in (crafted(box(b"moov", nested)), crafted(listed, bytes(2_000_000))):
        with contextlib.suppress(ImageError):
            containers.inspect(data, "a.avif")


def test_folders(run, tmp_path):
    """A result keeps the format; formats that are not read are counted and named."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.avif").write_bytes(encoded(smooth()))
    (folder / "b.odd").write_bytes(encoded(smooth()))
    (folder / "c.jxl").write_bytes(b"\xff\x0a" + bytes(30))
    Image.fromarray(smooth()).save(folder / "d.gif")
    code, text, err = run("upscale", folder, out, "-m", "bicubic")
    assert (code, err) == (0, "")
    assert "2 of 2 pictures upscaled; 2 skipped: of formats that are not upscaled" in text
    assert "(c.jxl, d.gif)" in text
    assert sorted(path.name for path in out.iterdir()) == ["a.avif", "b.avif"]

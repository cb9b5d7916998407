"""What files say beside their pixels: what Pillow and tifffile wrote comes out, and back again."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from sr_ops.imaging import read_image, read_metadata, read_profile, write_image
from sr_ops.imaging.io import embedding
from sr_ops.imaging.io.files import decode, encode, encode_image
from sr_ops.imaging.io.metadata import Metadata, Resolution


def profile(space=b"RGB ", length=588):
    """Of arbitrary content behind a header that names the colour space."""
    body = np.random.default_rng(length).integers(0, 256, length - 20, dtype=np.uint8).tobytes()
    return bytes(16) + space + body


def picture(shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("length", [588, 589, 150_000])
def test_read(tmp_path, suffix, length):
    Image.fromarray(picture((8, 9, 3))).save(
        tmp_path / f"a{suffix}", icc_profile=profile(length=length)
    )
    assert read_profile(tmp_path / f"a{suffix}") == profile(length=length)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_none(tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", picture((8, 9, 3)))
    assert read_profile(tmp_path / f"a{suffix}") is None


FORMS = [
    (".png", (7, 9, 3), None),
    (".png", (7, 9, 4), None),
    (".png", (7, 9), None),
    (".jpg", (7, 9, 3), None),
    (".jpg", (7, 9), None),
    (".webp", (7, 9, 3), None),
    (".webp", (7, 9, 3), 80),
    (".webp", (7, 9, 4), None),
    (".webp", (7, 9, 4), 80),
    (".webp", (300, 2000, 3), 80),
    (".tif", (7, 9, 3), None),
    (".tif", (7, 9, 4), None),
    (".tif", (7, 9), None),
]


@pytest.mark.parametrize(("suffix", "shape", "quality"), FORMS)
@pytest.mark.parametrize("length", [588, 589, 150_000])
def test_written(tmp_path, suffix, shape, quality, length):
    """The profile is there for others, and the picture is the same."""
    icc = profile(b"GRAY" if len(shape) == 2 else b"RGB ", length)
    with_it, without = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    write_image(with_it, picture(shape), quality=quality, profile=icc)
    write_image(without, picture(shape), quality=quality)
    assert read_profile(with_it) == icc
    np.testing.assert_array_equal(read_image(with_it), read_image(without))
    with Image.open(with_it) as seen, Image.open(without) as plain:
        assert seen.info["icc_profile"] == icc
        assert seen.mode == plain.mode
        np.testing.assert_array_equal(np.asarray(seen), np.asarray(plain))


def test_a_sixteen_bit_tiff(tmp_path):
    deep = picture((5, 6, 3)).astype(np.uint16) * 257
    write_image(tmp_path / "a.tif", deep, profile=profile())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].tags[34675].value == profile()
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), deep)


def test_left_out_where_it_has_no_place(tmp_path):
    """The profile of a CMYK picture says nothing about RGB; a BMP holds none."""
    plain = encode_image(picture((4, 4, 3)), "a.jpg")
    for space in (b"CMYK", b"GRAY"):
        assert encode_image(picture((4, 4, 3)), "a.jpg", profile=profile(space)) == plain
    write_image(tmp_path / "a.bmp", picture((4, 4, 3)), profile=profile())
    assert read_profile(tmp_path / "a.bmp") is None


def test_left_out_of_a_file_that_would_be_too_large(monkeypatch):
    monkeypatch.setattr(embedding, "_LARGEST_FILE", 700)
    plain = encode_image(picture((4, 4, 3)), "a.tif")
    assert encode_image(picture((4, 4, 3)), "a.tif", profile=profile()) == plain


def test_a_damaged_profile_does_not_spoil_the_picture(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(picture((8, 9, 3))).save(buffer, "png", icc_profile=profile())
    data = bytearray(buffer.getvalue())
    start = data.index(b"iCCP") + 4 + len("ICC Profile") + 2
    data[start : start + 20] = bytes(20)
    (tmp_path / "a.png").write_bytes(data)
    assert read_profile(tmp_path / "a.png") is None


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"/></x:xmpmeta>'
CAMERA, PLACE = {0x9003: "2026:11:28 10:00:00", 0xA002: 9, 0xA003: 7, 0x829A: 0.5}, {1: "N"}


def exif(orientation=6):
    """Of a camera, as Pillow writes it, big-endian."""
    made = Image.Exif()
    made[0x010F], made[0x0110], made[0x0112] = "Maker", "Model", orientation
    made.get_ifd(0x8769).update(CAMERA)
    made.get_ifd(0x8825).update(PLACE)
    return made.tobytes()


IPTC = b"\x1c\x02\x78\x00\x05words"


def source(tmp_path, suffix):
    """A file that says everything its format can say, and no thumbnail."""
    path = tmp_path / f"source{suffix}"
    made = exif()
    if suffix == ".tif":  # among its own tags
        made = Image.Exif()
        made.load(exif())
        made[700], made[33723] = XMP, IPTC
    Image.fromarray(picture((7, 9, 3))).save(
        path,
        exif=made,
        xmp=XMP,
        **({"lossless": True} if suffix == ".webp" else {"dpi": (300, 150)}),
    )
    if suffix == ".png":
        chunks = [(b"tEXt", b"parameters\0a cat"), (b"gAMA", struct.pack(">I", 45455))]
        data, _ = embedding.embed(
            memoryview(path.read_bytes()),
            read_metadata(path)._replace(
                exif=None, xmp=XMP, resolution=None, text=(chunks[0],), colour=(chunks[1],)
            ),
            (7, 9, 3),
        )
        path.write_bytes(b"".join(data))
    if suffix == ".jpg":
        data = path.read_bytes()
        body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC
        segment = b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body
        path.write_bytes(data[:2] + segment + data[2:])
    return path


#: What of a source's metadata is in a result, by the formats of both.
EVERYTHING = {".png": "exif xmp resolution text colour", ".jpg": "exif xmp iptc resolution",
              ".webp": "exif xmp", ".tif": "exif xmp iptc resolution"}  # fmt: skip


@pytest.mark.parametrize("before", EVERYTHING)
@pytest.mark.parametrize("after", [*EVERYTHING, ".bmp"])
def test_what_is_kept(tmp_path, before, after):
    """Read by Pillow: EXIF upright and of the new size, XMP, IPTC, resolution, text, colour."""
    metadata = read_metadata(source(tmp_path, before))
    had = {name for name in metadata._fields if getattr(metadata, name)}
    assert had >= {*EVERYTHING[before].split()}
    parts, lost = encode(picture((14, 18, 3)), f"a{after}", metadata=metadata)
    (tmp_path / f"a{after}").write_bytes(b"".join(parts))
    names = {"exif": "EXIF", "xmp": "XMP", "iptc": "IPTC", "colour": "gAMA"}
    kept = had & {*EVERYTHING.get(after, "").split()}
    assert {*lost} == {names.get(name, name) for name in had - kept}
    with Image.open(tmp_path / f"a{after}") as seen:
        seen.load()
        if "exif" in kept:
            found = seen.getexif()
            assert (found[0x010F], found[0x0110]) == ("Maker", "Model")
            assert found.get(0x0112, 1) == 1
            camera = found.get_ifd(0x8769)
            assert {tag: camera[tag] for tag in CAMERA} == {**CAMERA, 0xA002: 18, 0xA003: 14}
            assert found.get_ifd(0x8825)[1] == "N"
        if "xmp" in kept:
            assert seen.info["xmp"] == XMP
        if "resolution" in kept and before != ".webp":
            assert seen.info["dpi"] == pytest.approx((300, 150), abs=0.02)
        if "text" in kept:
            assert seen.info["parameters"] == "a cat"
            assert seen.info["gamma"] == pytest.approx(0.45455)
        if "iptc" in kept:
            assert read_metadata(tmp_path / f"a{after}").iptc == IPTC


@pytest.mark.parametrize("before", EVERYTHING)
def test_stripped(tmp_path, before):
    metadata = read_metadata(source(tmp_path, before)).stripped()
    assert {name for name in metadata._fields if getattr(metadata, name)} <= {"profile", "colour"}


def test_a_thumbnail_and_a_maker_note_stay_behind(tmp_path):
    made = Image.Exif()
    made[0x010F] = "Maker"
    made.get_ifd(0x8769)[0x927C] = b"points elsewhere"
    Image.fromarray(picture((7, 9, 3))).save(tmp_path / "a.jpg", exif=made.tobytes())
    parts, lost = encode(picture((14, 18, 3)), "b.jpg", metadata=read_metadata(tmp_path / "a.jpg"))
    assert lost == ["the camera's maker note"]
    assert b"points elsewhere" not in b"".join(parts)


def test_damaged_exif_is_no_reason_to_refuse_a_picture():
    """Every field of it changed at random: the picture is read, and its result is whole."""
    rng = np.random.default_rng(0)
    stream = io.BytesIO()
    Image.fromarray(picture((7, 9, 3))).save(stream, "JPEG", exif=exif())
    whole, start = stream.getvalue(), stream.getvalue().index(b"Exif\0\0") + 6
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            data[start + int(rng.integers(0, len(exif()) - 6))] = int(rng.integers(256))
        image, container = decode(bytes(data), "a.jpg")
        parts, _ = encode(image, "b.tif", metadata=container.metadata)
        assert decode(b"".join(parts), "b.tif")[0].shape == image.shape


@pytest.mark.parametrize("pixels_per_metre", [1, 11811, 2**31, 2**32 - 1])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_any_resolution_is_written(suffix, pixels_per_metre):
    """As near as the format comes."""
    metadata = Metadata(resolution=Resolution(pixels_per_metre, pixels_per_metre))
    parts, lost = encode(picture((7, 9, 3)), f"a{suffix}", metadata=metadata)
    assert not lost
    written = decode(b"".join(parts), "written")[1].metadata.resolution
    most = {".jpg": 65535 / 0.0254, ".png": 2**31 - 1, ".tif": 2**32 / 0.0254}[suffix]
    least = 1 / 0.0254 if suffix == ".jpg" else 0
    expected = min(max(pixels_per_metre, least), most)
    assert written.x == written.y == pytest.approx(expected, rel=0.02)


def test_a_profile_beyond_what_a_jpeg_holds():
    """255 segments; a PNG may hold more."""
    metadata = Metadata(profile=profile(length=16_776_000))
    parts, lost = encode(picture((7, 9, 3)), "a.jpg", metadata=metadata)
    assert lost == ["colour profile (larger than a JPEG's segments)"]
    assert decode(b"".join(parts), "written")[1].metadata.profile is None
    parts, lost = encode(picture((7, 9, 3)), "a.png", metadata=metadata)
    assert not lost


def profile_of(tag, body):
    """An RGB profile of one tag."""
    head = bytes(16) + b"RGB " + bytes(108)
    return head + struct.pack(">I4sII", 1, tag, 144, len(body)) + body


def chunk(transfer):
    return ((b"cICP", bytes([9, transfer, 0, 1])),)


GAMMA = (b"gAMA", struct.pack(">I", 100_000))
LINE = profile_of(b"rTRC", b"curv" + bytes(8))
MISREAD = {
    "cICP linear": (Metadata(colour=chunk(8)), "linear light"),
    "cICP PQ": (Metadata(colour=chunk(16)), "PQ (HDR)"),
    "cICP HLG": (Metadata(colour=chunk(18)), "HLG (HDR)"),
    "cICP sRGB": (Metadata(colour=chunk(13)), None),
    "gAMA 1": (Metadata(colour=(GAMMA,)), "linear light"),
    "gAMA 1, which sRGB overrides": (Metadata(colour=(GAMMA, (b"sRGB", b"\0"))), None),
    "a gamma of 2.2": (Metadata(colour=((b"gAMA", struct.pack(">I", 45455)),)), None),
    "a line": (Metadata(profile=LINE), "linear light"),
    "a gamma of 1": (
        Metadata(profile=profile_of(b"rTRC", b"curv" + struct.pack(">IIH", 0, 1, 256))),
        "linear light",
    ),
    "a formula of gamma 1": (
        Metadata(profile=profile_of(b"rTRC", b"para" + bytes(8) + b"\0\1\0\0")),
        "linear light",
    ),
    "gray": (Metadata(profile=profile_of(b"kTRC", b"curv" + bytes(8))), "linear light"),
    "a curve": (
        Metadata(profile=profile_of(b"rTRC", b"curv" + struct.pack(">IIH", 0, 1, 563))),
        None,
    ),
    "a profile's PQ": (
        Metadata(profile=profile_of(b"cicp", b"cicp" + bytes(4) + bytes([9, 16, 0, 1]))),
        "PQ (HDR)",
    ),
    "a profile cut short": (Metadata(profile=LINE[:150]), None),
}


@pytest.mark.parametrize("case", MISREAD)
def test_values_that_a_network_misreads(case):
    """Linear light and HDR, however a file says it."""
    metadata, expected = MISREAD[case]
    assert metadata.misread() == expected


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".avif"])
def test_the_command_says_so_of_a_profile(run, tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", picture((8, 9, 3)), profile=LINE)
    code, said, _ = run("upscale", tmp_path / f"a{suffix}", tmp_path / "b.png", "-m", "bicubic")
    assert code == 0
    assert "its values are linear light, upscaled as if they were sRGB" in said

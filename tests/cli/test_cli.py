"""The command line as a user runs it: in a process of its own, and in this one."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import sr_ops
from sr_ops import imaging
from sr_ops.imaging import pipeline, read_image, write_image
from sr_ops.imaging.choice import DEFAULT_MODEL
from sr_ops.imaging.io import metadata


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    write_image(path, np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    return path


def assert_one_line_error(result, *parts):
    code, out, err = result
    assert code == 2
    assert out == ""
    assert err.startswith("sr-ops: error: ")
    assert err.count("\n") == 1
    for part in parts:
        assert str(part) in err


def test_upscale(run, photo, tmp_path):
    out = tmp_path / "out.png"
    code, text, err = run("upscale", photo, out, "--scale", 2.7, "--model", "bicubic")
    assert (code, err) == (0, "")
    assert "30 x 20 -> 81 x 54 (bicubic)" in text
    expected = sr_ops.upscale_image(read_image(photo), 2.7, model=None)
    np.testing.assert_array_equal(read_image(out), expected)


def test_a_trained_network_is_the_default(run, photo, tmp_path):
    out = tmp_path / "out.png"
    code, text, err = run("upscale", photo, out, "--scale", 1.5)
    assert (code, err) == (0, "")
    assert "30 x 20 -> 45 x 30 (multiscale)" in text
    expected = sr_ops.upscale_image(read_image(photo), 1.5)
    np.testing.assert_array_equal(read_image(out), expected)


def test_nothing_to_restore_where_the_picture_shrinks(run, photo, tmp_path):
    text = run("upscale", photo, tmp_path / "out.png", "--scale", 0.5)[1]
    assert "30 x 20 -> 15 x 10 (bicubic, antialiased)" in text


@pytest.mark.parametrize("backend", ["torch", "ort"])
def test_backends(run, photo, tmp_path, backend):
    out = tmp_path / "out.png"
    assert run("upscale", photo, out, "-s", 2.7, "-b", backend, "-m", "srcnn")[0] == 0
    expected = sr_ops.upscale_image(read_image(photo), 2.7, model="srcnn", backend="torch")
    assert np.abs(read_image(out).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["--width", 45], (30, 45)),
        (["--height", 40], (40, 60)),
        (["--width", 45, "--height", 40], (40, 45)),
        (["--max-side", 90], (60, 90)),
        ([], (40, 60)),
    ],
)
def test_sizes(run, photo, tmp_path, arguments, shape):
    out = tmp_path / "out.png"
    assert run("upscale", photo, out, *arguments)[0] == 0
    assert read_image(out).shape == (*shape, 3)


def test_small_memory_and_tiles_give_the_same_picture(run, photo, tmp_path):
    results = []
    for options in ([], ["--max-memory", "3M"], ["--tile", 20]):
        assert run("upscale", photo, tmp_path / "out.png", "-s", 2.7, *options)[0] == 0
        results.append(read_image(tmp_path / "out.png").astype(int))
    for result in results[1:]:
        assert np.abs(result - results[0]).max() <= 1


def test_quality(run, photo, tmp_path):
    sizes = []
    for quality in (20, 90):
        assert run("upscale", photo, tmp_path / "out.jpg", "--quality", quality)[0] == 0
        sizes.append((tmp_path / "out.jpg").stat().st_size)
    assert sizes[0] < sizes[1]


def test_compare(run, photo, tmp_path):
    drawn = tmp_path / "compare.png"
    assert run("upscale", photo, tmp_path / "out.png", "--compare", drawn)[0] == 0
    height, width, _ = read_image(drawn).shape
    assert height > 60
    assert width > 30 + 3 * 60


def test_two_factors(run, photo, tmp_path):
    assert run("upscale", photo, tmp_path / "out.png", "-s", "3,0.5")[0] == 0
    assert read_image(tmp_path / "out.png").shape == (60, 15, 3)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["upscale"], "IN"),
        (["upscale", "in.png"], "OUT"),
        (["upscale", "in.png", "out.png", "--size"], "--size"),
        (["enlarge"], "enlarge"),
        (["export", "net.pth"], "OUT"),
        (["export", "net.pth", "net.txt"], "net.txt"),
        (["upscale", "a.png", "b.png", "--jobs", "0"], "jobs"),
        (["upscale", "a.png", "b.png", "--max-memory", "lots"], "lots"),
        (["upscale", "a.png", "b.png", "-s", "2", "--width", "9"], "width and scale"),
        (["export", "net.pth", "no/such/net.onnx"], "no/such"),
        (["upscale", "in.png", "out.png", "--backend", "abacus"], "abacus"),
    ],
)
def test_wrong_usage(run, arguments, part):
    assert_one_line_error(run(*arguments), part)


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "1e-9", "two", "1,2,3", "", "1e30"])
def test_bad_scale(run, photo, tmp_path, scale):
    out = tmp_path / "out.png"
    assert_one_line_error(run("upscale", photo, out, f"--scale={scale}"), "scale")
    assert not out.exists()


def test_bad_files(run, photo, tmp_path):
    out = tmp_path / "out.png"
    text = tmp_path / "text.png"
    text.write_text("hello")
    assert_one_line_error(run("upscale", tmp_path / "none.png", out), "none.png", "No such file")
    assert_one_line_error(run("upscale", text, out), "text.png", "not a picture")
    assert_one_line_error(run("upscale", tmp_path, out), "expected a folder")
    assert_one_line_error(run("upscale", photo, tmp_path / "out.xyz"), ".xyz")
    assert_one_line_error(run("upscale", photo, tmp_path / "no" / "out.png"), "no such folder")
    assert_one_line_error(run("upscale", photo, out, "--model", text), "not a checkpoint")
    assert_one_line_error(run("upscale", photo, out, "--model", "none.pth"), "No such file")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photo.png", "text.png"]


def test_unwritable_folder(run, photo):
    assert_one_line_error(run("upscale", photo, "/proc/out.png"), "/proc/out.png")


def test_the_source_is_not_replaced(run, photo, tmp_path):
    before = photo.read_bytes()
    (tmp_path / "link.png").symlink_to(photo)
    for source, target in ((photo, photo), (photo, tmp_path / "link.png")):
        assert_one_line_error(run("upscale", source, target), "would replace its source")
    result = run("upscale", photo, tmp_path / "out.png", "--compare", photo)
    assert_one_line_error(result, "would replace its source")
    assert photo.read_bytes() == before


def test_a_terminal_is_no_place_for_a_picture(run, photo, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert_one_line_error(run("upscale", photo, "-"), "stdout is a terminal")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["none/out.png"], "no such folder"),
        (["a" * 300 + ".png"], "too long"),
        (["out.png", "--compare", "none/c.png"], "no such folder"),
        (["out.png", "--compare", "c.gif"], "c.gif"),
        (["out.jpg", "--width", "70000"], "only sides up to"),
        (["out.jpg", "--quality", "0"], "quality"),
        (["out.jpg", "--format", "png"], "--format"),
    ],
)
def test_what_cannot_be_written_is_known_before_the_work(run, photo, monkeypatch, options, part):
    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr(pipeline, "upscale_image", lambda *_, **__: pytest.fail("worked"))
    assert_one_line_error(run("upscale", photo, *options), part)
    assert list(photo.parent.iterdir()) == [photo]


def test_an_alpha_channel_that_hides_nothing(run, tmp_path):
    """A screenshot becomes a JPEG; what is transparent does not."""
    rgba = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    rgba[..., 3] = 255
    write_image(tmp_path / "a.png", rgba)
    assert run("upscale", tmp_path / "a.png", tmp_path / "a.jpg")[0] == 0
    assert run("upscale", tmp_path / "a.png", tmp_path / "b.png")[0] == 0
    assert read_image(tmp_path / "a.jpg").shape == (40, 60, 3)
    assert read_image(tmp_path / "b.png").shape == (40, 60, 4)
    rgba[3, 4, 3] = 254
    write_image(tmp_path / "a.png", rgba)
    result = run("upscale", tmp_path / "a.png", tmp_path / "c.jpg")
    assert_one_line_error(result, "cannot hold transparency")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_colour_profile_is_kept(run, tmp_path, suffix):
    profile = bytes(16) + b"RGB " + bytes(range(256))
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    write_image(tmp_path / "photo.tif", pixels, profile=profile)
    out, drawn = tmp_path / f"out{suffix}", tmp_path / f"c{suffix}"
    assert run("upscale", tmp_path / "photo.tif", out, "--compare", drawn)[0] == 0
    assert imaging.read_profile(out) == imaging.read_profile(drawn) == profile


def test_what_a_file_says_is_kept_or_named(run, photo, tmp_path):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    with Image.open(photo) as picture:
        picture.save(tmp_path / "a.jpg", exif=exif.tobytes(), dpi=(300, 300))
    out = tmp_path / "out.jpg"
    assert "not kept" not in run("upscale", tmp_path / "a.jpg", out)[1]
    with Image.open(out) as result:
        assert (result.getexif()[0x010F], result.getexif()[0x0112]) == ("Maker", 1)
        assert result.info["dpi"] == (300, 300)
    text = run("upscale", tmp_path / "a.jpg", tmp_path / "out.bmp")[1]
    assert text.endswith("; not kept: EXIF, resolution\n")
    assert "not kept" not in run("upscale", tmp_path / "a.jpg", out, "--strip")[1]
    with Image.open(out) as result:
        assert not result.getexif()


def test_pages_and_values_that_a_user_should_know_of(run, tmp_path):
    pages = [Image.new("RGB", (9, 8), (n, n, n)) for n in (10, 200)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    text = run("upscale", tmp_path / "a.tif", tmp_path / "out.png", "-m", "bicubic")[1]
    assert "; the first of 2 pages" in text
    linear = metadata.Metadata(colour=((b"gAMA", (100_000).to_bytes(4, "big")),))
    write_image(tmp_path / "a.png", np.zeros((8, 9, 3), np.uint8), metadata=linear)
    text = run("upscale", tmp_path / "a.png", tmp_path / "out.png", "-m", "bicubic")[1]
    assert "; its values are linear light, upscaled as if they were sRGB" in text


@pytest.mark.parametrize("size", ["-1G", "0", "-5", "nan", "inf", "G", ""])
def test_memory_that_cannot_be(run, photo, tmp_path, size):
    out = tmp_path / "out.png"
    assert_one_line_error(run("upscale", photo, out, f"--max-memory={size}"), "--max-memory")


def test_names_that_a_terminal_would_obey(run, tmp_path):
    name = tmp_path / "\x1bc.png"
    assert_one_line_error(run("upscale", name, tmp_path / "out.png"), "\\x1bc.png: cannot be read")
    write_image(name, np.zeros((8, 9, 3), np.uint8))
    code, text, _ = run("upscale", name, tmp_path / "\x1bd.png", "-m", "bicubic")
    assert code == 0
    assert "\x1b" not in text


def test_interrupt(run, photo, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "upscale_image", interrupt)
    code, _, err = run("upscale", photo, tmp_path / "out.png")
    assert code == 130
    assert err.strip() == "sr-ops: error: interrupted"
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("command", [[], ["upscale"], ["export"]])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(run, command, option):
    code, text, _ = run(*command, option)
    assert code == 0
    assert "Usage: sr-ops" in text


def test_no_command_shows_the_help(run):
    code, text, err = run()
    assert code == 2
    assert "upscale" in text
    assert err == ""


def test_version(run):
    for others in ((), ("upscale",)):
        assert run("--version", *others) == (0, f"{sr_ops.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], {"typer", "rich", "numpy", "cv2", "torch", "onnx"}),
        (["--help"], {"rich", "numpy", "cv2", "torch", "onnx"}),
        (["upscale", "--help"], {"rich", "numpy", "cv2", "torch", "onnx"}),
        (
            ["upscale", "photo.png", "out.png", "-m", "bicubic"],
            {"rich", "torch", "onnx", "onnxruntime", "sr_ops.imaging.comparison"},
        ),
    ],
)
@pytest.mark.usefixtures("photo")
def test_it_loads_only_what_it_uses(tmp_path, arguments, absent):
    """What makes an answer quick, measured in a way that a busy machine does not disturb."""
    code = (
        "import sys; from sr_ops import cli; cli.main(sys.argv[1:]); print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not set(done.stdout.splitlines()) & absent


def test_a_process_of_its_own(photo, tmp_path):
    command = [sys.executable, "-m", "sr_ops", "upscale", photo, tmp_path / "out.png", "-s", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert_one_line_error((done.returncode, done.stdout, done.stderr), "scale")


HIDE = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))  # None: importing it fails, finding it finds nothing
from sr_ops import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def run_without(hidden, *arguments):
    command = [sys.executable, "-c", HIDE.format(hidden=set(hidden)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_bicubic_needs_neither_torch_nor_onnx(photo, tmp_path):
    hidden = ["torch", "onnx", "onnxruntime", "onnxscript"]
    code, text, err = run_without(hidden, "upscale", photo, tmp_path / "out.png", "-s", 1.5)
    assert (code, err) == (0, "")
    assert "plain bicubic: neither onnxruntime nor torch is installed" in text
    assert read_image(tmp_path / "out.png").shape == (30, 45, 3)


def test_the_trained_network_needs_no_torch(photo, tmp_path):
    hidden = ["torch", "onnxscript", "safetensors"]
    code, text, err = run_without(hidden, "upscale", photo, tmp_path / "out.png", "-s", 1.5)
    assert (code, err) == (0, "")
    assert DEFAULT_MODEL in text


def test_the_trained_network_needs_no_onnx(photo, tmp_path):
    hidden = ["onnx", "onnxruntime", "onnxscript"]
    code, text, err = run_without(hidden, "upscale", photo, tmp_path / "out.png", "-s", 1.5)
    assert (code, err) == (0, "")
    assert DEFAULT_MODEL in text


@pytest.mark.parametrize(
    ("hidden", "extra", "arguments"),
    [
        ("typer", "image", []),
        ("cv2", "image", []),
        ("torch", "torch", ["--backend", "torch"]),
        ("torch", "torch", ["--model", "net.pth"]),
        ("onnxruntime", "ort", ["--backend", "ort"]),
        ("onnx", "ort", ["--backend", "ort"]),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(photo, tmp_path, hidden, extra, arguments):
    out = tmp_path / "out.png"
    result = run_without([hidden], "upscale", photo, out, *arguments)
    assert_one_line_error(result, f"pip install 'sr-ops[{extra}]'")
    assert not out.exists()


def test_a_dry_run_of_one_picture_that_lies_on_its_side(run, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((12, 16, 3), np.uint8)).save(tmp_path / "side.jpg", exif=exif)
    target = tmp_path / "large.png"
    code, text, err = run("upscale", tmp_path / "side.jpg", target, "-m", "bicubic", "--dry-run")
    assert (code, err) == (0, "")
    assert "large.png: 12 x 16 -> 24 x 32 (bicubic)" in text
    assert not target.exists()


@pytest.mark.parametrize(
    ("error", "line"), [(MemoryError(), ""), (MemoryError("of tiles"), ": of tiles")]
)
def test_memory_that_is_out(run, tmp_path, monkeypatch, error, line):
    def full(*_, **__):
        raise error

    monkeypatch.setattr("sr_ops.imaging.jobs.upscale_picture", full)
    code, _, err = run("upscale", tmp_path / "a.png", tmp_path / "b.png", "-m", "bicubic")
    assert (code, err) == (2, f"sr-ops: error: not enough memory{line}\n")


def test_bench_wants_two_sides(run, tmp_path):
    code, _, err = run("bench", tmp_path / "model.onnx", "--size", "480")
    assert (code, err) == (
        2, "sr-ops: error: --size: got '480', expected height,width, as in 480,640\n",
    )  # fmt: skip

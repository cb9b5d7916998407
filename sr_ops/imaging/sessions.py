"""ONNX Runtime sessions as networks: which input is the picture, and in which form it wants it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import InvalidArgumentError, MissingDependencyError, ModelError
from sr_ops.imaging import colour, fields
from sr_ops.imaging.fixed_size import in_windows
from sr_ops.imaging.io import encoded
from sr_ops.imaging.io.files import decode_image, encode_image
from sr_ops.imaging.network import Factors, Network, Planes, finite
from sr_ops.imaging.padding import padded
from sr_ops.imaging.treatment import LAYOUTS, Treatment
from sr_ops.imaging.white import find_white
from sr_ops.models.traits import KEEPS_SIZE, Traits

__all__ = ["session_network"]

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
_CHANNELS = (3, 1, 4)
_SIDES = (32, 64, 128)  # pixels of a picture to try a network on
#: Pixels by which windows overlap where the receptive field is unknown.
_USUAL_OVERLAP = 16


class _Form(NamedTuple):
    """How a session wants its picture.

    Attributes:
        name: of the input.
        layout: one of ``LAYOUTS``.
        dtype: of the input.
        batch: pictures that it takes at once.
        channels: of the picture.
        size: (H, W), None where it is open.
        white: the value of white, at the input and at the output.
    """

    name: str
    layout: str
    dtype: Any
    batch: int
    channels: int
    size: tuple[int | None, int | None]
    white: tuple[float, float]

    def feed(self, planes: Planes) -> NDArray[Any]:
        """(1, C, H, W) in 0..1 as the input wants it."""
        values = planes if self.white[0] == 1 else planes * np.float32(self.white[0])
        if self.dtype == np.uint8:
            values = np.rint(np.clip(values, 0, 255))
        if self.layout.endswith("HWC"):
            values = values.transpose(0, 2, 3, 1)
        values = np.repeat(values, self.batch, 0) if "N" in self.layout else values[0]
        return np.ascontiguousarray(values, self.dtype)

    def planes(self, result: NDArray[Any], name: str) -> Planes:
        """The way back.

        Raises:
            ModelError: the output is no picture.
        """
        values = result if result.ndim != 3 else result[None]
        turned = self.layout.endswith("HWC") and values.shape[-1:] == (self.channels,)
        if values.ndim == 4 and turned:
            values = values.transpose(0, 3, 1, 2)
        if values.ndim != 4 or len(values) != self.batch:
            raise ModelError(f"{name}: gives {result.shape}; expected a picture (1, C, H, W)")
        values = values[:1].astype(np.float32, copy=False)
        return values if self.white[1] == 1 else np.asarray(values / np.float32(self.white[1]))


class _Session(NamedTuple):
    """A session with the form of its picture.

    Attributes:
        session: ONNX Runtime's.
        form: of its picture.
        scale: its input for the scale, if it has one.
        elements: of the scale: 0 for a number without axes.
        name: for messages.
    """

    session: Any
    form: _Form
    scale: Any
    elements: int
    name: str

    def run(self, planes: Planes, scale: Factors) -> Planes:
        feed = {self.form.name: self.form.feed(planes)}
        if self.scale is not None:
            feed[self.scale.name] = self._scale_values(scale)
        return self.form.planes(_run(self.session, feed, self.name), self.name)

    def _scale_values(self, scale: Factors) -> NDArray[Any]:
        if self.elements < 2 and scale[0] != scale[1]:
            raise InvalidArgumentError(
                f"scale: got {scale}, but {self.name} takes one factor for both axes"
            )
        forms: dict[int, Any] = {0: scale[0], 1: scale[:1], 2: scale, 4: (1.0, 1.0, *scale)}
        return np.array(forms[self.elements], _DTYPES[self.scale.type])


def session_network(model: Any, name: str, treatment: Treatment) -> Network:
    """A network from an ONNX model.

    Args:
        model: a path or a ``ModelProto``.
        name: for messages.
        treatment: what the user says of it.

    Raises:
        ModelError: it is no network for pictures, or does not say what must be known of it.
        FileError: the file cannot be read.
        InvalidArgumentError: ``treatment`` says what the model contradicts.
        MissingDependencyError: onnx or onnxruntime is not installed.
    """
    session = _open(model, name)
    if encoded.is_picture_session(session):
        return Network(_through_files(session), Traits(3), name)
    opened = _recognised(session, model, name, treatment)
    known = Traits.from_metadata(session.get_modelmeta().custom_metadata_map)
    traits = known or _traits(opened, treatment)
    if opened.form.size != (None, None):
        return _any_size(opened, traits, model, treatment)
    measure = None if known else lambda: _measured(opened, traits, model)
    if opened.scale is not None:
        fit = None if known else lambda: _enlarges_first(opened)
        return Network(finite(opened.run, name), traits, name, measure, tiles_fit=fit)
    run = padded(lambda planes: opened.run(planes, (1.0, 1.0)), traits.factor)
    return Network(finite(_with_operator(run, traits), name), traits, name, measure)


def _open(model: Any, name: str) -> Any:
    try:
        import sr_ops.onnx

        return sr_ops.onnx.make_session(model)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name} needs {error.name}: pip install 'sr-ops[ort]'"
        ) from error


def _recognised(session: Any, model: Any, name: str, treatment: Treatment) -> _Session:
    import sr_ops.onnx

    # What has a default is an input as well, if the scale follows it.
    scales = sr_ops.onnx.explain(session).scale_inputs
    optional = session.get_overridable_initializers()
    inputs = [*session.get_inputs(), *(value for value in optional if value.name in scales)]
    image, scale = _sorted(inputs, name)
    attempts = [
        _Session(session, form, scale, elements, name)
        for form in _forms(image, session.get_outputs()[0], model, name, treatment)
        for elements in _elements(scale)
    ]
    if len(attempts) == 1:
        return attempts[0]
    working = list(filter(_runs, attempts))
    if not working:
        attempts[0].run(*_example(attempts[0].form))  # which tells why
    layouts = {attempt.form.layout for attempt in working}
    if len(layouts) != 1:
        raise ModelError(
            f"{name}: takes {_described(inputs)}, and nothing tells where the channels are; pass "
            f"layout (--layout) {' or '.join(sorted(layouts))}"
        )
    return working[0]


def _sorted(inputs: list[Any], name: str) -> tuple[Any, Any]:
    """The picture's input, and the scale's or None."""
    images = [value for value in inputs if len(value.shape) in (3, 4)]
    scales = [value for value in inputs if len(value.shape) < 2]
    if len(images) != 1 or len(scales) > 1 or len(images) + len(scales) != len(inputs):
        raise ModelError(
            f"{name}: expected an image (N, 1, 3 or 4, H, W) and a scale as inputs, or only the "
            f"image; it has {_described(inputs)}"
        )
    for value in inputs:
        if value.type not in _DTYPES:
            raise ModelError(
                f"{name}: takes {_described(inputs)}; expected float32, float16, float64 or uint8"
            )
    return images[0], scales[0] if scales else None


def _described(inputs: list[Any]) -> str:
    return ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs) or "no inputs"


def _forms(image: Any, output: Any, model: Any, name: str, treatment: Treatment) -> Iterator[_Form]:
    """What the picture's input may be, by its shape and by what the user says."""
    dtype = _DTYPES[image.type]
    white = find_white(model, image.name, output.name, dtype == np.uint8)
    if treatment.value_range is not None:
        white = (treatment.value_range, treatment.value_range)
    white = (
        255.0 if dtype == np.uint8 else float(white[0]),
        255.0 if output.type == "tensor(uint8)" else float(white[1]),
    )
    layouts = [layout for layout in LAYOUTS if len(layout) == len(image.shape)]
    if treatment.layout is not None:
        if treatment.layout not in layouts:
            raise InvalidArgumentError(
                f"layout: got {treatment.layout}, but {name} takes {_described([image])}"
            )
        layouts = [treatment.layout]
    sides = {layout: dict(zip(layout, image.shape, strict=True)) for layout in layouts}
    certain = [layout for layout in layouts if sides[layout]["C"] in _CHANNELS]
    open_ = [
        layout
        for layout, side in sides.items()
        if not isinstance(side["C"], int)
        and isinstance(side["H"], int) == isinstance(side["W"], int)
    ]
    if not certain and not open_:
        raise ModelError(
            f"{name}: takes {_described([image])}; expected an image of 1, 3 or 4 channels"
        )
    for layout in certain or open_:
        axes = {axis: n if isinstance(n, int) else None for axis, n in sides[layout].items()}
        for channels in _CHANNELS if axes["C"] is None else (axes["C"],):
            size = (axes["H"], axes["W"])
            if None in size:  # a network of strips is one of squares
                size = (size[0] or size[1], size[1] or size[0])
            yield _Form(image.name, layout, dtype, axes.get("N") or 1, channels, size, white)


def _elements(scale: Any) -> tuple[int, ...]:
    if scale is None or not scale.shape:
        return (0,)
    return (scale.shape[0],) if scale.shape[0] in (1, 2, 4) else (2, 4, 1)


def _runs(attempt: _Session) -> bool:
    try:
        result = attempt.run(*_example(attempt.form))
    except ModelError:
        return False
    return int(result.shape[1]) == attempt.form.channels


def _example(form: _Form) -> tuple[Planes, Factors]:
    height, width = form.size
    shape = (1, form.channels, height or _SIDES[0], width or _SIDES[0])
    return np.full(shape, 0.5, np.float32), (1.0, 1.0)


def _run(session: Any, feed: dict[str, Any], name: str) -> NDArray[Any]:
    """The first output.

    Raises:
        ModelError: the runtime refuses.
    """
    try:
        return np.asarray(session.run(None, feed)[0])
    except Exception as error:  # the runtime's own classes share no base but this one
        raise ModelError(f"{name}: does not run: {' '.join(str(error).split())}") from error


def _traits(opened: _Session, treatment: Treatment) -> Traits:
    """Of a network that says nothing of itself."""
    channels = opened.form.channels
    if opened.scale is not None:
        factor = 1
        if treatment.enlarge == "after":
            raise InvalidArgumentError(
                f"enlarge: got 'after', but {opened.name} takes a scale and enlarges by itself"
            )
    else:
        factor = _factor(opened)
        if factor == 1 and treatment.enlarge is None:
            raise ModelError(f"{opened.name}: {KEEPS_SIZE}")
        if factor != 1 and treatment.enlarge == "before":
            raise InvalidArgumentError(
                f"enlarge: got 'before', but {opened.name} enlarges by {factor} itself"
            )
    restores = factor == 1 and treatment.enlarge == "after"
    return Traits(channels, factor=factor, restores=restores)


def _with_operator(run: Callable[[Planes], Planes], traits: Traits) -> Callable[..., Planes]:
    """A network without a scale; if it wants the enlarged picture, with the operator before it."""
    import sr_ops.numpy

    def run_at(planes: Planes, scale: Factors) -> Planes:
        if traits.enlarged_before and scale != (1.0, 1.0):
            planes = sr_ops.numpy.dynamic_upscale(planes, scale)
        return run(planes)

    return run_at


def _factor(opened: _Session) -> int:
    """Of a network that takes no scale, from its answer to a small picture."""
    form, failure = opened.form, None
    for side in _SIDES:
        height, width = form.size[0] or side, form.size[1] or side
        try:
            result = opened.run(np.zeros((1, form.channels, height, width), np.float32), (1.0, 1.0))
        except ModelError as error:
            failure = failure or error
            continue
        factors = {result.shape[2] / height, result.shape[3] / width}
        factor = factors.pop()
        if factors or factor % 1 or factor < 1:
            raise ModelError(
                f"{opened.name}: takes no scale, and makes {result.shape[3]} x {result.shape[2]} "
                f"of {width} x {height}: expected a whole factor"
            )
        return int(factor)
    assert failure is not None
    raise failure


def _measured(opened: _Session, traits: Traits, model: Any) -> Traits:
    """With what can be found out of how far the network sees."""
    import sr_ops.onnx

    found = sr_ops.onnx.dependence(os.fspath(model) if isinstance(model, os.PathLike) else model)
    traits = traits._replace(memory=found.memory)
    if opened.scale is not None and not _enlarges_first(opened):
        return traits
    form = opened.form
    blank = form._replace(
        dtype=np.float32 if form.dtype == np.uint8 else form.dtype, white=(1.0, 1.0)
    )
    try:
        session = sr_ops.onnx.make_session(found.model)
    except ModelError:  # a pool that cannot be made an average, say
        return traits
    structure = opened._replace(session=session, form=blank)
    factors = (float(traits.factor), float(traits.factor))
    height, width = form.size
    field = fields.find_field(
        lambda planes: structure.run(planes, factors),
        lambda planes: opened.run(planes, factors),
        form.channels,
        traits.factor,
        size=None if height is None or width is None else (height, width),
    )
    if field is None:
        return traits
    return traits._replace(radius=field.radius, multiple=field.multiple)


def _enlarges_first(opened: _Session) -> bool:
    """Whether a network makes of a picture and a scale what it makes of the enlarged picture."""
    import sr_ops.numpy

    height, width = opened.form.size
    shape = (1, opened.form.channels, height or 24, width or 32)
    noise = np.random.default_rng(0).random(shape, np.float32)
    try:
        own = opened.run(noise, (2.0, 2.0))
        if opened.form.size != (None, None):
            own = own[:, :, : shape[2], : shape[3]]
        enlarged = sr_ops.numpy.dynamic_upscale(noise, 2.0)[:, :, : own.shape[2], : own.shape[3]]
        ours = opened.run(np.ascontiguousarray(enlarged), (1.0, 1.0))
    except (ModelError, InvalidArgumentError):
        return False
    inner = (slice(None), slice(None), slice(0, own.shape[2] // 2), slice(0, own.shape[3] // 2))
    if own.shape != ours.shape:
        return False
    return bool(np.abs((own - ours)[inner]).max() < 2e-3)


def _any_size(opened: _Session, traits: Traits, model: Any, treatment: Treatment) -> Network:
    """A network of one size, run in windows."""
    height, width = opened.form.size
    assert height is not None
    assert width is not None
    if opened.scale is not None and not _enlarges_first(opened):
        raise ModelError(
            f"{opened.name}: takes pictures of {width} x {height} only, and a scale by which it "
            "does not enlarge before everything else; try `sr-ops make-dynamic`"
        )
    if treatment.overlap is not None:
        traits = traits._replace(radius=treatment.overlap)
    if traits.radius is None:
        traits = _measured(opened, traits, model)
    note = f"in windows of {width} x {height}, the only size that the model takes"
    if traits.radius is None:
        usual = min(_USUAL_OVERLAP, min(height, width) // 4)
        traits = traits._replace(radius=usual)
        note += f"; how far it sees is not known: they overlap by {usual} pixels (overlap)"
    factors = (float(traits.factor), float(traits.factor))
    traits = traits._replace(smallest=max(height, width))
    run = in_windows(
        lambda planes: opened.run(planes, factors),
        (height, width),
        traits.factor,
        traits.radius or 0,
        traits.multiple,
    )
    checked = finite(lambda planes, _: run(planes), opened.name)
    return Network(checked, traits, opened.name, note=note)


def _through_files(session: Any) -> Callable[[Planes, Factors], Planes]:
    """A model exported with --image-io: it sees 8 bits, as a PNG file."""

    def run(planes: Planes, scale: Factors) -> Planes:
        pixels = colour.from_unit(planes[0].transpose(1, 2, 0), np.uint8)
        png = encoded.upscale_encoded(encode_image(pixels, "in.png"), scale, session)
        return np.asarray(colour.to_unit(decode_image(png)).transpose(2, 0, 1)[None])

    return run

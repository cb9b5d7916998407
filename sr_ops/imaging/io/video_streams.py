"""What a video holds beside its pictures: sound, subtitles, chapters, words; copied as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sr_ops.errors import ImageError

__all__ = ["copy_streams", "copy_words", "lost_words"]

_COPIED = frozenset({"audio", "subtitle"})
#: Kinds of streams by the format, where it holds more; nowhere covers, further angles and data.
_HELD = {"matroska": _COPIED | {"attachment"}}
#: Words that a container writes of itself.
_OWN = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration"})


def copy_streams(
    container: Any, video: Any, result: Any, output: Path
) -> tuple[dict[int, Any], list[str]]:
    """Add streams like a video's to its result.

    Args:
        container, result: of PyAV, the source's and the result's.
        video: the stream that is upscaled.
        output: what errors call the result.

    Returns:
        The results' streams by the numbers of the video's; and the names of those that have no
        place there: further pictures, attachments and data.

    Raises:
        ImageError: sound or subtitles that the container cannot hold.
    """
    copies, lost = {}, []
    for stream in container.streams:
        if stream.index == video.index:
            continue
        what = f"{stream.type} stream {stream.index} ({_codec(stream)})"
        try:
            if stream.type not in _HELD.get(result.format.name, _COPIED):
                raise ValueError(what)
            copy = result.add_stream_from_template(stream)
        except ValueError as error:
            if stream.type in ("audio", "subtitle"):
                raise ImageError(
                    f"{output}: {output.suffix} cannot hold {what}; use .mkv"
                ) from error
            lost.append(what)
            continue
        copy.metadata.update(_said(stream.metadata))
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    return copies, lost


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return str(stream.name if context is None else context.name) or "unknown"


def _said(metadata: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key.lower() not in _OWN}


def copy_words(container: Any, video: Any, result: Any, stream: Any, strip: bool) -> None:
    """Copy title, date, place and chapters of a video, unless they are to be left out."""
    language = {key: value for key, value in video.metadata.items() if key == "language"}
    stream.metadata.update(language if strip else _said(video.metadata))
    stream.disposition = video.disposition
    if not strip:
        result.metadata.update(_said(container.metadata))
        result.set_chapters(container.chapters())


def lost_words(container: Any, result: Any) -> list[str]:
    """Names of what a video says of itself and its written result does not."""
    kept = {key.lower() for key in result.metadata}
    lost = [key for key in _said(container.metadata) if key.lower() not in kept]
    chapters = len(container.chapters()) > len(result.chapters())
    return [f"metadata {', '.join(lost)}"] * bool(lost) + ["chapters"] * chapters

"""What is cited of recordings, as short clips that travel inside the page, each with the seconds of the words in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kgfuse.catalog import SourceRow
from kgfuse.errors import KgfuseError
from kgfuse.explain.chain import Place
from kgfuse.sources.sandbox import Sandbox
from kgfuse.sources.sound_kinds import missing
from kgfuse.workspace.whereabouts import place_of

if TYPE_CHECKING:
    from kgfuse.workspace.workspace import Workspace

MOST: Final = 6
"""Clips of one recording: those with most of what is cited."""
_AROUND: Final = 5.0
_BEFORE: Final = 0.3
_AFTER: Final = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """Words that evidence rests on.

    Args:
        place: where they stand in a transcript.
        key: of the evidence.
        number: of its line.
        cited: whether it is among what the check removes.
    """

    place: Place
    key: str
    number: int
    cited: bool


@dataclass(frozen=True, slots=True)
class Clip:
    """A cut of a recording.

    Args:
        source: name of the recording.
        uri: ``data:`` URI of the sound.
        start, end: seconds of the recording.
        at: second of the clip at which the first words begin.
        words: each with its line's number and its seconds in the recording.
        spoken: JSON list of ``{"keys", "from", "to"}``: what lights up at which seconds of the clip.
    """

    source: str
    uri: str
    start: float
    end: float
    at: float
    words: tuple[tuple[int, str, float, float], ...]
    spoken: str


def clips(ws: Workspace, said: Sequence[Said]) -> list[Clip]:
    """Clips with the words of evidence; none where what reads recordings is not installed."""
    by_source: dict[str, list[Said]] = {}
    for one in said:
        if one.place.seconds is not None:
            by_source.setdefault(one.place.source, []).append(one)
    if not by_source or missing():
        return []
    found: list[Clip] = []
    with Sandbox() as sandbox:
        for name, mine in sorted(by_source.items()):
            row = ws._parts.catalog.source(name)
            if row is not None:
                try:
                    found += _of(ws, row, mine, sandbox)
                except KgfuseError:
                    continue  # what is damaged by now is told by `kgfuse check`
    return found


def _of(ws: Workspace, row: SourceRow, mine: Sequence[Said], sandbox: Sandbox) -> list[Clip]:
    said = [(_span(ws, row, one.place), one) for one in mine]
    return cut(row.name, ws._parts.blobs.path(row.sha256), row.media_type, said, sandbox)


def cut(
    name: str, path: Path, media_type: str, said: Sequence[tuple[tuple[float, float], Said]], sandbox: Sandbox
) -> list[Clip]:
    """Clips of a recording.

    Args:
        name: of the recording.
        path: of its file.
        media_type: of its file.
        said: seconds to play, with the words that are spoken then.
        sandbox: opens the file.

    Raises:
        SourceError: it cannot be decoded.
    """
    weightiest = sorted(_grouped(said), key=lambda g: -sum(10 if one.cited else 1 for one in g[1]))[:MOST]
    chosen = sorted(weightiest, key=lambda g: g[0])
    sounds = sandbox.clips(path, media_type, name, [span for span, _ in chosen])
    return [_clip(name, span, group, sound) for (span, group), sound in zip(chosen, sounds, strict=True)]


def _span(ws: Workspace, row: SourceRow, place: Place) -> tuple[float, float]:
    """Seconds to play: the sentence around the words."""
    assert place.seconds is not None
    context = place_of(ws._parts.blobs, row, place.context_start, place.context_start + len(place.context)).time
    return played(place.seconds, context or place.seconds)


def played(words: tuple[float, float], around: tuple[float, float]) -> tuple[float, float]:
    """Seconds to play: what is around the words, but no more than some seconds on both sides of them.

    >>> [round(s, 1) for s in played((10.0, 11.0), (2.0, 12.0))]
    [4.7, 12.5]
    """
    start, end = around
    return max(0.0, max(start, words[0] - _AROUND) - _BEFORE), min(end, words[1] + _AROUND) + _AFTER


def _grouped(spans: Sequence[tuple[tuple[float, float], Said]]) -> list[tuple[tuple[float, float], list[Said]]]:
    """One clip for all words of which most of the sound is the same."""
    groups: list[tuple[tuple[float, float], list[Said]]] = []
    for (start, end), said in sorted(spans, key=lambda one: one[0]):
        if groups and start < sum(groups[-1][0]) / 2:
            (first, last), held = groups[-1]
            groups[-1] = ((first, max(last, end)), [*held, said])
        else:
            groups.append(((start, end), [said]))
    return groups


def _clip(name: str, span: tuple[float, float], group: Sequence[Said], sound: bytes) -> Clip:
    start, end = span
    marked = sorted({(one.place.seconds or span, one.number, one.place.exact, one.key) for one in group})
    spoken = [{"keys": key, "from": round(a - start, 3), "to": round(b - start, 3)} for (a, b), _, _, key in marked]
    words = dict.fromkeys((number, exact, a, b) for (a, b), number, exact, _ in marked)
    uri = f"data:audio/mpeg;base64,{base64.b64encode(sound).decode('ascii')}"
    at = max(0.0, min(a for (a, _), *_ in marked) - start)
    return Clip(name, uri, start, end, round(at, 3), tuple(words), json.dumps(spoken))

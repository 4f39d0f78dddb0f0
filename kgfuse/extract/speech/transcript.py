"""Words with their seconds become one text, each character of which has its time; long recordings are cut at pauses."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgfuse.sources.places import TimePlaces
from kgfuse.sources.sound import RATE, Samples

PAUSE: Final = 2_000
"""Milliseconds of silence after the end of a sentence that make a paragraph."""
PIECE: Final = 300
"""Seconds that are transcribed at once, at most: it bounds the memory that a recording takes."""
_LEAST_SURE: Final = 0.01
_LATEST: Final = 30
_WINDOW: Final = RATE // 5
_ENDS: Final = (".", "!", "?", "…")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was heard.

    Args:
        text: with a space before it where one belongs there.
        start, end: milliseconds from the beginning of the recording.
        sure: the model's probability that it is the word, 0 to 1.
    """

    text: str
    start: int
    end: int
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a recording.

    Args:
        text: in the form in which texts are stored; empty where nothing is said.
        places: when each word is spoken, and how sure it is.
        language: ISO 639 code; empty where nothing is said.
    """

    text: str
    places: TimePlaces
    language: str


def joined(words: Iterable[Word]) -> tuple[str, TimePlaces]:
    r"""One text of words, in NFC, with a blank line at long pauses between sentences.

    >>> joined([Word(" An", 0, 200), Word(" owl", 200, 500), Word(".", 500, 500), Word(" Two", 3000, 3200)])[0]
    'An owl.\n\nTwo'
    """
    text, last = "", 0
    starts: list[int] = []
    times: list[tuple[int, int]] = []
    sure: list[float] = []
    for word in words:
        said = unicodedata.normalize("NFC", "".join(c if c.isprintable() else " " for c in word.text))
        shown = " ".join(said.split())
        if not shown:
            continue
        start = max(last, word.start)
        if text and said[0].isspace():
            text += "\n\n" if start - last >= PAUSE and text.endswith(_ENDS) else " "
        elif not unicodedata.is_normalized("NFC", text[-1:] + shown[0]):
            text += " "  # a mark that would melt into the word before
        starts.append(len(text))
        text += shown
        last = max(start, word.end)
        times.append((start, last))
        sure.append(max(_LEAST_SURE, round(word.sure, 2)))
    return text, TimePlaces(tuple(starts), tuple(times), tuple(sure))


def cuts(samples: Samples, longest: int = PIECE * RATE, latest: int = _LATEST * RATE) -> list[tuple[int, int]]:
    """Pieces of at most that many samples, each cut where it is quietest among its ``latest`` last ones."""
    found, start = [], 0
    while len(samples) - start > longest:
        tail = samples[start + longest - latest : start + longest].astype(np.int64)
        loud = np.add.reduceat(tail * tail, np.arange(0, len(tail), _WINDOW))
        end = start + longest - latest + int(np.argmin(loud)) * _WINDOW + _WINDOW // 2
        found.append((start, end))
        start = end
    return [*found, (start, len(samples))]

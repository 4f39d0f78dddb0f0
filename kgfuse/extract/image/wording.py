"""What the writing in a picture says: its lines go through the text extractor, and come back with boxes."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from kgfuse.extract.doubt import replaced
from kgfuse.extract.protocol import Found, reads
from kgfuse.extract.text.statements import MENTIONS
from kgfuse.sources.language import language
from kgfuse.terms.mentions import Mention, Region, Source, Statement, TextSpan

if TYPE_CHECKING:
    from kgfuse.extract.settings import TextSettings
    from kgfuse.extract.text.extractor import TextExtractor
    from kgfuse.ontology.vocabulary import Vocabulary

_GAP: Final = 0.9
_SMALL: Final = frozenset(["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])
_LONG: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing with its place in the picture."""

    text: str
    region: Region
    confidence: float


class Wording:
    """Reads lines as one text.

    Args:
        vocabulary: of the workspace.
        settings: of the text extractor.
    """

    def __init__(self, vocabulary: Vocabulary, settings: TextSettings) -> None:
        self._vocabulary = vocabulary
        self._settings = settings
        self._lock = threading.Lock()

    @cached_property
    def extractor(self) -> TextExtractor:
        """The text extractor, loaded on first use."""
        from kgfuse.extract.text.extractor import TextExtractor

        return TextExtractor(self._vocabulary, self._settings)

    def found(self, lines: Sequence[Line], source: Source) -> Iterator[Found]:
        """Yield what the lines say, every mention with the box of the lines that it stands in.

        A class that is named is said to be mentioned, as a sign is often all there is. Nothing is made of writing in a
        language that the text extractor does not read. Confidences are those of the words times that of the lines.
        """
        text, starts = as_text(lines)
        whole = replace(source, kind="text", media_type="text/plain", text=text, path=None)
        with self._lock:
            if not reads(self.extractor, "text", language(text)):
                return
            found = list(self.extractor.extract(whole))
        boxed = _Boxed(lines, starts)
        stated = {m for one in found if isinstance(one, Statement) for m in one.evidence}
        for one in found:
            if isinstance(one, Statement):
                yield boxed.statement(one)
                continue
            mention = boxed.mention(one)
            yield mention
            if source.item is not None and one not in stated and one.entity in self._vocabulary.classes:
                yield Statement(
                    source.item, MENTIONS, mention, (mention,), mention.extractor, mention.confidence,
                    "the writing in the picture names it", source.iri,
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Boxed:
    """From characters of the text to lines of the picture."""

    lines: Sequence[Line]
    starts: Sequence[int]

    def mention(self, one: Mention) -> Mention:
        if not isinstance(one.selector, TextSpan):
            return one
        first = bisect_right(self.starts, one.selector.start) - 1
        last = max(first, bisect_right(self.starts, one.selector.end - 1) - 1)
        touched = self.lines[first : last + 1]
        sure = one.confidence * min(line.confidence for line in touched)
        return replace(one, selector=_around([line.region for line in touched]), confidence=round(sure, 3))

    def statement(self, one: Statement) -> Statement:
        return replace(replaced(one, self.mention), reason=f"{one.reason}; in the writing of the picture")


def as_text(lines: Sequence[Line]) -> tuple[str, list[int]]:
    """Join lines: what stands close below another goes on with it, what stands apart is a paragraph of its own.

    So is a heading, a line in capitals above one that begins with a capital and has small letters.

    Returns:
        the text, and where in it each line starts.
    """
    text, starts = "", []
    for n, line in enumerate(lines):
        if n:
            text += "\n" if _goes_on(lines[n - 1], line) else "\n\n"
        starts.append(len(text))
        text += plain_case(line.text)
    return text, starts


def plain_case(text: str) -> str:
    """A line in capitals as a title, in which names are known by their capitals; as many characters as before.

    >>> plain_case("BRIDGE OF SIGHS (NHS)")
    'Bridge of Sighs (NHS)'
    """
    if not text.isupper():
        return text
    words = text.split(" ")
    return " ".join(_word(word, n == 0) for n, word in enumerate(words))


def _word(word: str, first: bool) -> str:
    if word.lower() in _SMALL and not first:
        new = word.lower()
    elif sum(map(str.isalpha, word)) >= _LONG or word.lower() in _SMALL:
        new = word[:1] + word[1:].lower()
    else:
        return word
    return new if len(new) == len(word) else word


def _goes_on(one: Line, other: Line) -> bool:
    above, below = one.region, other.region
    if one.text.isupper() and not other.text.isupper() and not other.text[:1].islower():
        return False
    gap = below.y - (above.y + above.h)
    level = min(above.x + above.w, below.x + below.w) - max(above.x, below.x) > 0
    return level and abs(gap) <= _GAP * min(above.h, below.h)


def _around(regions: Sequence[Region]) -> Region:
    left, top = min(r.x for r in regions), min(r.y for r in regions)
    right, bottom = max(r.x + r.w for r in regions), max(r.y + r.h for r in regions)
    return Region(left, top, right - left, bottom - top)

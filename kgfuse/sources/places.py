"""Where the characters of a stored text stand in the file that it was read from."""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kgfuse.errors import WorkspaceError
from kgfuse.sources.normal import Change, Changed, from_returns, original

_MAX_BYTES: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class CharacterPlaces:
    """A text that was normalised: `changes` lead back to the decoded characters of the file."""

    changes: tuple[Change, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the decoded file that a span was made from."""
        return original(self.changes, start, end)


@dataclass(frozen=True, slots=True)
class LineEndPlaces:
    r"""A text whose every line end was ``\r\n``: it tells by itself where its characters come from."""

    def original(self, text: str, start: int, end: int) -> tuple[int, int]:
        """The characters of the decoded file that a span of the stored text was made from."""
        return from_returns(text, start, end)


@dataclass(frozen=True, slots=True)
class PagePlaces:
    """A text of pages: where each begins; page ``n`` (from 0) ends where the next begins.

    Args:
        starts: offsets in the text.
    """

    starts: tuple[int, ...]

    def page(self, offset: int) -> int:
        """The page, from 1, on which a character stands."""
        return max(1, bisect_right(self.starts, offset))

    def on_pages(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """A span as (page from 1, start, end), a piece a page, counted from the page's beginning."""
        found = []
        for page in range(self.page(start), self.page(max(start, end - 1)) + 1):
            begins = self.starts[page - 1]
            ends = self.starts[page] if page < len(self.starts) else end
            found.append((page, max(start, begins) - begins, min(end, ends) - begins))
        return found


@dataclass(frozen=True, slots=True)
class ElementPlaces:
    """A text of elements (paragraphs, cells, headings), each with its path in the document.

    Args:
        starts: offset of each element's text, ascending.
        paths: XPath of each.
    """

    starts: tuple[int, ...]
    paths: tuple[str, ...]

    def path(self, offset: int) -> str:
        """The element in which a character stands."""
        n = bisect_right(self.starts, offset) - 1
        return self.paths[n] if n >= 0 else ""


@dataclass(frozen=True, slots=True)
class TablePlaces:
    """A text of rows, cells divided by tabs.

    Args:
        starts: offset of each row, ascending; before the first is the line that names the columns.
        numbers: of the rows in the file, from 1.
    """

    starts: tuple[int, ...]
    numbers: tuple[int, ...]

    def cell(self, text: str, offset: int) -> tuple[int, int]:
        """Row and column, from 1, of the cell in which a character stands."""
        n = bisect_right(self.starts, offset) - 1
        begins = self.starts[n] if n >= 0 else 0
        return self.numbers[n] if n >= 0 else 0, text.count("\t", begins, offset) + 1


@dataclass(frozen=True, slots=True)
class TimePlaces:
    """A transcript: when each of its words is spoken.

    Args:
        starts: offset of each word, ascending.
        times: milliseconds from the beginning of the recording at which each word begins and ends.
        sure: probability that each was heard rightly, above 0, up to 1.
    """

    starts: tuple[int, ...]
    times: tuple[tuple[int, int], ...]
    sure: tuple[float, ...]

    @property
    def heard(self) -> tuple[tuple[int, float], ...]:
        """Where each word begins, and the probability that it was heard rightly."""
        return tuple(zip(self.starts, self.sure, strict=True))

    def seconds(self, start: int, end: int) -> tuple[float, float] | None:
        """From when to when the words that a span touches are spoken; ``None`` where there are no words.

        >>> TimePlaces((0, 4), ((0, 300), (300, 900)), (0.9, 0.8)).seconds(1, 6)
        (0.0, 0.9)
        """
        first = max(0, bisect_right(self.starts, start) - 1)
        touched = self.times[first : max(first + 1, bisect_left(self.starts, end))]
        if not touched:
            return None
        return touched[0][0] / 1000, max(until for _, until in touched) / 1000


Places: TypeAlias = CharacterPlaces | LineEndPlaces | PagePlaces | ElementPlaces | TablePlaces | TimePlaces


def of_characters(text: Changed) -> CharacterPlaces | LineEndPlaces | None:
    """Where a text's characters come from; ``None`` where they are those of the file."""
    if text.from_returns:
        return LineEndPlaces()
    return CharacterPlaces(text.edits) if text.edits else None


def dumps(places: Places) -> bytes:
    """Places as bytes; equal ones give equal bytes."""
    record: dict[str, Any]
    match places:
        case CharacterPlaces():
            record = {"kind": "characters", "changes": places.changes}
        case LineEndPlaces():
            record = {"kind": "line ends"}
        case PagePlaces():
            record = {"kind": "pages", "starts": places.starts}
        case ElementPlaces():
            record = {"kind": "elements", "starts": places.starts, "paths": places.paths}
        case TablePlaces():
            record = {"kind": "table", "starts": places.starts, "numbers": places.numbers}
        case TimePlaces():
            record = {"kind": "time", "starts": places.starts, "times": places.times, "sure": places.sure}
    return zlib.compress(json.dumps(record, separators=(",", ":")).encode("ascii"), 6)


def loads(data: bytes) -> Places:
    """Read what `dumps` wrote.

    Raises:
        WorkspaceError: the bytes are damaged.
    """
    try:
        record = json.loads(zlib.decompressobj().decompress(data, _MAX_BYTES))
        match record["kind"]:
            case "characters":
                return CharacterPlaces(tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in record["changes"]))
            case "line ends":
                return LineEndPlaces()
            case "pages":
                return PagePlaces(tuple(map(int, record["starts"])))
            case "elements":
                return ElementPlaces(tuple(map(int, record["starts"])), tuple(map(str, record["paths"])))
            case "table":
                return TablePlaces(tuple(map(int, record["starts"])), tuple(map(int, record["numbers"])))
            case "time":
                starts, times = tuple(map(int, record["starts"])), tuple((int(a), int(b)) for a, b in record["times"])
                sure = tuple(map(float, record.get("sure", [1.0] * len(starts))))
                if not len(starts) == len(times) == len(sure) or not all(0 < one <= 1 for one in sure):
                    raise ValueError("words, times and probabilities do not fit")
                return TimePlaces(starts, times, sure)
        raise ValueError(f"kind {record['kind']!r}")
    except (zlib.error, ValueError, KeyError, TypeError) as e:
        raise WorkspaceError(f"where a text stands cannot be read: {e}", remedy="add its file again") from e

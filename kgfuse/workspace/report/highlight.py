"""Characters marked in a text: the text itself, escaped, with ``<mark>`` around exactly what the spans say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Span:
    """Characters to mark.

    Args:
        start, end: code points of the text; what lies outside it is left out.
        key: of the statement or passage it belongs to; letters, digits and hyphens.
        kind: CSS class: ``cited`` (words of a cited statement), ``around`` (their sentence), ``stated`` and ``context``
            (the same of other statements), ``sentence`` (a cited passage), ``passage`` (another), ``unseen``.
        title: shown on hovering.
    """

    start: int
    end: int
    key: str
    kind: str = "stated"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters that the same spans cover."""

    start: int
    end: int
    spans: tuple[Span, ...]


def pieces(length: int, spans: Iterable[Span]) -> Iterator[Piece]:
    """Cut a text of this length at every edge of a span, so that overlapping spans need no nesting.

    >>> [(p.start, p.end, [s.key for s in p.spans]) for p in pieces(9, [Span(0, 5, "a"), Span(3, 9, "b")])]
    [(0, 3, ['a']), (3, 5, ['a', 'b']), (5, 9, ['b'])]
    """
    inside = [s for s in spans if max(s.start, 0) < min(s.end, length)]
    edges = sorted({0, length, *(max(s.start, 0) for s in inside), *(min(s.end, length) for s in inside)})
    for start, end in pairwise(edges):
        yield Piece(start, end, tuple(s for s in inside if s.start <= start and end <= s.end))


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """HTML of a text with the spans marked; without its tags it is the text.

    >>> str(marked("a <b> c", [Span(2, 5, "s1")]))
    'a <mark class="stated" data-keys="s1">&lt;b&gt;</mark> c'
    """
    found = []
    for piece in pieces(len(text), spans):
        inner = escape(text[piece.start : piece.end])
        if piece.spans:
            classes = " ".join(dict.fromkeys(s.kind for s in piece.spans))
            keys = " ".join(dict.fromkeys(s.key for s in piece.spans))
            titles = "; ".join(dict.fromkeys(s.title for s in piece.spans if s.title))
            title = Markup(' title="{}"').format(titles) if titles else ""
            inner = Markup('<mark class="{}" data-keys="{}"{}>{}</mark>').format(classes, keys, title, inner)
        found.append(inner)
    return Markup("").join(found)

"""Markdown by markdown-it: the words without their marks, and a way back to each."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from kgfuse.sources.normal import Change, Changed

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

BETWEEN: Final = "\n\n"
_FRONT: Final = re.compile(r"\A---[ \t]*\n.*?\n(---|\.\.\.)[ \t]*\n", re.S)
_TAGS: Final = re.compile(r"<[^>]*>")


def plain(text: str) -> Changed:
    r"""The words of a Markdown text, a paragraph, heading, item or cell a block; what is no Markdown stays itself.

    >>> plain("# The *owl*").text
    'The owl\n\n'
    """
    front = _FRONT.match(text)
    skipped = front.end() if front else 0
    body = text[skipped:]
    lines = list(accumulate(map(len, body.splitlines(keepends=True)), initial=0))
    made = _Made()
    last = 0
    for token in _parser().parse(body):
        kind, where = token.type, token.map
        if where is not None:
            begins = lines[where[0]] if where[0] < len(lines) else lines[-1]
            last = begins if begins > last else last
        if kind == "inline":
            last = made.take(body, token.children or (), last)
            made.end()
        elif kind in ("fence", "code_block"):
            last = made.words(body, token.content.strip("\n"), last)
            made.end()
        elif kind == "html_block":
            last = made.words(body, html.unescape(_TAGS.sub(" ", token.content)).strip(), last)
            made.end()
    return Changed("".join(made.pieces), tuple(made.changes(skipped, len(text))))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


class _Made:
    """Pieces of the new text, and where each was found."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._found: list[tuple[int, int, int]] = []
        self._length = 0

    def take(self, body: str, tokens: Iterable[Any], at: int) -> int:
        """Take in inline tokens; returns how far the body is read."""
        for token in tokens:
            kind = token.type
            if kind in ("text", "code_inline"):
                at = self.words(body, token.content, at)
            elif kind in ("softbreak", "hardbreak"):
                self._put(" ", -1)
            elif kind == "image":
                at = self.take(body, token.children or (), at)
        return at

    def words(self, body: str, content: str, at: int) -> int:
        """Take in words, line by line; those that are written otherwise (entities) lead to where they may stand."""
        if "\n" not in content and content:  # as most are
            found = body.find(content, at)
            self._put(content, found)
            return found + len(content) if found >= 0 else at
        for n, line in enumerate(content.split("\n")):
            if n:
                self._put("\n", -1)
            if line:
                found = body.find(line, at)
                self._put(line, found)
                at = found + len(line) if found >= 0 else at
        return at

    def end(self) -> None:
        """End a paragraph."""
        if self.pieces and self.pieces[-1] != BETWEEN:
            self._put(BETWEEN, -1)

    def changes(self, skipped: int, length: int) -> list[Change]:
        """What lies between the pieces that were found, in a text of that length whose beginning was skipped."""
        made: list[Change] = []
        new = old = 0
        found = ((start, at + skipped, size) for start, at, size in self._found)
        for start, at, size in [*found, (self._length, length, 0)]:
            if (start - new, at - old) != (0, 0):
                made.append((new, start - new, old, at - old))
            new, old = start + size, at + size
        return made

    def _put(self, text: str, found: int) -> None:
        if found >= 0:
            self._found.append((self._length, found, len(text)))
        self.pieces.append(text)
        self._length += len(text)

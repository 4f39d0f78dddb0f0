"""Markdown by markdown-it: the words without their marks, and a way back to each."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from kgfuse.sources.normal import Change, Changed

BETWEEN: Final = "\n\n"
_FRONT: Final = re.compile(r"\A---[ \t]*\n.*?\n(---|\.\.\.)[ \t]*\n", re.S)
_TAGS: Final = re.compile(r"<[^>]*>")


def plain(text: str) -> Changed:
    r"""The words of a Markdown text, a paragraph, heading, item or cell a block; what is no Markdown stays itself.

    >>> plain("# The *owl*").text
    'The owl\n\n'
    """
    from markdown_it import MarkdownIt

    front = _FRONT.match(text)
    skipped = front.end() if front else 0
    body = text[skipped:]
    lines = [0]
    for line in body.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    made = _Made()
    last = 0
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        if token.map is not None:
            last = max(last, lines[min(token.map[0], len(lines) - 1)])
        if token.type == "inline":
            for child in token.children or ():
                last = made.take(body, child, last)
            made.end()
        elif token.type in ("fence", "code_block"):
            last = made.words(body, token.content.strip("\n"), last)
            made.end()
        elif token.type == "html_block":
            last = made.words(body, html.unescape(_TAGS.sub(" ", token.content)).strip(), last)
            made.end()
    return Changed("".join(made.pieces), tuple(made.changes(skipped, len(text))))


class _Made:
    """Pieces of the new text, and where each was found."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._found: list[tuple[int, int, int]] = []
        self._length = 0

    def take(self, body: str, token: Any, at: int) -> int:
        """Take in an inline token; returns how far the body is read."""
        if token.type in ("text", "code_inline"):
            return self.words(body, token.content, at)
        if token.type in ("softbreak", "hardbreak"):
            self._put(" ", -1)
        elif token.type == "image":
            for child in token.children or ():
                at = self.take(body, child, at)
        return at

    def words(self, body: str, content: str, at: int) -> int:
        """Take in words, line by line; those that are written otherwise (entities) lead to where they may stand."""
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

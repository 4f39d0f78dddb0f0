"""Texts of elements: paragraphs that are gathered one by one, each with its path, into one text with its places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from kgfuse.sources.decoding import MAX_TEXT_CHARACTERS
from kgfuse.sources.places import ElementPlaces

BETWEEN: Final = "\n\n"
_SPACE: Final = re.compile(r"[ \t\r\n\f\v\xa0]+")
_LEFT_OUT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff]")
_ODD: Final = "".join(chr(n) for n in range(32) if n != 10) + "\x7f\xa0\u200b\u2060\ufeff"
CAPTION: Final = re.compile(
    r"(fig(ure|\.)?|photo(graph)?|plate|picture|image|table|chart|abb(ildung|\.)|bild)\s*\d", re.I
)
"""How captions begin."""


def _flowing(text: str) -> str:
    """Lines without their outer space, inner runs of it as one."""
    if text.isascii() and text.isprintable():  # as most are: one line, composed, all visible
        return " ".join(text.split()) if "  " in text else text.strip()
    lines = _LEFT_OUT.sub("", text).split("\n")
    return unicodedata.normalize("NFC", "\n".join(filter(None, (_SPACE.sub(" ", line).strip() for line in lines))))


def _whole(text: str) -> str:
    """Lines as they are, without blank ones around them."""
    return unicodedata.normalize("NFC", _LEFT_OUT.sub("", text).strip("\n").rstrip())


class Gathered:
    """A text that grows by paragraphs."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._paths: list[str] = []
        self._length = 0
        self.is_full = False

    def add(self, text: str, path: str, *, keep_lines: bool = False) -> None:
        """Add a paragraph; blank ones are passed over, and all after the longest text that is stored."""
        text = _whole(text) if keep_lines else _flowing(text)
        if not text or text.isspace() or self.is_full:
            return
        if self._length + len(text) + len(BETWEEN) > MAX_TEXT_CHARACTERS:
            self.is_full = True
            return
        self._starts.append(self._length)
        self._paths.append(path)
        self._pieces.append(text + BETWEEN)
        self._length += len(text) + len(BETWEEN)

    def extend(self, texts: Sequence[str], paths: Sequence[str]) -> None:
        """Add paragraphs of one line each, as `add` would one by one; where all are plain, they are looked at once."""
        whole = "".join(texts)
        lines = [text.replace("\n", " ") for text in texts] if "\n" in whole else texts
        plain = [text.strip() + BETWEEN for text in lines]
        joined = "".join(plain)
        if (
            any(map(whole.__contains__, _ODD))
            or "  " in joined
            or BETWEEN in plain
            or self.is_full
            or self._length + len(joined) > MAX_TEXT_CHARACTERS
            or not unicodedata.is_normalized("NFC", joined)
        ):
            for line, path in zip(lines, paths, strict=True):
                self.add(line, path)
            return
        *starts, self._length = accumulate(map(len, plain), initial=self._length)
        self._starts += starts
        self._paths += paths
        self._pieces.append(joined)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    @property
    def places(self) -> ElementPlaces:
        """Where each paragraph stands."""
        return ElementPlaces(tuple(self._starts), tuple(self._paths))

    def notes(self) -> tuple[str, ...]:
        """What was left out."""
        if not self.is_full:
            return ()
        return (f"only the first {self._length:,} characters were read: the text is too long",)

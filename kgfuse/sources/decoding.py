"""Bytes to text: byte order marks, UTF-8, and encodings that are told by the language that comes out."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgfuse.errors import SourceError
from kgfuse.sources.language import guess

BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKS: Final = tuple(bom for bom, _ in BOMS)
MAX_TEXT_CHARACTERS: Final = 1_000_000
_USUAL: Final = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859-2", "koi8-r", "cp1255", "cp1256",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "cp437", "cp866", "mac_roman",
)  # fmt: skip
_WESTERN: Final = "cp1252"
_TIE: Final = 0.005
_SURE: Final = 0.5
_LEAST_BYTES: Final = 30
_SAMPLE: Final = 4096


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and the encoding that it was in."""

    text: str
    encoding: str


def decode(data: bytes, where: Path | str, encoding: str | None = None) -> str:
    """Decode a text: see `decoded`."""
    return decoded(data, where, encoding).text


def decoded(data: bytes, where: Path | str, encoding: str | None = None) -> Decoded:
    """Decode a text by its byte order mark, else as UTF-8, else as the encoding that the caller names or data tells.

    Line ends and normal forms stay as they are.

    Raises:
        SourceError: wrong or unknown encoding, blank, or longer than ``MAX_TEXT_CHARACTERS``.
    """
    found = marked(data) or encoding or wide(data) or "utf-8"
    try:
        text = data.decode(found)
    except UnicodeDecodeError as e:
        detected = None if encoding or found != "utf-8" else detect(data)
        if detected is None:
            line = data.count(b"\n", 0, e.start) + 1
            raise SourceError(
                f"not valid {'UTF-8' if found == 'utf-8' else found} at byte {e.start}",
                where=f"{where}:{line}",
                remedy="save it as UTF-8, or name its encoding with --encoding",
            ) from e
        found, text = detected, data.decode(detected)
    except LookupError as e:
        raise SourceError(f"no encoding is called {encoding!r}", where=where, remedy="such as cp1252 or utf-16") from e
    check(text, where)
    return Decoded(text, found)


def check(text: str, where: Path | str) -> None:
    """Refuse what nobody could read as a text.

    Raises:
        SourceError: blank, too long, or with NUL characters.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SourceError(
            f"has {len(text):,} characters, more than {MAX_TEXT_CHARACTERS:,}", where=where, remedy="split it"
        )
    if not text or text.isspace():
        raise SourceError("holds nothing but white space", where=where, remedy="remove it or fill it")
    if "\x00" in text:
        raise SourceError("holds NUL characters", where=where, remedy="is it a text, and in this encoding?")


def marked(data: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    return next(name for bom, name in BOMS if data.startswith(bom)) if data.startswith(_MARKS) else None


def wide(data: bytes) -> str | None:
    """UTF-16 without a byte order mark, told by where the zero bytes lie.

    >>> wide("An owl.".encode("utf-16-le"))
    'utf-16-le'
    """
    head = data[:_SAMPLE]
    if b"\x00" not in head or len(head) < 8:
        return None
    even, odd = head[::2], head[1::2]
    in_even, in_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if in_odd > 0.4 and in_even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if in_even > 0.4 and in_odd < 0.02 else None


def detect(data: bytes) -> str | None:
    """The one-byte or East Asian encoding in which the bytes read most like a language; ``None`` where none does.

    Candidates are the usual ones and what charset-normalizer finds.
    """
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_SAMPLE]
    if len(sample) < _LEAST_BYTES:
        return None
    from charset_normalizer import from_bytes

    candidates = dict.fromkeys((*_USUAL, *(match.encoding for match in from_bytes(sample))))
    scores: dict[str, float] = {}
    for name in candidates:
        try:
            data.decode(name)
            scores[name] = _likelihood(sample.decode(name, "ignore"))
        except (UnicodeDecodeError, LookupError):
            continue
    if not scores:
        return None
    best = max(scores, key=lambda name: scores[name])  # the first of equals: the more usual one
    if scores.get(_WESTERN, 0.0) > scores[best] - _TIE:
        best = _WESTERN
    return best if scores[best] >= _SURE else None


def _likelihood(text: str) -> float:
    """How much a text reads like its language: the language's probability, less odd signs among its letters."""
    foreign = [c for c in text if ord(c) > 127]
    odd = sum(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "So", "Sk", "Sm") for c in foreign)
    return guess(text)[1] - 2 * odd / max(1, len(foreign))

"""HTML by Lexbor: the main text with the path of each paragraph, and pictures with captions and alternative texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import compress
from pathlib import Path
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from kgfuse.errors import SourceError
from kgfuse.sources.decoding import decoded
from kgfuse.sources.document import Document
from kgfuse.sources.html_page import BLOCKS, IDENTITY, LEFT_OUT, NUMBER, Page, numbers

MAX_BYTES: Final = 30_000_000
MAX_DEPTH: Final = 5_000
_CHARSET: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9._-]{2,40})""", re.I)
_MARK: Final = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_ROLES: Final = frozenset({"navigation", "banner", "contentinfo", "complementary", "search", "menu", "dialog"})
_CLOSES_ITSELF: Final = frozenset(
    b"area base br col dd dt embed hr img input li link meta option p rp rt source tbody td tfoot th thead tr "
    b"track wbr".split()
)
_PARTING: Final = LEFT_OUT | BLOCKS | {"img", "br", "td", "th"}
"""What parts the words of the element that holds it; where there is none, its words are one piece."""
_MAINS: Final = frozenset({"main", "article"})
_TOLD: Final = "[hidden], [aria-hidden], [role], [style]"
_LEAST_MAIN: Final = 200


def read(path: Path, where: str, into: Path, encoding: str | None = None) -> Document:
    """Read a page.

    Args:
        path: the file.
        where: what to call it in errors.
        into: folder for the pictures that are in the page itself.
        encoding: that a person named.

    Raises:
        SourceError: too large, nested too deeply, or without anything to read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise SourceError(f"has more than {MAX_BYTES:,} bytes", where=where, remedy="split it")
    data = path.read_bytes()
    if data.count(b"<") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise SourceError(f"is nested more than {MAX_DEPTH:,} deep", where=where, remedy="save it as text")
    tree = LexborHTMLParser(_decode(data, where, encoding))
    found = Page(into, *_told_apart(tree))
    if tree.root is not None:
        found.walk(tree.root)
    text = found.gathered.text
    title = (tree.head and tree.head.css_first("title")) or tree.css_first("title")
    if not text and not found.pictures:
        raise SourceError("is a page without text or pictures", where=where, remedy="a page that a script fills? "
                          "print it to PDF")  # fmt: skip
    return Document(
        text,
        found.gathered.places,
        tuple(found.pictures),
        found.gathered.notes(),
        " ".join(title.text().split()) if title is not None else "",
    )


def _decode(data: bytes, where: str, encoding: str | None) -> str:
    declared = _CHARSET.search(data[:2048])
    name = declared.group(1).decode("ascii") if declared else None
    for candidate in (encoding, None if data[:2] in (b"\xff\xfe", b"\xfe\xff") else name):
        if candidate is not None:
            try:
                return data.replace(b"\x00", b"").decode(candidate)
            except (UnicodeDecodeError, LookupError):
                continue
    return decoded(data, where).text


def _depth(data: bytes) -> int:
    """An upper bound of how deep elements are nested; those that close themselves are not counted."""
    depth = deepest = 0
    for close, tag in _MARK.findall(data):
        if tag.lower() not in _CLOSES_ITSELF:
            depth = max(0, depth - 1) if close else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _told_apart(tree: LexborHTMLParser) -> tuple[frozenset[int], frozenset[int], set[int]]:
    """Elements that hold the main text, that are to be left out, and whose words are parted (see `_parted`)."""
    parting = _those(tree.css("*"), _PARTING)
    told = tree.css(_TOLD)
    mains = [*(node for node in parting if node.tag in _MAINS), *filter(_is_main, told)]
    asides = list(filter(_is_aside, told))
    return (
        frozenset(node.mem_id for node in mains if len(node.text_lexbor()) >= _LEAST_MAIN),
        frozenset(map(IDENTITY, asides)),
        _parted([*parting, *asides]),
    )


def _those(nodes: list[Any], tags: frozenset[str]) -> list[Any]:
    return list(compress(nodes, map(numbers(tags).__contains__, map(NUMBER, nodes))))


def _parted(parting: Iterable[Any]) -> set[int]:
    """Elements whose words do not simply follow one another: what is to be left out or told apart is among them."""
    found: set[int] = set()
    for above in {above.mem_id: above for node in parting if (above := node.parent) is not None}.values():
        node = above
        while node is not None and node.mem_id not in found:
            found.add(node.mem_id)
            node = node.parent
    return found


def _is_main(node: Any) -> bool:
    return bool(node.attributes.get("role") == "main")


def _is_aside(node: Any) -> bool:
    attributes = node.attributes
    return (
        attributes.get("role") in _ROLES
        or attributes.get("aria-hidden") == "true"
        or "hidden" in attributes
        or "display:none" in (attributes.get("style") or "").replace(" ", "").lower()
    )

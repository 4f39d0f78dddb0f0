"""OpenDocument text by lxml: paragraphs and cells in order, each with its path, and pictures with captions."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lxml import etree

from kgfuse.errors import SourceError
from kgfuse.sources.document import MAX_PICTURES, Document, Picture
from kgfuse.sources.elements import CAPTION, Gathered
from kgfuse.sources.embedded import save

MAX_UNPACKED: Final = 400_000_000
MAX_XML: Final = 100_000_000
_MOST_SPACES: Final = 100
_ROOT: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_PREFIXES: Final = {
    f"{_ROOT}office:1.0": "office",
    f"{_ROOT}text:1.0": "text",
    f"{_ROOT}table:1.0": "table",
    f"{_ROOT}drawing:1.0": "draw",
    f"{_ROOT}svg-compatible:1.0": "svg",
    "http://purl.org/dc/elements/1.1/": "dc",
}
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_COUNT: Final = f"{{{_ROOT}text:1.0}}c"
_LEFT_OUT: Final = frozenset({"text:tracked-changes", "office:annotation", "office:forms", "text:sequence-decls"})
_APART: Final = frozenset({"draw:text-box", "text:note-body"})
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError, RuntimeError,
    etree.LxmlError,
)  # fmt: skip


def read(path: Path, where: str, into: Path) -> Document:
    """Read a document.

    Args:
        path: the file.
        where: what to call it in errors.
        into: folder for the pictures.

    Raises:
        SourceError: damaged, a bomb, under a password, or without anything to read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > MAX_UNPACKED:
                raise SourceError(f"unpacks to {unpacked:,} bytes", where=where, remedy="split it")
            names = set(archive.namelist())
            manifest = "META-INF/manifest.xml"
            if manifest in names and b"encryption-data" in _bytes(archive, manifest):
                raise SourceError("is under a password", where=where, remedy="save it without the password")
            body = next((e for e in _parsed(archive, "content.xml").iter() if _name(e) == "office:text"), None)
            found = _Found(archive, into)
            if body is not None:
                found.blocks(body, "/office:document-content/office:body/office:text")
            title = _title(archive) if "meta.xml" in names else ""
    except _DAMAGED as e:
        raise SourceError(
            f"is a damaged ODT: {e}"[:300], where=where, remedy="open it in a word processor and save it again"
        ) from e
    text = found.gathered.text
    if not text and not found.pictures:
        raise SourceError("is a document without text or pictures", where=where, remedy="leave it out")
    notes = (*found.notes[:20], *found.gathered.notes())
    return Document(text, found.gathered.places, tuple(found.pictures), notes, title)


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member, which may say that it is smaller than it is: no more is unpacked than it says."""
    if archive.getinfo(name).file_size > MAX_XML:
        raise ValueError(f"{name} has more than {MAX_XML:,} bytes")
    return archive.read(name)


def _parsed(archive: zipfile.ZipFile, name: str) -> Any:
    """The root of a member; no entity is resolved, nothing is fetched, depth and size are libxml2's limits."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(_bytes(archive, name), parser)


def _title(archive: zipfile.ZipFile) -> str:
    try:
        found = next((e for e in _parsed(archive, "meta.xml").iter() if _name(e) == "dc:title"), None)
    except _DAMAGED:
        return ""
    return " ".join((found.text or "").split()) if found is not None else ""


def _name(element: Any) -> str:
    """Prefix and local name; empty for comments, entities and foreign elements."""
    if not isinstance(element.tag, str):
        return ""
    space, _, local = element.tag[1:].rpartition("}")
    prefix = _PREFIXES.get(space, "")
    return f"{prefix}:{local}" if prefix else ""


class _Found:
    """What is gathered on the way through a document."""

    def __init__(self, archive: zipfile.ZipFile, into: Path) -> None:
        self.gathered = Gathered()
        self.pictures: list[Picture] = []
        self.notes: list[str] = []
        self._archive, self._into = archive, into
        self._number = 0
        self._waiting: list[int] = []
        self._before = ""

    def blocks(self, holder: Any, path: str) -> None:
        """Take in paragraphs, lists, sections and tables; the parser bounds how deep they lie."""
        for element, place in _children(holder, path):
            name = _name(element)
            if name in ("text:p", "text:h"):
                self._paragraph(element, place)
            elif name == "draw:frame":
                self._waiting += self._framed(element, place)
            elif name not in _LEFT_OUT:
                self.blocks(element, place)

    def _paragraph(self, element: Any, path: str) -> None:
        apart: list[tuple[Any, str]] = []
        framed: list[tuple[Any, str]] = []
        text = "".join(_words(element, path, apart, framed))
        is_caption = CAPTION.match(text.strip()) is not None
        if self._waiting and text.strip():
            if is_caption:
                self._caption(text)
            self._waiting.clear()
        for frame, place in framed:
            self._waiting += self._framed(frame, place)
        if self._before and self._waiting:
            self._caption(self._before)
        elif is_caption and self._waiting:
            self._caption(text)
        self._before = text if is_caption and not self._waiting else ""
        self.gathered.add(text, path)
        for holder, place in apart:
            self.blocks(holder, place)

    def _caption(self, text: str) -> None:
        for n in self._waiting:
            self.pictures[n] = replace(self.pictures[n], caption=" ".join(text.split())[:1000])

    def _framed(self, frame: Any, path: str) -> Iterator[int]:
        """Save the pictures of a frame; the first that can be read stands for the others."""
        said = {_name(e): " ".join((e.text or "").split())[:1000] for e in frame}
        alternative = said.get("svg:desc") or said.get("svg:title") or ""
        for element in frame:
            if _name(element) == "draw:text-box":
                self.blocks(element, path)
            href = element.get(_HREF, "").removeprefix("./") if _name(element) == "draw:image" else ""
            if not href or len(self.pictures) >= MAX_PICTURES or href not in self._archive.namelist():
                continue
            self._number += 1
            try:
                data = _bytes(self._archive, href)
            except _DAMAGED:
                self.notes.append(f"picture {self._number} is damaged and was left out")
                continue
            picture = save(data, self._number, self._into, self.notes)
            if picture is not None:
                self.pictures.append(replace(picture, path=path, alternative=alternative))
                yield len(self.pictures) - 1
                return


def _children(holder: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Elements with their paths."""
    numbers: Counter[str] = Counter()
    for element in holder:
        name = _name(element)
        if name:
            numbers[name] += 1
            yield element, f"{path}/{name}[{numbers[name]}]"


def _words(element: Any, path: str, apart: list[tuple[Any, str]], framed: list[tuple[Any, str]]) -> Iterator[str]:
    """The words of a paragraph; frames and notes in it are put by."""
    yield element.text or ""
    places = {id(child): place for child, place in _children(element, path)}
    for child in element:
        name, place = _name(child), places.get(id(child), path)
        if name == "text:s":
            count = child.get(_COUNT, "1")
            yield " " * (min(int(count), _MOST_SPACES) if count.isdecimal() and len(count) < 9 else 1)
        elif name == "text:tab":
            yield " "
        elif name == "text:line-break":
            yield "\n"
        elif name == "draw:frame":
            framed.append((child, place))
        elif name in _APART:
            apart.append((child, place))
        elif name and name not in _LEFT_OUT and name != "text:note-citation":
            yield from _words(child, place, apart, framed)
        yield child.tail or ""

"""HTML by Lexbor: the main text with the path of each paragraph, and pictures with captions and alternative texts."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

from selectolax.lexbor import LexborHTMLParser

from kgfuse.errors import SourceError
from kgfuse.sources.decoding import decoded
from kgfuse.sources.document import MAX_PICTURES, Document, Picture
from kgfuse.sources.elements import Gathered

MAX_BYTES: Final = 30_000_000
MAX_DEPTH: Final = 5_000
_CHARSET: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9._-]{2,40})""", re.I)
_TAG: Final = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_LEFT_OUT: Final = frozenset(
    {
        "script", "style", "noscript", "template", "svg", "math", "nav", "aside", "form", "iframe", "object",
        "embed", "canvas", "video", "audio", "button", "select", "textarea", "dialog", "head", "map",
        "datalist",
    }
)  # fmt: skip
_FRAME: Final = frozenset({"header", "footer"})
_ROLES: Final = frozenset({"navigation", "banner", "contentinfo", "complementary", "search", "menu", "dialog"})
_BLOCKS: Final = frozenset(
    {
        "address", "article", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html",
        "legend", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead",
        "tr", "ul", "caption",
    }
)  # fmt: skip
_CLOSES_ITSELF: Final = frozenset(
    b"area base br col dd dt embed hr img input li link meta option p rp rt source tbody td tfoot th thead tr "
    b"track wbr".split()
)
_PARTING: Final = ", ".join(sorted(_LEFT_OUT | _BLOCKS | {"img", "br", "td", "th"}))
"""What parts the words of the element that holds it; where there is none, its words are one piece."""
_ASIDES: Final = "[hidden], [aria-hidden], [role], [style]"
_LEAST_MAIN: Final = 200
_LINKS: Final = 3
_LINKED: Final = 0.8
_DATA: Final = re.compile(r"data:image/(png|jpe?g|gif|webp)(;[^,]*)?,", re.I)
_MAX_ALTERNATIVE: Final = 2000


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
    mains = [node for node in tree.css("main, article, [role=main]") if len(node.text()) >= _LEAST_MAIN]
    asides = [node.mem_id for node in tree.css(_ASIDES) if _is_aside(node)]
    found = _Page(into, frozenset(node.mem_id for node in mains), frozenset(asides), _parted(tree))
    if tree.root is not None:
        found.walk(tree.root)
    text = found.gathered.text
    title = tree.css_first("title")
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
    for close, tag in _TAG.findall(data):
        if tag.lower() not in _CLOSES_ITSELF:
            depth = max(0, depth - 1) if close else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _parted(tree: LexborHTMLParser) -> set[int]:
    """Elements whose words do not simply follow one another: what is to be left out or told apart is among them."""
    found: set[int] = set()
    for node in [*tree.css(_PARTING), *tree.css(_ASIDES)]:
        above = node.parent
        while above is not None and above.mem_id not in found:
            found.add(above.mem_id)
            above = above.parent
    found.update(node.mem_id for node in tree.css("pre"))
    return found


@dataclass(slots=True)
class _Level:
    """An element that is open."""

    tag: str
    path: str
    inside: bool
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, tag: str) -> int:
        """Which of its children of this name the next one is, from 1."""
        self.counts[tag] = number = self.counts.get(tag, 0) + 1
        return number


@dataclass(slots=True)
class _Page:
    """What is gathered on the way through a page."""

    into: Path
    mains: frozenset[int]
    asides: frozenset[int]
    parted: set[int]
    gathered: Gathered = field(default_factory=Gathered)
    pictures: list[Picture] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    path: str = ""
    waiting: list[int] = field(default_factory=list)
    """Pictures of the figure that is open."""

    def walk(self, root: Any) -> None:
        """Go through all elements, without recursion."""
        open_nodes = [root]
        levels = [_Level(root.tag, f"/{root.tag}[1]", not self.mains)]
        node = root.child
        while open_nodes:
            if node is None:  # the last child of the innermost element is done
                done = levels.pop()
                if not levels or done is not levels[-1]:
                    self._leave(done)
                node = open_nodes.pop().next if len(open_nodes) > 1 else None
                if not levels:
                    return
                continue
            level = self._enter(node, levels[-1])
            if level is None:
                node = node.next
                continue
            if level is not levels[-1] and node.mem_id not in self.parted:
                if level.inside:
                    self._say(node.text(), level)
                self._leave(level)
                node = node.next
                continue
            levels.append(level)
            open_nodes.append(node)
            node = node.child

    def _enter(self, node: Any, above: _Level) -> _Level | None:
        tag = node.tag
        if tag == "-text":
            if above.inside:
                self._say(node.text_content or "", above)
            return None
        if tag[0] in "-!" or tag in _LEFT_OUT or node.mem_id in self.asides:
            return None
        if tag not in _BLOCKS:
            if tag == "img" and above.inside:
                self._picture(node, f"{above.path}/img[{above.count(tag)}]")
            elif tag == "br" and above.inside:
                self.line.append("\n")
            elif tag in ("td", "th"):
                if above.inside and self.line:
                    self.line.append(" | ")
                return _Level(tag, f"{above.path}/{tag}[{above.count(tag)}]", above.inside)
            return above
        path = f"{above.path}/{tag}[{above.count(tag)}]"
        inside = above.inside or node.mem_id in self.mains
        if tag in _FRAME and "/article[" not in above.path:
            return None
        if tag in ("ul", "ol") and inside and _is_links(node):
            return None
        self._end()
        if tag == "figure":
            self.waiting.clear()
        return _Level(tag, path, inside)

    def _leave(self, level: _Level) -> None:
        if level.tag == "figcaption":
            self._caption("".join(self.line))
        if level.tag in _BLOCKS:
            self._end(keep_lines=level.tag == "pre")
        if level.tag == "figure":
            self.waiting.clear()

    def _say(self, text: str, level: _Level) -> None:
        if not self.line:
            if not text.strip():
                return
            self.path = level.path
        self.line.append(text if level.tag == "pre" else text.replace("\n", " "))

    def _end(self, *, keep_lines: bool = False) -> None:
        if self.line:
            self.gathered.add("".join(self.line), self.path, keep_lines=keep_lines)
            self.line.clear()

    def _caption(self, text: str) -> None:
        for n in self.waiting:
            self.pictures[n] = replace(self.pictures[n], caption=" ".join(text.split())[:_MAX_ALTERNATIVE])

    def _picture(self, node: Any, path: str) -> None:
        attributes = node.attributes
        source = (attributes.get("src") or "").strip()
        if not source or len(self.pictures) >= MAX_PICTURES:
            return
        alternative = " ".join((attributes.get("alt") or "").split())[:_MAX_ALTERNATIVE]
        name = f"picture-{len(self.pictures) + 1}"
        embedded = _DATA.match(source)
        if embedded is not None:
            kind = "jpeg" if embedded.group(1).lower() in ("jpg", "jpeg") else embedded.group(1).lower()
            data = _data(source[embedded.end() :], is_base64="base64" in (embedded.group(2) or ""))
            if not data:
                return
            (self.into / f"{name}.{kind}").write_bytes(data)
            picture = Picture(f"{name}.{kind}", f"{name}.{kind}", f"image/{kind}")
        elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", source):
            return  # elsewhere on the web: nothing is fetched
        else:
            picture = Picture(name, "", "", beside=unquote(re.split(r"[?#]", source)[0]))
        self.waiting.append(len(self.pictures))
        title = " ".join((attributes.get("title") or "").split())[:_MAX_ALTERNATIVE]
        self.pictures.append(replace(picture, path=path, alternative=alternative, caption=title))


def _is_aside(node: Any) -> bool:
    attributes = node.attributes
    return (
        attributes.get("role") in _ROLES
        or attributes.get("aria-hidden") == "true"
        or "hidden" in attributes
        or "display:none" in (attributes.get("style") or "").replace(" ", "").lower()
    )


def _is_links(node: Any) -> bool:
    """Whether a list is one of links, as menus and lists of related pages are."""
    links = node.css("a")
    if len(links) < _LINKS:
        return False
    whole = len("".join(node.text().split()))
    return sum(len("".join(link.text().split())) for link in links) >= _LINKED * max(1, whole)


def _data(text: str, *, is_base64: bool) -> bytes:
    try:
        raw = unquote_to_bytes(text)
        return base64.b64decode(raw, validate=False) if is_base64 else raw
    except (binascii.Error, ValueError):
        return b""

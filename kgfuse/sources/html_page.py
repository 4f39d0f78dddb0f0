"""The way through a page: its paragraphs with the path of each, and its pictures with what is said of them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

from selectolax.lexbor import LexborHTMLParser

from kgfuse.sources.document import MAX_PICTURES, Picture
from kgfuse.sources.elements import Gathered

LEFT_OUT: Final = frozenset(
    {
        "script", "style", "noscript", "template", "svg", "math", "nav", "aside", "form", "iframe", "object",
        "embed", "canvas", "video", "audio", "button", "select", "textarea", "dialog", "head", "map",
        "datalist",
    }
)  # fmt: skip
_FRAME: Final = frozenset({"header", "footer"})
BLOCKS: Final = frozenset(
    {
        "address", "article", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html",
        "legend", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead",
        "tr", "ul", "caption",
    }
)  # fmt: skip
_PARAGRAPHS: Final = frozenset(
    {
        "address", "blockquote", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "legend", "li", "p",
        "section", "summary",
    }
)  # fmt: skip
"""Blocks that, where nothing parts their words, are a paragraph and no more."""
NUMBER: Final = attrgetter("tag_id")
IDENTITY: Final = attrgetter("mem_id")
_NAME: Final = attrgetter("tag")
_LINKS: Final = 3
_LINKED: Final = 0.8
_DATA: Final = re.compile(r"data:image/(png|jpe?g|gif|webp)(;[^,]*)?,", re.I)
_MAX_ALTERNATIVE: Final = 2000


@cache
def numbers(tags: frozenset[str]) -> frozenset[int]:
    """Lexbor's numbers of elements."""
    tree = LexborHTMLParser("")
    return frozenset(tree.create_node(tag).tag_id for tag in tags)


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
class Page:
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
            if level is not levels[-1] and self._at_once(node, level):
                self._leave(level)
                node = node.next
                continue
            levels.append(level)
            open_nodes.append(node)
            node = node.child

    def _at_once(self, node: Any, level: _Level) -> bool:
        """Take in an element that is a paragraph, or holds nothing but paragraphs; whether it is so."""
        if level.tag == "pre":
            return False
        if node.mem_id not in self.parted:
            if level.inside:
                self._say(node.text_lexbor(), level)
            return True
        if not level.inside or level.tag not in BLOCKS:
            return False
        inner = list(node.iter())
        identities = list(map(IDENTITY, inner))
        if not (
            numbers(_PARAGRAPHS).issuperset(map(NUMBER, inner))
            and self.parted.isdisjoint(identities)
            and self.asides.isdisjoint(identities)
        ):
            return False
        if node.text(deep=False).strip():
            return False
        names = list(map(_NAME, inner))
        counts = {name: count(1) for name in set(names)}
        paths = [f"{level.path}/{name}[{next(counts[name])}]" for name in names]
        self.gathered.extend([one.text_lexbor() for one in inner], paths)
        return True

    def _enter(self, node: Any, above: _Level) -> _Level | None:
        tag = node.tag
        if tag == "-text":
            if above.inside:
                self._say(node.text_content or "", above)
            return None
        if tag is None or tag[0] in "-!" or tag in LEFT_OUT or node.mem_id in self.asides:
            return None
        if tag not in BLOCKS:
            if tag == "img" and above.inside:
                self._picture(node, f"{above.path}/img[{above.count(tag)}]")
            elif tag == "br" and above.inside:
                self.path = self.path if self.line else above.path
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
        if level.tag in BLOCKS:
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

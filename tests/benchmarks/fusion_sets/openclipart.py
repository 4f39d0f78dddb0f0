"""Open Clip Art: which of 13 folders does a drawing belong to, by its title, its look, and keywords shared with others?

No creator's drawings are on both sides, so that neither a hand nor a series gives the folder away; keywords that are
made of the names of folders, at any depth, are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from lxml import etree
from PIL import Image

from kgfuse.encode.svg import render_svg
from kgfuse.errors import SourceError
from kgfuse.fuse.data import FloatArray, FusionData, Split, Target, plain_classes
from tests.benchmarks.fusion_sets.case import Case, CaseSet, Features, MissingDataError, graph_of, nodes_of

LEAST: Final = 60
"""Drawings in the smallest folder."""
_LEFT_OUT: Final = frozenset({"special", "unsorted"})
_DC: Final = "{http://purl.org/dc/elements/1.1/}"
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_WORK: Final = "{http://web.resource.org/cc/}Work"
_NO_WORD: Final = "hash"
"""A third of the files have it in place of a keyword, by a fault of the program that wrote them."""
_SHARES: Final = (0.2, 0.1)
_UNKNOWN: Final = frozenset({"", "anonymous", "unknown", "none", "n/a", "public domain"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing with what its file says of it.

    Args:
        path: of the file.
        folder: that it lies in, below the tree's root.
        sha256: of its content.
        title: as it is written.
        creator: in lower case; empty where none is named.
        keywords: in lower case, without those that name a folder.
    """

    path: Path
    folder: str
    sha256: str
    title: str
    creator: str
    keywords: tuple[str, ...]


def case_sets(data: Path | None, features: Features, seeds: int, salt: int) -> Iterator[CaseSet]:
    """The one set; the creators of each part are drawn by seed and salt.

    Raises:
        MissingDataError: the tree is not there.
    """
    root = (data or Path()) / "openclipart"
    if data is None or not root.is_dir():
        raise MissingDataError("--data has no openclipart/ (the svg tree of Debian's openclipart-svg)")
    drawings = read(root)
    if not drawings:
        raise MissingDataError("openclipart/ holds no folder with enough drawings")
    names = sorted({d.folder for d in drawings})
    labels = np.array([names.index(d.folder) for d in drawings], np.int64)
    items = [d.sha256 for d in drawings]
    by_name = {d.sha256: d.path for d in drawings}
    text = features.texts([d.title for d in drawings])
    image = features.pictures(items, lambda name: _drawn(by_name[name]))
    triples = [(d.sha256, "keyword", f"keyword:{word}") for d in drawings for word in d.keywords]
    triples += [(d.sha256, "creator", f"creator:{_creator(d)}") for d in drawings if d.creator]

    def node_features(nodes: Sequence[str]) -> FloatArray:
        return features.texts([n.partition(":")[2] if n.startswith("keyword:") else "" for n in nodes])

    graph = graph_of(triples, node_features)
    classes = plain_classes(names, text.shape[1], image.shape[1])
    described = features.texts([name.replace("_", " ") for name in names])
    classes = replace(classes, text=described, text_mask=np.ones(len(names), np.bool_))
    titled = np.array([bool(d.title) for d in drawings])
    seen = np.ones(len(items), np.bool_)
    target = Target("folder", classes, labels)
    nodes = nodes_of(graph, items)
    fused = FusionData(tuple(items), nodes, text, titled, image, seen, graph, (target,))
    cases = [Case(fused, by_creator(drawings, f"{salt} {seed}"), seed) for seed in range(seeds)]
    about = f"{len(items)} drawings, {len(names)} folders, no creator on both sides"
    yield CaseSet("openclipart", about, cases)


def read(root: Path) -> list[Drawing]:
    """The distinct drawings of the folders that have enough of them, in the order of their hashes."""
    found: dict[str, Drawing] = {}
    for path in sorted(p for p in root.rglob("*.svg") if p.is_file() and not p.is_symlink()):
        parts = path.relative_to(root).parts
        if len(parts) < 2 or parts[0] in _LEFT_OUT or parts[:2] == ("shapes", "stars"):
            continue
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in found:
            title, creator, keywords = _told(content)
            found[sha256] = Drawing(path, parts[0], sha256, title, creator, keywords)
    count = Counter(d.folder for d in found.values())
    names = {name for name, n in count.items() if n >= LEAST}
    folders = {part for d in found.values() for part in d.path.relative_to(root).parts[:-1]}
    masked = {word for name in (*folders, *_LEFT_OUT, _NO_WORD) for word in _plain(name)}
    return [
        replace(d, keywords=tuple(w for w in d.keywords if not _plain(w) <= masked))
        for _, d in sorted(found.items())
        if d.folder in names
    ]


def by_creator(drawings: Sequence[Drawing], salt: str) -> Split:
    """Creators in an order drawn by the salt: first come those of the test items, then validation, then training."""
    own: dict[str, list[int]] = {}
    for n, drawing in enumerate(drawings):
        own.setdefault(_creator(drawing), []).append(n)
    order = sorted(own, key=lambda name: hashlib.sha256(f"{salt}|{name}".encode()).hexdigest())
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for name in order:
        # A creator of a large share stays in training: alone on the other side, it would be all that is judged.
        fits = [
            len(part) + len(own[name]) <= share * len(drawings) for part, share in zip(parts, _SHARES, strict=False)
        ]
        parts[fits.index(True) if True in fits else 2].extend(own[name])
    test, validation, train = (np.array(sorted(part), np.int64) for part in parts)
    return Split(train, validation, test)


def _creator(drawing: Drawing) -> str:
    return drawing.creator or f"of {drawing.sha256}"


def _told(content: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Title, creator and keywords that a file states; empty where it is not well-formed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(content, parser)
    work = None if root is None else root.find(f".//{_WORK}")
    if work is None:
        return "", "", ()
    creator = _words(work.findtext(f"{_DC}creator//{_DC}title") or work.findtext(f"{_DC}creator")).lower()
    words = [_words(li.text).lower() for li in work.iterfind(f"{_DC}subject//{_RDF}li")]
    keywords = tuple(sorted({w for w in words if w}))
    return _words(work.findtext(f"{_DC}title")), "" if creator in _UNKNOWN else creator, keywords


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _plain(text: str) -> frozenset[str]:
    """The words of a name, without their plural, so that ``animal`` and ``animals`` are one."""
    return frozenset(re.sub(r"(?<=[a-z]{2})s$", "", word) for word in re.findall(r"[a-z]+", text.lower()))


def _drawn(path: Path) -> Image.Image:
    """The drawing; a blank one where it cannot be drawn."""
    try:
        return render_svg(path)
    except SourceError:
        return Image.new("RGB", (8, 8), "white")

"""PDF by PDFium: text that flows, where each character stands, and embedded pictures with their captions."""

from __future__ import annotations

import ctypes
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any, Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from kgfuse.errors import SourceError
from kgfuse.sources.decoding import MAX_TEXT_CHARACTERS
from kgfuse.sources.document import MAX_PICTURES, MIN_SIDE, Document, Picture
from kgfuse.sources.elements import BETWEEN, CAPTION
from kgfuse.sources.normal import Changed, joined, normalise, replaced
from kgfuse.sources.places import PagePlaces

MAX_PAGES: Final = 5000
MAX_PIXELS: Final = 50_000_000
MAX_SIDE_POINTS: Final = 20_000
_BREAK: Final = re.compile(
    r"[\ufffe\x02]\s*|[ \t]*\r?\n[\s\ufffe\x02]*|\r|[\x00-\x08\x0b-\x1f\x7f\u200b\u2060\ufeff\ue000-\uf8ff]"
)
_LINE_END: Final = re.compile(r"\r\n\s*")
_NOT_PLAIN: Final = ("\r\n\r\n", " \r\n", "\r\n ")
_MAY_HOLD: Final = frozenset({raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM})
_FULL: Final = 0.6
_NEAR: Final = 90.0


@dataclass(frozen=True, slots=True)
class Box:
    """A box on a page as it is shown: points from its upper left corner."""

    page: int
    x: float
    y: float
    w: float
    h: float


def read(path: Path, where: str, into: Path) -> Document:
    """Read a PDF.

    Args:
        path: the file.
        where: what to call it in errors.
        into: folder for the pictures.

    Raises:
        SourceError: damaged, locked, or without anything to read.
    """
    with _opened(path, where) as pdf:
        pages: list[str] = []
        starts: list[int] = []
        pictures: list[Picture] = []
        notes: list[str] = []
        seen: set[str] = set()
        length, count = 0, len(pdf)
        for number in range(1, min(count, MAX_PAGES) + 1):
            try:
                page = pdf[number - 1]
            except pdfium.PdfiumError:
                notes.append(f"page {number} is damaged and was left out")
                starts.append(length)
                continue
            with closing(page), closing(page.get_textpage()) as words:
                text = _words(words.get_text_range())
                if length + len(text) > MAX_TEXT_CHARACTERS:
                    notes.append(f"only the first {number - 1} of {count} pages were read: the text is too long")
                    break
                starts.append(length)
                pages.append(text)
                length += len(text)
                pictures += _pictures(page, words, number, into, seen, MAX_PICTURES - len(pictures), notes)
        if count > MAX_PAGES:
            notes.append(f"only the first {MAX_PAGES} of {count} pages were read")
        title = str(pdf.get_metadata_value("Title") or "").replace("\x00", "").strip()
    text = "".join(pages)
    if not text.strip() and not pictures:
        raise SourceError("is a PDF without text or pictures", where=where, remedy="add its pages as pictures")
    if not text.strip():
        notes.append("has pictures but no text: a scan, perhaps")
    return Document(text, PagePlaces(tuple(starts)), tuple(pictures), tuple(notes[:20]), title)


def boxes(path: Path, where: str, spans: Sequence[tuple[int, int, int]]) -> list[list[Box]]:
    """Where spans stand on their pages: a box for each line that they touch.

    Args:
        path: the file.
        where: what to call it in errors.
        spans: page from 1, start, end, counted in the page's part of the stored text.

    Raises:
        SourceError: it cannot be read.
    """
    found: list[list[Box]] = [[] for _ in spans]
    with _opened(path, where) as pdf:
        order = sorted(range(len(spans)), key=lambda n: spans[n])
        at = 0
        while at < len(order):
            number = spans[order[at]][0]
            with closing(pdf[number - 1]) as page, closing(page.get_textpage()) as words:
                before = words.get_text_range()
                flow = _flow(before)
                while at < len(order) and spans[order[at]][0] == number:
                    _, start, end = spans[order[at]]
                    found[order[at]] = _boxes(page, words, number, before, flow.original(start, end))
                    at += 1
    return found


def render(path: Path, where: str, number: int, side: int, into: Path) -> tuple[str, float, float]:
    """Draw a page; returns the name of the picture in ``into``, and the page's width and height in points.

    Raises:
        SourceError: it cannot be drawn.
    """
    with _opened(path, where) as pdf:
        if not 1 <= number <= len(pdf):
            raise SourceError(f"has no page {number}", where=where)
        with closing(pdf[number - 1]) as page:
            width, height = page.get_size()
            if not 1 <= max(width, height) <= MAX_SIDE_POINTS:
                raise SourceError(f"page {number} is {width:.0f} × {height:.0f} points", where=where)
            picture = page.render(scale=side / max(width, height), may_draw_forms=False).to_pil()
            picture.convert("RGB").save(into / f"page-{number}.png")
    return f"page-{number}.png", width, height


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as e:
        locked = getattr(e, "err_code", None) == raw.FPDF_ERR_PASSWORD
        what = "is protected by a password" if locked else "is no PDF that can be read: damaged or cut short"
        remedy = "save it without the password" if locked else "fetch or export it again"
        raise SourceError(what, where=where, remedy=remedy) from e
    try:
        yield pdf
    except pdfium.PdfiumError as e:
        raise SourceError(f"is a damaged PDF: {e}", where=where, remedy="fetch or export it again") from e
    finally:
        pdf.close()


def _words(text: str) -> str:
    """The text of `_flow` alone: where signs are as on most pages, from line to line, with no way back."""
    lines = text.split("\r\n")
    if not "".join(lines).isprintable() or any(mark in text for mark in _NOT_PLAIN):
        return _flow(text).text
    full = _full(lines)
    pieces: list[str] = []
    for line, following in pairwise(lines):
        runs_on = len(line) >= full and following and CAPTION.match(following) is None
        pieces += (line, " " if runs_on else BETWEEN)
    return normalise("".join((*pieces, lines[-1]))).text.rstrip() + BETWEEN


def _flow(text: str) -> Changed:
    """A page's lines as paragraphs: full lines run on, short ones end; words that were divided are whole again."""
    made = replaced(text, _edits(text, _full(re.split(r"\r?\n", text))))
    stored = normalise(made.text)
    end = len(stored.text.rstrip())
    return Changed(stored.text[:end] + BETWEEN, joined(made, stored).changes)


def _full(lines: Sequence[str]) -> float:
    """How many characters a line has that runs on."""
    lengths = sorted(len(line) for line in lines if line and not line.isspace())
    return _FULL * lengths[-(-9 * (len(lengths) - 1) // 10)] if lengths else 0.0


def _edits(text: str, full: float) -> Iterable[tuple[int, int, str]]:
    begin = 0
    is_plain = text.replace("\r\n", "").isprintable() and " \r\n" not in text
    for found in (_LINE_END if is_plain else _BREAK).finditer(text):
        start, end = found.span()
        what = found.group()
        if "\n" not in what or what[0] in "\ufffe\x02":
            yield start, end, ""
            begin = end if "\n" in what else begin
            continue
        runs_on = (
            start - begin >= full and what.count("\n") == 1 and end < len(text) and CAPTION.match(text, end) is None
        )
        yield start, end, " " if runs_on else BETWEEN
        begin = end


def _boxes(page: Any, words: Any, number: int, text: str, span: tuple[int, int]) -> list[Box]:
    first = _index(words, text, span[0])
    last = _index(words, text, max(span[0], span[1] - 1))
    if first < 0 or last < first:
        return []
    found: list[Box] = []
    for n in range(words.count_rects(first, last - first + 1)):
        box = _shown(page, number, *words.get_rect(n))
        if found and _one_line(found[-1], box):
            box = _around(found.pop(), box)
        found.append(box)
    return found


def _one_line(a: Box, b: Box) -> bool:
    return min(a.y + a.h, b.y + b.h) - max(a.y, b.y) > 0.5 * min(a.h, b.h)


def _around(a: Box, b: Box) -> Box:
    x, y = min(a.x, b.x), min(a.y, b.y)
    right, bottom = max(a.x + a.w, b.x + b.w), max(a.y + a.h, b.y + b.h)
    return Box(a.page, x, y, round(right - x, 1), round(bottom - y, 1))


def _index(words: Any, text: str, at: int) -> int:
    """PDFium's number of a character; it counts UTF-16 units, and characters that give no text."""
    units = at if text.isascii() else len(text[:at].encode("utf-16-le", "surrogatepass")) // 2
    return int(raw.FPDFText_GetCharIndexFromTextIndex(words.raw, units))


def _shown(page: Any, number: int, left: float, bottom: float, right: float, top: float) -> Box:
    """A box of the page's own coordinates, which may be turned or shifted, as the page is shown."""
    width, height = page.get_size()
    fine = 100
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for across, up in ((left, top), (right, bottom)):
        raw.FPDF_PageToDevice(page.raw, 0, 0, round(width * fine), round(height * fine), 0, across, up, x, y)
        corners.append((x.value / fine, y.value / fine))
    (x0, y0), (x1, y1) = corners
    x0, x1 = sorted((min(max(x0, 0.0), width), min(max(x1, 0.0), width)))
    y0, y1 = sorted((min(max(y0, 0.0), height), min(max(y1, 0.0), height)))
    return Box(number, round(x0, 1), round(y0, 1), round(x1 - x0, 1), round(y1 - y0, 1))


def _pictures(
    page: Any, words: Any, number: int, into: Path, seen: set[str], room: int, notes: list[str]
) -> Iterator[Picture]:
    """Save the page's pictures; one that was on a page before is passed over."""
    count = 0
    if not _may_have_pictures(page):
        return
    for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        width, height = thing.get_px_size()
        if min(width, height) < MIN_SIDE:
            continue
        if count >= room:
            notes.append(f"only the first {MAX_PICTURES} pictures were kept")
            return
        if width * height > MAX_PIXELS:
            notes.append(f"page {number}: a picture of {width} × {height} pixels was left out")
            continue
        try:
            picture = thing.get_bitmap(render=False).to_pil().convert("RGB")
        except (pdfium.PdfiumError, ValueError, OSError, RuntimeError):
            notes.append(f"page {number}: a damaged picture was left out")
            continue
        sha = hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).hexdigest()
        if sha in seen:
            continue
        seen.add(sha)
        count += 1
        name = f"page-{number}-picture-{count}.png"
        picture.save(into / name)
        yield Picture(name, name, "image/png", page=number, caption=_caption(words, thing.get_bounds()))


def _may_have_pictures(page: Any) -> bool:
    """Whether a page has a picture, or a form that may hold one; most have none, and thousands of other objects."""
    count = raw.FPDFPage_CountObjects(page.raw)
    things = map(raw.FPDFPage_GetObject, repeat(page.raw, count), range(count))
    return not _MAY_HOLD.isdisjoint(map(raw.FPDFPageObj_GetType, things))


def _caption(words: Any, bounds: tuple[float, float, float, float]) -> str:
    """The lines under the picture, else over it, that begin like a caption."""
    left, bottom, right, top = bounds
    for low, high in ((bottom - _NEAR, bottom + 5), (top - 5, top + _NEAR)):
        near = words.get_text_bounded(left - 40, low, right + 40, high)
        for paragraph in _words(near).split(BETWEEN):
            if CAPTION.match(paragraph.strip()):
                return paragraph.strip()[:1000]
    return ""

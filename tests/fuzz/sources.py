"""Coverage-guided fuzzing of the parsers that are kgfuse's own: whatever comes in, a result or a SourceError comes out.

    pip install '.[test,fuzz]'
    python -m tests.fuzz.sources markdown -max_total_time=60     # any option of libFuzzer

Targets: see TARGETS. What is found on the way is kept below the system's temporary folder (or --corpus DIR), so that a
later run goes on from there; a failing input is written to ``crash-…`` in the present folder. What was found this way
stands in ``tests/sources/`` as ordinary tests.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kgfuse.sources"]):
    from kgfuse.errors import SourceError
    from kgfuse.sources import html, tables
    from kgfuse.sources.archives import ARCHIVES, ZIP, Budget, unpack
    from kgfuse.sources.exif import read_exif
    from kgfuse.sources.identify import TABLE_NAMES, identify
    from kgfuse.sources.mapping import TableForm, filled, load
    from kgfuse.sources.markdown import plain
    from kgfuse.sources.normal import Changed, normalise
    from kgfuse.sources.texts import MARKDOWN, stored

from PIL import Image

from tests.sources import made

_FOLDER = Path(tempfile.mkdtemp(prefix="kgfuse-fuzz-"))
_SUFFIXES = ("", ".txt", ".md", ".html", ".svg", ".ttl", *sorted(TABLE_NAMES))


def _file(data: bytes, suffix: str = "") -> Path:
    path = _FOLDER / f"input{suffix}"
    path.write_bytes(data)
    return path


def _leads_back(made: Changed, old: str) -> None:
    """Spans of the new text come from spans of the old one: inside it, in order; unchanged characters are the same."""
    changed = {at for start, length, _, _ in made.changes for at in range(start, start + length)}
    before = 0
    for at, letter in enumerate(made.text):
        start, end = made.original(at, at + 1)
        assert 0 <= start <= end <= len(old), (at, start, end)
        assert start >= before, (at, start, before)
        before = start
        if at not in changed and letter.isascii() and old[start].isascii():
            assert old[start] == letter, (at, start)


def normal(data: bytes) -> None:
    """The stored form of a text."""
    text = data.decode("utf-16-le", "ignore")
    found = normalise(text)
    assert unicodedata.is_normalized("NFC", found.text)
    assert "\r" not in found.text
    assert normalise(found.text) == Changed(found.text)
    _leads_back(found, text)


def markdown(data: bytes) -> None:
    """The words of Markdown."""
    text = normalise(data.decode("utf-8", "ignore").replace("\0", "")).text  # no text with NUL gets so far
    _leads_back(plain(text), text)


def text(data: bytes) -> None:
    """Plain and Markdown files in any encoding."""
    with suppress(SourceError):
        stored(data[1:], MARKDOWN if data[:1] < b"\x80" else "text/plain", "input")


def kind(data: bytes) -> None:
    """What a file is."""
    with suppress(SourceError):
        identify(_file(data[1:], _SUFFIXES[data[0] % len(_SUFFIXES)] if data else ""))


def mapping(data: bytes) -> None:
    """The mapping of a table."""
    with suppress(SourceError):
        found = load(_file(data, ".toml"))
        filled(found.item.id, dict.fromkeys(found.item.columns(), "x"))


def exif(data: bytes) -> None:
    """EXIF in a JPEG: notes, never an error."""
    segment = b"Exif\0\0" + data[:60_000]
    head = b"\xff\xd8\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    found = read_exif(head + _JPEG)
    assert found.place is None or all(abs(float(degrees)) <= 180 for degrees in found.place)


def archive(data: bytes) -> None:
    """Archives: nothing is written outside the folder."""
    media_type = sorted(ARCHIVES)[data[0] % len(ARCHIVES)] if data else ZIP
    with tempfile.TemporaryDirectory(dir=_FOLDER) as name:
        outer = Path(name)
        (outer / "in").mkdir()
        packed = _file(data[1:])
        with suppress(SourceError):
            list(unpack(packed, media_type, outer / "in", Budget(len(data), files=100)))
        assert [p.name for p in outer.iterdir()] == ["in"]


def page(data: bytes) -> None:
    """HTML: the same words whether an element's are read at once or piece by piece."""
    file = _file(data, ".html")
    with suppress(SourceError):
        at_once = html.read(file, "input", _FOLDER)
        quick, html.Page._at_once = html.Page._at_once, lambda self, node, level: False
        try:
            assert html.read(file, "input", _FOLDER) == at_once
        finally:
            html.Page._at_once = quick


def table(data: bytes) -> None:
    """CSV and JSON Lines: the same rows whether they are read at once or one by one."""
    media_type = tables.CSV if data[:1] < b"\x80" else tables.JSON_LINES
    file = _file(data[1:])
    with suppress(SourceError):
        places = tables.read(file, media_type, TableForm(), "input", None, _FOLDER / "once")
        quick, tables.ends = tables.ends, lambda text, count, width: None
        try:
            assert tables.read(file, media_type, TableForm(), "input", None, _FOLDER / "one-by-one") == places
        finally:
            tables.ends = quick
        assert (_FOLDER / "once").read_bytes() == (_FOLDER / "one-by-one").read_bytes()


def _jpeg() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (8, 8)).save(held, "JPEG")
    return held.getvalue()[2:]


def _exif() -> bytes:
    photo = Image.Exif()
    photo[0x010F] = "Maker"
    photo.get_ifd(0x8769)[0x9003] = "2024:10:03 12:00:00"
    photo.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.5), 3: "E", 4: (13.0, 22.0, 0.0)})
    return photo.tobytes()[6:]


_JPEG = _jpeg()
_ZIP = made.zipped(_FOLDER / "seed.zip", {"a/b.txt": b"owl", "../c.txt": b"cat"}).read_bytes()
TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "normal": (normal, ("a\r\nb\re\u0301\u200b각".encode("utf-16-le"),)),
    "markdown": (markdown, (b"---\nt: 1\n---\n# A *b* `c`\n\n- [d](e) ![f](g)\n\n|a|b|\n|-|-|\n|1|2|\n<b>&amp;</b>",)),
    "text": (text, (b"\x00\xff\xfeA\x00", b"\xffna\xefve caf\xe9")),
    "kind": (kind, (b"\x01%PDF-", b"\x00" + _ZIP, b"\x03<!doctype html><p>")),
    "mapping": (mapping, (b'[item]\nid = "{sku}"\n[columns.a]\nproperty = "b"\nunit = "c"\n',)),
    "exif": (exif, (_exif(),)),
    "archive": (archive, tuple(bytes([n]) + _ZIP for n in range(len(ARCHIVES)))),
    "page": (page, (b"<main><p>a <b>b</b><br>c</p><ul><li>d</ul><table><tr><td>e<td>f</table><pre> g\n</pre></main>",)),
    "table": (table, (b'\x00a,b\r\n1,2\r\n"x\ty", z\n,\n', b'\xff{"a": 1, "b": null}\n{"a": [1.0, true]}')),
}


def main() -> None:
    """Fuzz one target until libFuzzer's options say stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir()) / "kgfuse-fuzz")
    options, rest = parser.parse_known_args()
    work, seeds = TARGETS[options.target]
    corpus = options.corpus / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate(seeds):
        (corpus / f"seed-{n}").write_bytes(seed)
    atheris.Setup([sys.argv[0], str(corpus), *rest], work)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

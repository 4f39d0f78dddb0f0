"""Manifests as they are added: items, with the texts, documents and pictures that belong to each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kgfuse.catalog import ItemRow, SourceRow
from kgfuse.errors import KgfuseError, ManifestError, SourceError
from kgfuse.sources.decoding import check
from kgfuse.sources.identify import identify
from kgfuse.sources.normal import normalise
from kgfuse.terms.namespaces import item_iri
from kgfuse.workspace import manifest
from kgfuse.workspace.landing import Landing, check_name
from kgfuse.workspace.links import Names, item_row
from kgfuse.workspace.mounts import absolute

_BATCH = 256


def add_manifest(landing: Landing, path: Path, base: Path) -> set[Path]:
    """Add a manifest with all it names; return the files that belong to it."""
    name = landing.name(path, base)
    entries: list[manifest.Entry] = []
    landing.catalog.clear_problem(name, "add")
    landing.forget(path, name)
    try:
        check_name(path)
        data = path.read_bytes()
        for entry in manifest.read(path):
            if isinstance(entry, ManifestError):
                landing.problem(name, entry)
            else:
                entries.append(entry)
        if not entries:
            raise ManifestError("holds no usable line", where=path, remedy="one JSON object a line with an id")
    except SourceError as e:
        landing.problem(name, e)
        return set()
    except OSError as e:
        landing.problem(name, SourceError(f"cannot be read: {e.strerror}", where=path))
        return set()
    row = SourceRow(
        name=name,
        location=landing.shown(path),
        kind="manifest",
        media_type="application/jsonl" if path.suffix.lower() == ".jsonl" else "text/csv",
        sha256=landing.blobs.put(data),
        size=len(data),
    )
    return add_entries(landing, entries, row, path, base)


def add_entries(
    landing: Landing, entries: list[manifest.Entry], declared: SourceRow, path: Path, base: Path
) -> set[Path]:
    """Add the items that a source declares, with their files; return those.

    Args:
        landing: where to.
        entries: an item each.
        declared: the source that declares them.
        path: of its file.
        base: folder that names begin below.
    """
    name = declared.name
    names = Names(landing.vocabulary, {e.id: item_iri(e.id) for e in entries})
    rows = [declared]
    notes: list[tuple[str, SourceError]] = []
    items: list[ItemRow] = []
    claimed: set[Path] = set()
    keep: dict[str, str] = {}
    kept_items: set[str] = set()
    for entry in entries:
        claimed |= {absolute(path.parent / reference) for reference in entry.files()}
        try:
            item = item_row(entry, name, names, path)
        except KgfuseError as e:
            landing.problem(name, e)
            continue
        items.append(item)
        kept_items.add(item.iri)
        for row in _sources_of(landing, entry, item.iri, path, name, base, keep, notes):
            rows.append(row)
            if row.parent == name:
                keep[row.name] = item.iri
        if len(rows) >= _BATCH:
            landing.store(rows, items, notes)
            rows, items, notes = [], [], []
    landing.store(rows, items, notes)
    landing.let_go(name, keep)
    for old_item in landing.catalog.items(manifest=name):
        if old_item.iri not in kept_items:
            landing.catalog.remove_item(old_item.iri)
    return claimed


def _sources_of(
    landing: Landing,
    entry: manifest.Entry,
    item: str,
    path: Path,
    parent: str,
    base: Path,
    taken: Mapping[str, str],
    notes: list[tuple[str, SourceError]],
) -> Iterator[SourceRow]:
    if entry.text:
        try:
            yield _text_row(landing, entry, item, path, parent)
        except SourceError as e:
            landing.problem(f"{parent}:{entry.line}", e)
    for n, reference in enumerate(entry.files(), 1):
        file = path.parent / reference
        outside = f"{n}/{file.name}" if Path(reference).is_absolute() else reference
        name = landing.name(file, base, fallback=f"{parent}#{entry.id}/{outside}")
        if taken.get(name, item) != item:
            name = f"{name}@{entry.id}"  # a file that two items share is a source of each
        try:
            check_name(file)
            identified = identify(file)
            if identified.kind == "archive":
                raise SourceError("is an archive", where=file, remedy="name the files in it")
            arrived = landing.arrive(name, file, identified, item, parent)
        except SourceError as e:
            where = f"{path}:{entry.line}"
            problem = SourceError(e.message, where=where, remedy="mend the path or the file")
            landing.problem(f"{parent}:{entry.line}", problem)
            continue
        notes += ((name, SourceError(note, where=file)) for note in arrived.notes)
        yield from arrived.rows


def _text_row(landing: Landing, entry: manifest.Entry, item: str, path: Path, parent: str) -> SourceRow:
    """The text that a manifest's line holds.

    Raises:
        SourceError: it cannot be stored.
    """
    where = f"{path}:{entry.line}"
    text = entry.text or ""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as e:
        remedy = "leave half of a surrogate pair out"
        raise SourceError(f"text is not valid Unicode at character {e.start}", where=where, remedy=remedy) from e
    check(text, where)
    meta: dict[str, Any] = {}
    return SourceRow(
        name=f"{parent}#{entry.id}",
        location=landing.shown(path),
        kind="text",
        media_type="text/plain",
        sha256=landing.blobs.put(data),
        text_sha256=landing.arrivals.keep_text(normalise(text), meta),
        item=item,
        size=len(data),
        parent=parent,
        meta=meta,
    )

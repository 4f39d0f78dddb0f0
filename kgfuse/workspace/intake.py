"""``add``: files and manifests become sources and items of the catalog; nothing is extracted yet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kgfuse.catalog import Blobs, Catalog, ItemRow, SourceRow
from kgfuse.errors import KgfuseError, ManifestError, SourceError
from kgfuse.ontology import Vocabulary
from kgfuse.terms.namespaces import item_iri
from kgfuse.workspace import files, manifest
from kgfuse.workspace.links import Names, item_row

OnFile = Callable[[str], None]
_BATCH = 256


@dataclass(slots=True)
class AddReport:
    """What an ``add`` did: counts, and a line per problem."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    items: int = 0
    removed: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Intake:
    """Where what is added goes, and how its names are understood."""

    catalog: Catalog
    blobs: Blobs
    vocabulary: Vocabulary
    encoding: str | None = None
    on_file: OnFile | None = None

    def add(self, paths: Sequence[str | Path]) -> AddReport:
        """Add files, folders and manifests.

        One bad file never stops the batch: it is recorded as a problem.

        Raises:
            SourceError: a path that is given does not exist.
        """
        report = AddReport()
        given = [Path(p) for p in paths]
        for path in given:
            if not path.exists():
                raise SourceError("no such file or folder", where=path, remedy="check the path")
        loose: list[tuple[str, Path]] = []
        for path in given:
            if path.is_dir():
                base = path.resolve().parent
                found = list(files.walk(path))
                manifests = [f for f in found if manifest.is_manifest(f)]
                claimed: set[Path] = {m.resolve() for m in manifests}
                for m in manifests:
                    claimed |= self._add_manifest(m, base, report)
                loose += [(_name(f, base), f) for f in found if f.resolve() not in claimed]
            elif manifest.is_manifest(path):
                self._add_manifest(path, path.resolve().parent.parent, report)
            else:
                loose.append((path.name, path))
        self._add_loose(loose, report)
        return report

    def _add_loose(self, loose: Iterable[tuple[str, Path]], report: AddReport) -> None:
        rows: list[SourceRow] = []
        items: dict[str, ItemRow] = {}
        for name, path in loose:
            try:
                identified = files.identify(path)
            except SourceError as e:
                self._problem(name, e, report)
                continue
            item = None
            if identified.kind != "rdf":
                identifier = str(PurePosixPath(name).with_suffix(""))
                item = item_iri(identifier)
                items[item] = ItemRow(
                    iri=item, identifier=identifier, label=PurePosixPath(identifier).name
                )
            row = self._row(name, path, identified, item, None, report)
            if row is not None:
                rows.append(row)
            if len(rows) >= _BATCH:
                self._store(rows, items.values(), report)
                rows, items = [], {}
        self._store(rows, items.values(), report)

    def _add_manifest(self, path: Path, base: Path, report: AddReport) -> set[Path]:
        """Add a manifest with all it names; return the files that belong to it."""
        name = _name(path, base)
        data = path.read_bytes()
        entries: list[manifest.Entry] = []
        broken = 0
        for entry in manifest.read(path):
            if isinstance(entry, ManifestError):
                self._problem(name, entry, report)
                broken += 1
            else:
                entries.append(entry)
        if not entries:
            raise ManifestError(
                f"holds no usable line ({broken} broken)" if broken else "is empty",
                where=path,
                remedy=report.problems[-1] if broken else "one JSON object a line with an id",
            )
        names = Names(self.vocabulary, {e.id: item_iri(e.id) for e in entries})
        rows = [
            SourceRow(
                name=name,
                location=str(path.resolve()),
                kind="manifest",
                media_type="application/jsonl" if path.suffix.lower() == ".jsonl" else "text/csv",
                sha256=self.blobs.put(data),
                size=len(data),
            )
        ]
        items: list[ItemRow] = []
        claimed: set[Path] = set()
        keep: set[str] = set()
        for entry in entries:
            try:
                item = item_row(entry, name, names, path)
            except KgfuseError as e:
                self._problem(name, e, report)
                continue
            items.append(item)
            for row, file in self._sources_of(entry, item.iri, path, name, base, report):
                rows.append(row)
                keep.add(row.name)
                if file is not None:
                    claimed.add(file.resolve())
            if len(rows) >= _BATCH:
                self._store(rows, items, report)
                rows, items = [], []
        self._store(rows, items, report)
        kept_items = {item_iri(e.id) for e in entries}
        gone = [row.name for row in self.catalog.sources(parent=name) if row.name not in keep]
        for old in gone:
            self.catalog.remove_source(old)
        for old_item in self.catalog.items(manifest=name):
            if old_item.iri not in kept_items:
                self.catalog.remove_item(old_item.iri)
        report.removed += len(gone)
        return claimed

    def _sources_of(
        self, entry: manifest.Entry, item: str, path: Path, parent: str, base: Path, report: AddReport
    ) -> Iterator[tuple[SourceRow, Path | None]]:
        if entry.text:
            data = entry.text.encode("utf-8", "surrogatepass")
            name = f"{parent}#{entry.id}"
            try:
                files.decode(data, f"{path}:{entry.line}")
            except SourceError as e:
                self._problem(name, e, report)
            else:
                sha = self.blobs.put(data)
                yield (
                    SourceRow(
                        name=name,
                        location=str(path.resolve()),
                        kind="text",
                        media_type="text/plain",
                        sha256=sha,
                        text_sha256=sha,
                        item=item,
                        size=len(data),
                        parent=parent,
                    ),
                    None,
                )
        referenced = ([entry.text_path] if entry.text_path else []) + [*entry.images, *entry.audio]
        for reference in referenced:
            file = path.parent / reference
            name = _name(file, base, fallback=f"{parent}#{entry.id}/{file.name}")
            owner = self.catalog.source(name)
            if owner is not None and owner.item != item and owner.parent == parent:
                name = f"{name}@{entry.id}"
            try:
                identified = files.identify(file)
            except SourceError as e:
                where = f"{path}:{entry.line}"
                self._problem(name, SourceError(e.message, where=where, remedy="mend the path or the file"), report)
                continue
            row = self._row(name, file, identified, item, parent, report)
            if row is not None:
                yield row, file

    def _row(
        self, name: str, path: Path, identified: files.Identified, item: str | None, parent: str | None, report: AddReport
    ) -> SourceRow | None:
        if self.on_file is not None:
            self.on_file(name)
        try:
            data = path.read_bytes()
            text_sha = None
            if identified.kind == "text":
                text = files.decode(data, path, self.encoding)
                text_sha = self.blobs.put(text.encode("utf-8"))
        except SourceError as e:
            self._problem(name, e, report)
            return None
        except OSError as e:
            self._problem(name, SourceError(f"cannot be read: {e.strerror}", where=path), report)
            return None
        return SourceRow(
            name=name,
            location=str(path.resolve()),
            kind=identified.kind,
            media_type=identified.media_type,
            sha256=self.blobs.put(data) if text_sha is None else _put_original(self.blobs, data, text_sha),
            text_sha256=text_sha,
            item=item,
            size=len(data),
            parent=parent,
        )

    def _store(self, rows: Sequence[SourceRow], items: Iterable[ItemRow], report: AddReport) -> None:
        fresh = []
        for row in rows:
            old = self.catalog.source(row.name)
            if old is None:
                report.added += 1
            elif (old.sha256, old.item, old.parent) != (row.sha256, row.item, row.parent):
                report.changed += 1
            else:
                report.unchanged += 1
                continue
            fresh.append(row)
        items = list(items)
        with self.catalog.transaction():
            self.catalog.add_sources(fresh)
            self.catalog.put_items(items)
            for row in rows:
                self.catalog.clear_problem(row.name, "add")
        report.items += len(items)

    def _problem(self, name: str, error: KgfuseError, report: AddReport) -> None:
        report.problems.append(error.message)
        self.catalog.record_problem(name, "add", error.message, error.remedy)


def _put_original(blobs: Blobs, data: bytes, text_sha: str) -> str:
    sha = hashlib.sha256(data).hexdigest()
    return sha if sha == text_sha else blobs.put(data)


def _name(path: Path, base: Path, fallback: str | None = None) -> str:
    """Name of a source: its path relative to ``base``, so that no machine's folders show in the graph."""
    try:
        return path.resolve().relative_to(base).as_posix()
    except ValueError:
        return fallback if fallback is not None else path.name

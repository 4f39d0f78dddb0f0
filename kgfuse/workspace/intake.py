"""``add``: files and manifests become sources and items of the catalog; nothing is extracted yet."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kgfuse.catalog import Blobs, Catalog, ItemRow, SourceRow
from kgfuse.errors import KgfuseError, ManifestError, SourceError, UsageError
from kgfuse.ontology import Vocabulary
from kgfuse.terms.namespaces import item_iri
from kgfuse.workspace import files, manifest
from kgfuse.workspace.links import Names, item_row

if TYPE_CHECKING:
    import pyoxigraph as ox

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
            here = _absolute(path)
            if path.is_dir():
                found = list(files.walk(path))
                manifests = [f for f in found if manifest.is_manifest(f)]
                claimed = {_absolute(m) for m in manifests}
                for m in manifests:
                    claimed |= self._add_manifest(m, here.parent, report)
                loose += [(_name(f, here.parent), f) for f in found if _absolute(f) not in claimed]
            elif manifest.is_manifest(path):
                self._add_manifest(path, here.parent.parent, report)
            else:
                loose.append((here.name, path))
        self._add_loose(loose, report)
        return report

    def add_statements(self, name: str, triples: Iterable[ox.Triple]) -> AddReport:
        """Add triples that a program made, as an RDF source without a file.

        Raises:
            UsageError: the name is that of a file, or is no relative path.
        """
        if not name.strip("/") or name != PurePosixPath(name).as_posix() or name.startswith(("/", "../")):
            raise UsageError(f"{name!r} is no relative path", remedy="such as computed/pagerank")
        before = self.catalog.source(name)
        if before is not None and before.location:
            raise UsageError(f"{name!r} is a file that was added", where=before.location, remedy="choose another name")
        lines = sorted({f"{t.subject} {t.predicate} {t.object} .\n" for t in triples})
        data = "".join(lines).encode()
        report = AddReport()
        sha256 = self.blobs.put(data)
        row = SourceRow(name, "", "rdf", "application/n-triples", sha256, size=len(data), meta={"computed": True})
        self._store([row], [], report)
        return report

    def _add_loose(self, loose: Iterable[tuple[str, Path]], report: AddReport) -> None:
        rows: list[SourceRow] = []
        items: dict[str, ItemRow] = {}
        locations = {row.name: row.location for row in self.catalog.sources()}
        known = {row.location: row for row in self.catalog.sources() if row.kind != "manifest"}
        for name, path in loose:
            here = str(_absolute(path))
            before = known.get(here)
            if before is not None:
                if before.parent is not None:
                    report.unchanged += 1  # a manifest says what this file is
                    continue
                name = before.name
            try:
                _check_name(path)
                if locations.setdefault(name, here) != here:
                    other = Path(locations[name])
                    if other.exists():
                        raise SourceError(
                            f"would have the name of {other}, which is {name} here already",
                            where=path,
                            remedy="rename it, or add a folder that holds both",
                        )
                    locations[name] = here
                identified = files.identify(path)
                identifier = str(PurePosixPath(name).with_suffix(""))
                item = None if identified.kind == "rdf" else item_iri(identifier)
                rows.append(self._row(name, path, identified, item, None))
            except SourceError as e:
                self._problem(name, e, report)
                continue
            if item is not None:
                items[item] = ItemRow(iri=item, identifier=identifier, label=PurePosixPath(identifier).name)
            if len(rows) >= _BATCH:
                self._store(rows, items.values(), report)
                rows, items = [], {}
        self._store(rows, items.values(), report)

    def _add_manifest(self, path: Path, base: Path, report: AddReport) -> set[Path]:
        """Add a manifest with all it names; return the files that belong to it."""
        name = _name(path, base)
        entries: list[manifest.Entry] = []
        self.catalog.clear_problem(name, "add")
        try:
            _check_name(path)
            data = path.read_bytes()
            for entry in manifest.read(path):
                if isinstance(entry, ManifestError):
                    self._problem(name, entry, report)
                else:
                    entries.append(entry)
            if not entries:
                raise ManifestError("holds no usable line", where=path, remedy="one JSON object a line with an id")
        except SourceError as e:
            self._problem(name, e, report)
            return set()
        except OSError as e:
            self._problem(name, SourceError(f"cannot be read: {e.strerror}", where=path), report)
            return set()
        names = Names(self.vocabulary, {e.id: item_iri(e.id) for e in entries})
        rows = [
            SourceRow(
                name=name,
                location=str(_absolute(path)),
                kind="manifest",
                media_type="application/jsonl" if path.suffix.lower() == ".jsonl" else "text/csv",
                sha256=self.blobs.put(data),
                size=len(data),
            )
        ]
        items: list[ItemRow] = []
        claimed: set[Path] = set()
        keep: dict[str, str] = {}
        kept_items: set[str] = set()
        for entry in entries:
            claimed |= {_absolute(path.parent / reference) for reference in entry.files()}
            try:
                item = item_row(entry, name, names, path)
            except KgfuseError as e:
                self._problem(name, e, report)
                continue
            items.append(item)
            kept_items.add(item.iri)
            for row in self._sources_of(entry, item.iri, path, name, base, keep, report):
                rows.append(row)
                keep[row.name] = item.iri
            if len(rows) >= _BATCH:
                self._store(rows, items, report)
                rows, items = [], []
        self._store(rows, items, report)
        gone = [row.name for row in self.catalog.sources(parent=name) if row.name not in keep]
        for old in gone:
            self.catalog.remove_source(old)
        for old_item in self.catalog.items(manifest=name):
            if old_item.iri not in kept_items:
                self.catalog.remove_item(old_item.iri)
        report.removed += len(gone)
        return claimed

    def _sources_of(
        self,
        entry: manifest.Entry,
        item: str,
        path: Path,
        parent: str,
        base: Path,
        taken: Mapping[str, str],
        report: AddReport,
    ) -> Iterator[SourceRow]:
        if entry.text:
            data = entry.text.encode("utf-8", "surrogatepass")
            name = f"{parent}#{entry.id}"
            try:
                files.decode(data, f"{path}:{entry.line}")
            except SourceError as e:
                self._problem(f"{parent}:{entry.line}", e, report)
            else:
                sha = self.blobs.put(data)
                yield SourceRow(
                    name=name,
                    location=str(_absolute(path)),
                    kind="text",
                    media_type="text/plain",
                    sha256=sha,
                    text_sha256=sha,
                    item=item,
                    size=len(data),
                    parent=parent,
                )
        for n, reference in enumerate(entry.files(), 1):
            file = path.parent / reference
            outside = f"{n}/{file.name}" if Path(reference).is_absolute() else reference
            name = _name(file, base, fallback=f"{parent}#{entry.id}/{outside}")
            if taken.get(name, item) != item:
                name = f"{name}@{entry.id}"  # a file that two items share is a source of each
            try:
                _check_name(file)
                row = self._row(name, file, files.identify(file), item, parent)
            except SourceError as e:
                where = f"{path}:{entry.line}"
                problem = SourceError(e.message, where=where, remedy="mend the path or the file")
                self._problem(f"{parent}:{entry.line}", problem, report)
                continue
            yield row

    def _row(
        self, name: str, path: Path, identified: files.Identified, item: str | None, parent: str | None
    ) -> SourceRow:
        if self.on_file is not None:
            self.on_file(name)
        try:
            data = path.read_bytes()
        except OSError as e:
            raise SourceError(f"cannot be read: {e.strerror}", where=path, remedy="check its permissions") from e
        text_sha = None
        if identified.kind == "text":
            text_sha = self.blobs.put(files.decode(data, path, self.encoding).encode("utf-8"))
        return SourceRow(
            name=name,
            location=str(_absolute(path)),
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
            elif _identity(old) != _identity(row):
                report.changed += 1
            else:
                report.unchanged += 1
                if old.location == row.location:
                    continue
            fresh.append(row)
        items = list(items)
        with self.catalog.transaction():
            self.catalog.add_sources(fresh)
            self.catalog.put_items(items)
            for row in rows:
                if row.kind != "manifest":  # its broken lines are known by now
                    self.catalog.clear_problem(row.name, "add")
        report.items += len(items)

    def _problem(self, name: str, error: KgfuseError, report: AddReport) -> None:
        message = _printable(error.message)
        report.problems.append(message)
        place = f"{error.where}: " if error.where else ""
        self.catalog.record_problem(_printable(name), "add", _printable(place + error.what), error.remedy)


def _put_original(blobs: Blobs, data: bytes, text_sha: str) -> str:
    sha = hashlib.sha256(data).hexdigest()
    return sha if sha == text_sha else blobs.put(data)


def _name(path: Path, base: Path, fallback: str | None = None) -> str:
    """Name of a source: its path relative to ``base``, so that no machine's folders show in the graph."""
    try:
        return _absolute(path).relative_to(base).as_posix()
    except ValueError:
        return fallback if fallback is not None else path.name


def _identity(row: SourceRow) -> tuple[str | None, ...]:
    return row.sha256, row.text_sha256, row.item, row.parent


def _absolute(path: Path) -> Path:
    """The path from the root, symbolic links left as they are: one may lead in a circle, or nowhere."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (Path.absolute keeps "..")


def _check_name(path: Path) -> None:
    if _printable(path.name) != path.name:
        raise SourceError("the file's name is not valid Unicode", where=path, remedy="rename it")


def _printable(name: str) -> str:
    """Bytes of a name that are no UTF-8, written out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")

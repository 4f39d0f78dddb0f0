"""``add``: files, archives and manifests become sources and items of the catalog; nothing is extracted yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kgfuse.catalog import Blobs, Catalog, ItemRow, SourceRow
from kgfuse.errors import SourceError, UsageError
from kgfuse.ontology import Vocabulary
from kgfuse.sources.identify import PAGES, TABLE_NAMES, Identified, identify, walk
from kgfuse.sources.mapping import mapping_of
from kgfuse.terms.namespaces import item_iri
from kgfuse.workspace import manifest
from kgfuse.workspace.landing import AddReport, Landing, OnFile, check_name
from kgfuse.workspace.manifests import add_manifest
from kgfuse.workspace.mounts import absolute, expand
from kgfuse.workspace.tables import TABLES, add_table

if TYPE_CHECKING:
    import pyoxigraph as ox

__all__ = ["AddReport", "Intake"]

_BATCH = 256


@dataclass(frozen=True, slots=True)
class Intake:
    """Where what is added goes, and how its names are understood.

    Args:
        catalog, blobs, vocabulary: of the workspace.
        encoding: of texts that do not tell theirs.
        on_file: told about each file.
        language: of all texts; ``None`` lets each text tell.
        mapping: of tables that have none beside them.
        on_problem: told about each problem.
    """

    catalog: Catalog
    blobs: Blobs
    vocabulary: Vocabulary
    encoding: str | None = None
    on_file: OnFile | None = None
    language: str | None = None
    mapping: Path | None = None
    on_problem: OnFile | None = None

    def add(self, paths: Sequence[str | Path]) -> AddReport:
        """Add files, folders, globs, archives and manifests.

        One bad file never stops the batch: it is recorded as a problem.

        Raises:
            SourceError: a path that is given does not exist.
        """
        given = expand(paths)
        landing = self._landing()
        with landing.mounts, landing.sandbox:
            loose: list[tuple[Path, Path]] = []
            for path in given:
                base = absolute(path).parent
                if path.is_dir():
                    landing.forget_gone(path)
                    loose += ((f, base) for f in _claim_manifests(landing, path, base))
                elif (mapping := _mapping(landing, path)) is not None:
                    _add_mapped(landing, path, mapping, base)
                elif manifest.is_manifest(path):
                    add_manifest(landing, path, base.parent)
                else:
                    loose.append((path, base))
            _add_loose(landing, loose)
        return landing.report

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
        landing = self._landing()
        sha256 = self.blobs.put(data)
        row = SourceRow(name, "", "rdf", "application/n-triples", sha256, size=len(data), meta={"computed": True})
        landing.store([row], [])
        return landing.report

    def _landing(self) -> Landing:
        return Landing(
            self.catalog,
            self.blobs,
            self.vocabulary,
            self.encoding,
            self.language,
            self.on_file,
            self.mapping,
            self.on_problem,
        )


def _claim_manifests(landing: Landing, folder: Path, base: Path) -> list[Path]:
    """Add a folder's manifests and mapped tables with all they name; return the other files."""
    found = list(walk(folder))
    claimed: set[Path] = set()
    for f in found:
        if (mapping := _mapping(landing, f)) is not None:
            claimed |= _add_mapped(landing, f, mapping, base)
    manifests = [f for f in found if absolute(f) not in claimed and manifest.is_manifest(f)]
    claimed |= {absolute(m) for m in manifests}
    for m in manifests:
        claimed |= add_manifest(landing, m, base)
    return [f for f in found if absolute(f) not in claimed]


def _mapping(landing: Landing, path: Path) -> Path | None:
    """The mapping of a file that is called like a table."""
    if path.suffix.lower() not in TABLES or not path.is_file():
        return None
    return mapping_of(path) or landing.mapping


def _add_mapped(landing: Landing, path: Path, mapping: Path, base: Path) -> set[Path]:
    """Add a table; return the files that belong to it."""
    landing.forget(path, landing.name(path, base))
    try:
        check_name(path)
        return add_table(landing, identify(path), mapping, base)
    except SourceError as e:
        landing.problem(landing.name(path, base), e)
        return {absolute(path), absolute(mapping)}


def _unmapped(path: Path, said: str) -> SourceError:
    remedy = f"say what its columns mean in {path.name}.toml, or name a mapping with --mapping"
    return SourceError(said, where=path, remedy=remedy)


def _add_archive(landing: Landing, archive: Identified, name: str, base: Path) -> None:
    """Add what is in an archive, as if it were a folder; what an earlier form of it held goes."""
    landing.catalog.clear_problem(name, "add")
    problems: list[SourceError] = []
    folder = landing.mounts.open(archive, problems)
    files = list(walk(folder))
    if not files and not problems:
        problems.append(SourceError("is an archive without files", where=archive.path, remedy="leave it out"))
    for problem in problems:
        landing.problem(name, problem)
    _add_loose(landing, [(f, base) for f in _claim_manifests(landing, folder, base)])
    inside = landing.shown(archive.path) + "/"
    still = {landing.shown(f) for f in files}
    for row in landing.catalog.sources():
        if row.location.startswith(inside) and not _is_of(row.location, still):
            landing.report.removed += landing.catalog.remove_source(row.name)


def _add_loose(landing: Landing, loose: Iterable[tuple[Path, Path]]) -> None:
    """Add files that no manifest names, each with the folder that its name begins below.

    Pages come first, since they say what the pictures beside them are.
    """
    rows: list[SourceRow] = []
    notes: list[tuple[str, SourceError]] = []
    items: dict[str, ItemRow] = {}
    sources = landing.catalog.sources()
    locations = {row.name: row.location for row in sources}
    known = {row.location: row for row in sources if row.kind != "manifest"}
    claimed: set[str] = set()
    for path, base in sorted(loose, key=lambda one: one[0].suffix.lower() not in PAGES):
        here = landing.shown(path)
        name = landing.name(path, base)
        before = known.get(here)
        if here in claimed:
            continue
        if before is not None:
            if before.parent is not None:
                landing.report.unchanged += 1  # a manifest or page says what this file is
                continue
            name = before.name
        landing.forget(path, name)
        try:
            check_name(path)
            _check_free(locations, name, here, path)
            identified = identify(path)
            if identified.kind == "archive":
                _add_archive(landing, identified, name, base)
                continue
            if identified.kind == "table":
                raise _unmapped(path, "is a table without a mapping")
            identifier = str(PurePosixPath(name).with_suffix(""))
            item = None if identified.kind == "rdf" else item_iri(identifier)
            arrived = landing.arrive(name, path, identified, item, None)
        except SourceError as e:
            landing.problem(name, e)
            continue
        rows += arrived.rows
        for row in landing.beside(arrived.rows[0], path, base, arrived):
            owner = known.get(row.location)
            if row.location not in claimed and (owner is None or owner.parent in (None, name)):
                rows.append(row)
                claimed.add(row.location)
        claimed.update(row.location for row in arrived.rows[1:])
        notes += ((name, SourceError(note, where=here)) for note in arrived.notes)
        if identified.kind == "text" and path.suffix.lower() in TABLE_NAMES:
            notes.append((name, _unmapped(path, "is a table without a mapping, and read as one text")))
        if item is not None:
            items[item] = ItemRow(iri=item, identifier=identifier, label=PurePosixPath(identifier).name)
        if len(rows) >= _BATCH:
            landing.store(rows, items.values(), notes)
            rows, items, notes = [], {}, []
    landing.store(rows, items.values(), notes)


def _is_of(location: str, files: set[str]) -> bool:
    """Whether a source comes from one of these files: is it, stands in it (after a ``#``), or was packed in it."""
    marks = (n for n, c in enumerate(location) if c in "#/")
    return location in files or any(location[:n] in files for n in marks)


def _check_free(locations: dict[str, str], name: str, here: str, path: Path) -> None:
    """Refuse a file whose name another file has; one that is gone gives its name up.

    Raises:
        SourceError: the other file is still there.
    """
    if locations.setdefault(name, here) == here:
        return
    other = Path(locations[name])
    if other.exists() or any(p.is_file() for p in other.parents):
        raise SourceError(
            f"would have the name of {other}, which is {name} here already",
            where=path,
            remedy="rename it, or add a folder that holds both",
        )
    locations[name] = here

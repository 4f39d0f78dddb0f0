"""Where what is added lands: catalog, blobs and a report, with the problems of what cannot be used."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from kgfuse.catalog import Blobs, Catalog, ItemRow, SourceRow
from kgfuse.errors import KgfuseError, SourceError
from kgfuse.ontology import Vocabulary
from kgfuse.sources.identify import Identified
from kgfuse.sources.readers import DOCUMENTS
from kgfuse.sources.sandbox import Sandbox
from kgfuse.workspace.arrival import READER, Arrivals, Arrived
from kgfuse.workspace.mounts import Mounts, absolute

OnFile: TypeAlias = Callable[[str], None]
_ROW: Final = re.compile(r":\d+$")


@dataclass(slots=True)
class AddReport:
    """What an ``add`` did: counts, and a line per problem."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    items: int = 0
    removed: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Landing:
    """One ``add``.

    Args:
        catalog, blobs, vocabulary: of the workspace.
        encoding: of texts that do not tell theirs.
        language: of all texts; ``None`` lets each text tell.
        on_file: told about each file.
        mapping: of tables that have none beside them.
        on_problem: told about each problem.
    """

    catalog: Catalog
    blobs: Blobs
    vocabulary: Vocabulary
    encoding: str | None = None
    language: str | None = None
    on_file: OnFile | None = None
    mapping: Path | None = None
    on_problem: OnFile | None = None
    report: AddReport = field(default_factory=AddReport)
    mounts: Mounts = field(default_factory=Mounts)
    sandbox: Sandbox = field(default_factory=Sandbox)

    @cached_property
    def before(self) -> Mapping[str, Sequence[str]]:
        """Places of the problems that earlier calls noted, by the file that they are of."""
        found: dict[str, list[str]] = {}
        for problem in self.catalog.problems("add"):
            location = _ROW.sub("", problem.message.partition(": ")[0])
            found.setdefault(location, []).append(problem.place)
        return found

    @property
    def arrivals(self) -> Arrivals:
        """Makes rows of files."""
        return Arrivals(self.blobs, self.sandbox, self.encoding, self.language)

    def shown(self, path: Path) -> str:
        """Where a file is, for people."""
        return str(self.mounts.shown(path))

    def name(self, path: Path, base: Path, fallback: str | None = None) -> str:
        """Name of a source: its path relative to ``base``, so that no machine's folders show in the graph."""
        try:
            return self.mounts.shown(path).relative_to(base).as_posix()
        except ValueError:
            return fallback if fallback is not None else path.name

    def arrive(self, name: str, path: Path, identified: Identified, item: str | None, parent: str | None) -> Arrived:
        """The rows of a file: those that are there already, where it is a document or recording that has not changed.

        Raises:
            SourceError: it cannot be read.
        """
        if self.on_file is not None:
            self.on_file(name)
        location = self.shown(path)
        is_read_once = identified.media_type in DOCUMENTS or identified.kind == "audio"
        before = self.catalog.source(name) if is_read_once else None
        told = self.encoding is not None or self.language is not None
        if before is not None and identified.kind == "audio":
            told = self.language not in (None, before.meta.get("spoken"))
        if before is not None and not told and before.meta.get("reader") == READER and _sha(path) == before.sha256:
            rows = [replace(before, location=location, item=item, parent=parent)]
            for row in self.catalog.sources(parent=name):
                moved = location + row.location.removeprefix(before.location)
                rows.append(replace(row, item=item, location=moved if row.meta.get("embedded") else row.location))
            return Arrived(tuple(rows), tuple(before.meta.get("notes", ())))
        return self.arrivals.rows(name, path, location, identified, item, parent)

    def beside(self, page: SourceRow, path: Path, base: Path, arrived: Arrived) -> list[SourceRow]:
        """Rows of the pictures beside a page that it names; those outside its folder are none of its business."""
        rows = []
        folder = absolute(path.parent)
        for picture in arrived.beside:
            file = folder / picture.beside
            try:
                if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
                    continue
                rows.append(self.arrivals.beside(picture, self.name(file, base), file, self.shown(file), page))
            except (SourceError, OSError, ValueError):
                continue  # met again as a file of its own, and told then
        return rows

    def store(
        self, rows: Sequence[SourceRow], items: Iterable[ItemRow], notes: Iterable[tuple[str, SourceError]] = ()
    ) -> None:
        """Keep rows and items in one transaction, and what was left out of them as problems."""
        fresh, report = [], self.report
        for row in rows:
            old = self.catalog.source(row.name)
            if old is None:
                report.added += 1
            elif _identity(old) != _identity(row):
                report.changed += 1
            else:
                report.unchanged += 1
                if (old.location, dict(old.meta)) == (row.location, dict(row.meta)):
                    continue
            fresh.append(row)
        items = list(items)
        with self.catalog.transaction():
            self.catalog.add_sources(fresh)
            self.catalog.put_items(items)
            for row in rows:
                if row.kind not in ("manifest", "table"):  # its broken lines are known by now
                    self.catalog.clear_problem(row.name, "add")
            for row in rows:
                if row.media_type in DOCUMENTS:
                    self.let_go(row.name, {r.name for r in rows if r.parent == row.name})
        report.items += len(items)
        for name, note in notes:
            self.problem(name, note)

    def let_go(self, parent: str, keep: Iterable[str]) -> None:
        """Forget the sources that a manifest or document brought, except those to keep."""
        for row in self.catalog.sources(parent=parent):
            if row.name not in keep:
                self.let_go(row.name, ())
                self.catalog.remove_source(row.name)
                self.report.removed += 1

    def forget(self, path: Path, name: str) -> None:
        """Forget problems that this file had under other names than the one that it is added under."""
        for place in self.before.get(self.shown(path), ()):
            if place != name and not place.startswith(f"{name}:"):
                self.catalog.clear_problem(place, "add")

    def forget_gone(self, folder: Path) -> None:
        """Forget problems of files below a folder that are not there any more."""
        for location, places in self.before.items():
            file = Path(location)
            if absolute(folder) in file.parents and not any(os.path.lexists(p) for p in _outer(file, folder)):
                for place in places:
                    self.catalog.clear_problem(place, "add")

    def problem(self, name: str, error: KgfuseError) -> None:
        """Note what cannot be used."""
        error = self.mounts.told(error)
        self.report.problems.append(printable(error.message))
        if self.on_problem is not None:
            self.on_problem(printable(error.message))
        place = f"{Path(error.where).absolute()}: " if error.where else ""  # ".." in an archive stays to be seen
        self.catalog.record_problem(printable(name), "add", printable(place + error.what), error.remedy)


def _outer(file: Path, folder: Path) -> Iterator[Path]:
    """The file, and, since it may be packed in one of them, what is above it below the folder."""
    yield file
    yield from (p for p in file.parents if absolute(folder) in p.parents and p.is_file())


def check_name(path: Path) -> None:
    """Refuse a file whose name is no Unicode.

    Raises:
        SourceError: it is not.
    """
    if printable(path.name) != path.name:
        raise SourceError("the file's name is not valid Unicode", where=path, remedy="rename it")


def printable(name: str) -> str:
    """Bytes of a name that are no UTF-8, written out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _identity(row: SourceRow) -> tuple[str | None, ...]:
    return row.sha256, row.text_sha256, row.item, row.parent


def _sha(path: Path) -> str:
    try:
        with path.open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except OSError:
        return ""

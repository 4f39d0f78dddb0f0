"""Knowledge into a workspace: add, remove, build, check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kgfuse.errors import PROBLEM
from kgfuse.sources.identify import walk
from kgfuse.workspace import removal
from kgfuse.workspace.intake import AddReport, Intake
from kgfuse.workspace.mounts import expand
from kgfuse.workspace.parts import OnEvent, silent
from kgfuse.workspace.state import State

if TYPE_CHECKING:
    import pyoxigraph as ox

    from kgfuse.workspace.build import BuildReport
    from kgfuse.workspace.checking import CheckReport


class Filling(State):
    """Verbs that bring knowledge in."""

    def add(
        self,
        *paths: str | Path,
        encoding: str | None = None,
        language: str | None = None,
        mapping: str | Path | None = None,
        on_event: OnEvent = silent,
    ) -> AddReport:
        """Add files, folders and manifests; :meth:`build` extracts from them.

        In a folder, a text and pictures of the same name are one item. A manifest (JSON Lines or CSV with an ``id``)
        says so itself. What was added before and has not changed is left alone; what changed is replaced.

        Args:
            paths: files or folders.
            encoding: of texts that are not UTF-8 and have no byte order mark; told by content where not given.
            language: of all texts, as an ISO 639 code such as ``en``; told by content where not given.
            mapping: TOML file that says what the columns of tables mean, for those that have none beside them; see
                ``kgfuse.sources.mapping``.
            on_event: told about progress.
        """
        parts, count = self._parts, 0
        self._writing()
        total = sum(sum(1 for _ in walk(path)) if path.is_dir() else 1 for path in expand(paths))

        def on_file(name: str) -> None:
            nonlocal count
            count += 1
            on_event("add", count, max(count, total), name)

        def on_problem(line: str) -> None:
            on_event(PROBLEM, count, total, line)

        columns = None if mapping is None else Path(mapping)
        intake = Intake(parts.catalog, parts.blobs, parts.vocabulary, encoding, on_file, language, columns, on_problem)
        return intake.add(paths)

    def remove(self, name: str) -> int:
        """Remove a source with exactly what it said; return how many sources went.

        Args:
            name: a source's name, the path it was added from, or a folder or manifest with all it brought.

        Raises:
            UsageError: nothing has this name; the message lists the nearest.
        """
        self._writing()
        removed = removal.remove(self._parts.catalog, name)
        if self._parts.catalog.get_state("built") is not None:
            from kgfuse.workspace.build import BuildReport, refresh

            refresh(self._parts, BuildReport())
        return removed

    def build(self, *, retry: bool = False, workers: int | None = 1, on_event: OnEvent = silent) -> BuildReport:
        """Extract, resolve, gate, reason and validate, as far as anything changed.

        An interrupted build goes on where it stopped.

        Args:
            retry: try again the sources that failed before.
            workers: processes that extract, ``None`` for as many as are worth it; the graph does not depend on it. A
                script that asks for other than 1 must guard its main part by ``if __name__ == "__main__":``, since
                workers import it.
            on_event: told about progress.
        """
        from kgfuse.workspace.build import build

        self._writing()
        return build(self._parts, on_event, retry=retry, workers=workers)

    def check(
        self, shapes: Sequence[str | Path] = (), *, leakage: bool = False, on_event: OnEvent = silent
    ) -> CheckReport:
        """Prove that nothing stands in the graph without provenance; validate it against shapes.

        Args:
            shapes: files of SHACL shapes, beside those of the packs.
            leakage: also name texts and pictures that are duplicates across splits, and groups that are in several.
            on_event: told about progress.

        Raises:
            PackError: a shapes file cannot be read; names file and line.
        """
        from kgfuse.workspace.checking import check

        return check(self._parts, shapes, on_event, leakage=leakage)

    def add_statements(self, name: str, triples: Iterable[ox.Triple]) -> AddReport:
        """Add statements made by a program, such as an algorithm's results, as a source of its own.

        They hold, are reasoned on after the next :meth:`build`, and go with ``remove(name)``.

        Args:
            name: of the source, such as ``computed/pagerank``; statements added under it before are replaced.
            triples: such as `kgfuse.graph.networkx_view.triples_of` makes of NetworkX results.

        Raises:
            UsageError: the name is that of a file that was added, or is no relative path.
        """
        self._writing()
        parts = self._parts
        return Intake(parts.catalog, parts.blobs, parts.vocabulary, None, None).add_statements(name, triples)

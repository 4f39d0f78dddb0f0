"""Knowledge out of a workspace: queries, search, proofs, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgfuse.catalog import ItemRow, ProblemRow, SourceRow
from kgfuse.errors import UsageError
from kgfuse.graph import QueryResult
from kgfuse.workspace.state import State

if TYPE_CHECKING:
    from kgfuse.graph.search import Kind
    from kgfuse.workspace.searching import Found, Similar


class Consulting(State):
    """Verbs that tell what is known."""

    def query(self, sparql: str) -> QueryResult:
        """Run a SPARQL 1.1 query; kgfuse's and the packs' prefixes are known.

        Raises:
            QueryError: it does not parse, or asks for another service.
        """
        return self._parts.store.query(sparql, self.vocabulary.prefixes)

    def search(self, query: str, limit: int = 20, *, kind: Kind | None = None) -> list[Found]:
        """Labels and texts by their words: ``"a phrase"``, ``beginning*``; each with its characters and mentions."""
        from kgfuse.workspace.searching import search

        return search(self._parts, query, limit, kind)

    def similar(self, name: str, k: int = 10, *, min_similarity: float = 0.0) -> list[Similar]:
        """Things of the graph whose names and definitions mean something similar to a thing or a text."""
        from kgfuse.workspace.searching import similar

        return similar(self._parts, name, k, min_similarity=min_similarity)

    def prove(self, subject: str, predicate: str, object: str) -> Any:
        """Proof tree of a triple, down to what sources assert; ``None`` where it does not hold."""
        expand = self.vocabulary.expand
        p, o = (name if name == "a" or name.startswith('"') else expand(name) for name in (predicate, object))
        return self.graph.prove(expand(subject), p, o)

    def export(self, path: str | Path, format: str | None = None, *, rdf12: bool = False) -> Path:
        """Write the graph to a file: turtle, trig, nquads, ntriples, jsonld, rdfxml or graphml.

        The triple formats and GraphML hold what holds; the quad formats hold everything, provenance included.

        Args:
            path: where to; written whole or not at all.
            format: told by the suffix where not given.
            rdf12: statement nodes as RDF 1.2 triple terms, in TriG and N-Quads.
        """
        from kgfuse.graph.export import export

        self._parts.store.prefixes.update(self.vocabulary.prefixes)
        return export(self._parts.store, Path(path), format, rdf12=rdf12)

    def items(self) -> list[ItemRow]:
        """What gets classified, with splits and labels."""
        return self._parts.catalog.items()

    def sources(self) -> list[SourceRow]:
        """Texts, pictures, RDF files and manifests."""
        return self._parts.catalog.sources()

    def original(self, name: str, start: int, end: int) -> tuple[int, int]:
        """Where characters of a stored text stand in the file it was read from, counted in its decoded characters.

        Line ends, composed letters and Markdown's marks make the difference; for places in documents see the ``where``
        of a mention.

        Args:
            name: of the source.
            start: code point of the stored text.
            end: the one after the last.

        Raises:
            UsageError: no text has this name, or it is of a document with pages, elements or cells.
        """
        from kgfuse.sources.places import CharacterPlaces, loads

        row = self._parts.catalog.source(name)
        if row is None or row.text_sha256 is None:
            raise UsageError(f"no text is called {name!r}", remedy="see `kgfuse info`")
        places = (
            loads(self._parts.blobs.read_bytes(row.meta["places"])) if "places" in row.meta else CharacterPlaces(())
        )
        if not isinstance(places, CharacterPlaces):
            raise UsageError(f"{name!r} is a document", remedy="its mentions say where they stand: mention.where")
        return places.original(start, end)

    def problems(self) -> list[ProblemRow]:
        """What could not be read or extracted, and why."""
        return self._parts.catalog.problems()

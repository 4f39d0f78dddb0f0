"""Knowledge out of a workspace: queries, search, proofs, files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from kgfuse.catalog import ItemRow, ProblemRow, SourceRow
from kgfuse.errors import UsageError
from kgfuse.graph import QueryResult
from kgfuse.workspace.parts import OnEvent, silent
from kgfuse.workspace.state import State

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from kgfuse.fuse.data import Modality
    from kgfuse.graph.search import Kind
    from kgfuse.workspace.aligning import Aligned
    from kgfuse.workspace.crossing import Match
    from kgfuse.workspace.searching import Found, Similar


class Consulting(State):
    """Verbs that tell what is known."""

    def query(self, sparql: str) -> QueryResult:
        """Run a SPARQL 1.1 query; kgfuse's and the packs' prefixes are known.

        Raises:
            QueryError: it does not parse, or asks for another service.
        """
        return self._parts.store.query(sparql, self.vocabulary.prefixes)

    @overload
    def search(self, query: str, limit: int = 20, *, kind: Kind | None = None) -> list[Found]: ...

    @overload
    def search(
        self,
        *,
        limit: int = 20,
        text: str | None = None,
        image: str | Path | Picture | None = None,
        within: Collection[Modality] = ...,
        on_event: OnEvent = silent,
    ) -> list[Match]: ...

    def search(
        self,
        query: str | None = None,
        limit: int = 20,
        *,
        kind: Kind | None = None,
        text: str | None = None,
        image: str | Path | Picture | None = None,
        within: Collection[Modality] = ("text", "image", "graph"),
        on_event: OnEvent = silent,
    ) -> list[Found] | list[Match]:
        """Look for words, or for items that mean what a text or a picture means.

        ``search("words")`` finds labels and texts by their words: ``"a phrase"``, ``beginning*``; each hit with its
        characters and mentions. ``search(text=…)`` and ``search(image=…)`` find items across modalities: a text finds
        pictures too, a picture finds texts, both together what fits both. How text, picture and statements compare is
        learned from the items that have several of these when first asked for (a minute for some hundreds), and kept
        until the sources change; no labels are read. With fewer than 40 such items nothing is learned: the names of
        what the CNN sees stand for a picture, and ``methods`` of a match says ``words``.

        Args:
            query: words; excludes ``text`` and ``image``.
            limit: at most so many.
            kind: of hits by words: only labels, or only texts.
            text: any text, by its meaning.
            image: path of a picture, or a Pillow image; it is not added.
            within: which of ``text``, ``image``, ``graph`` of the items is looked at.
            on_event: told about progress.

        Raises:
            SourceError: the picture cannot be read.
            UsageError: nothing to look for, or both words and meaning.
        """
        if query is not None and text is None and image is None:
            from kgfuse.workspace.searching import search

            return search(self._parts, query, limit, kind)
        if query is not None or kind is not None:
            raise UsageError("words go with neither text nor picture", remedy="give query alone, or text and image")
        if text is None and image is None:
            raise UsageError("there is nothing to look for", remedy="give words, a text or a picture")
        from kgfuse.workspace.crossing import cross_search, queries

        asked = queries(self._parts, text, image)  # what cannot be read is told before anything is learned
        return cross_search(self._parts, self._alignments(on_event), asked, limit, within)

    def _alignments(self, on_event: OnEvent) -> Aligned:
        from kgfuse.workspace.aligning import aligned, fingerprint

        if self._aligned is None or self._aligned.fingerprint != fingerprint(self._parts):
            built = self._parts.catalog.get_state("built")
            self._aligned = aligned(self._parts, self._facts if built else None, on_event)
        return self._aligned

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
        from kgfuse.sources.places import CharacterPlaces, LineEndPlaces, loads

        row = self._parts.catalog.source(name)
        if row is None or row.text_sha256 is None:
            raise UsageError(f"no text is called {name!r}", remedy="see `kgfuse info`")
        places = (
            loads(self._parts.blobs.read_bytes(row.meta["places"])) if "places" in row.meta else CharacterPlaces(())
        )
        if isinstance(places, LineEndPlaces):
            return places.original(self._parts.blobs.read_text(row.text_sha256), start, end)
        if not isinstance(places, CharacterPlaces):
            raise UsageError(f"{name!r} is a document", remedy="its mentions say where they stand: mention.where")
        return places.original(start, end)

    def problems(self) -> list[ProblemRow]:
        """What could not be read or extracted, and why."""
        return self._parts.catalog.problems()

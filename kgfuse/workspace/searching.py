"""Search in a workspace: by the words of labels and texts, and by meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.graph import labels as names
from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.decoded import number_of, texts_of
from kgfuse.graph.nodes import named, plain, text
from kgfuse.graph.records import MentionRecord, mention_record, mentions_of
from kgfuse.graph.search import Hit, Kind, Text, TextIndex, Updated
from kgfuse.terms.mentions import TextSpan
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, RDF, RDFS, SKOS, source_iri
from kgfuse.workspace.parts import OnEvent, Parts, silent
from kgfuse.workspace.whereabouts import place_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FILE: Final = "search.sqlite"
_DEFINITIONS: Final = (SKOS + "definition", RDFS + "comment")
_CHUNK: Final = 65_536  # rows compared at once


@dataclass(frozen=True, slots=True)
class Found:
    """A hit of a search by words, with what the graph knows of it.

    Args:
        hit: the passage, with its place.
        label: of the thing that has the label, or that the text belongs to.
        types: IRIs of its classes.
        mentions: of a label, the places that speak of the thing; of a text, what was extracted from the passage.
        where: page, element, cell or seconds of the first word that was looked for; empty for labels and plain texts.
    """

    hit: Hit
    label: str
    types: tuple[str, ...]
    mentions: tuple[MentionRecord, ...]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """A thing whose name and definition mean something similar.

    Args:
        iri: of it.
        label: of it.
        types: IRIs of its classes.
        similarity: cosine, -1 to 1.
        mentions: the places that speak of it.
    """

    iri: str
    label: str
    types: tuple[str, ...]
    similarity: float
    mentions: tuple[MentionRecord, ...]


def index(parts: Parts) -> TextIndex:
    """The workspace's index of words."""
    return TextIndex(parts.folder / FILE)


def refresh_index(parts: Parts) -> Updated:
    """Bring the index of words up to date with the graph and the catalog; only what changed is read and written."""
    columns = parts.store.columns
    table = names.named_by(columns, names.NAMES)
    labels = zip(texts_of(columns, table["s"]), table["lexical"].to_list(), strict=True)
    return index(parts).update(labels, _texts(parts))


def search(parts: Parts, query: str, limit: int = 20, kind: Kind | None = None) -> list[Found]:
    """Labels and texts by their words; see ``TextIndex.search``.

    Args:
        parts: the workspace.
        query: words; ``"several words"`` in quotes stand together, ``beginning*`` finds all that begins so.
        limit: at most so many.
        kind: only labels or only texts.
    """
    found = []
    for hit in index(parts).search(query, limit, kind):
        mentions = mentions_of(parts.store, hit.iri) if hit.kind == "label" else _within(parts, hit)
        known = names.label(parts.store, hit.iri), types_of(parts, hit.iri), tuple(mentions)
        found.append(Found(hit, *known, _where(parts, hit)))
    return found


def similar(
    parts: Parts, iri_or_text: str, k: int = 10, *, min_similarity: float = 0.0, on_event: OnEvent = silent
) -> list[Similar]:
    """Things whose names and definitions mean something similar, by the text encoder's vectors.

    The first call encodes the names of the whole graph (a few hundred a second on a CPU); later ones find the vectors
    in the workspace's cache.

    Args:
        parts: the workspace.
        iri_or_text: a thing of the graph (an IRI or a name with a prefix), which is itself left out, or any text.
        k: how many.
        min_similarity: only from so much on.
        on_event: told about progress.

    Returns:
        Most similar first, then by IRI.

    Raises:
        UsageError: the graph has no name for the IRI, or there is nothing to look for.
    """
    import numpy as np

    numbers, texts = _described(parts)
    here = _place(parts, iri_or_text, numbers)
    if here is None and not iri_or_text.strip():
        raise UsageError("there is nothing to look for", remedy="give a name or a text")
    vectors = _vectors(parts, texts, on_event)
    query = _vectors(parts, [iri_or_text], silent)[0] if here is None else vectors[here]
    scores = _cosines(vectors, query)
    if here is not None:
        scores[here] = -np.inf
    best = np.flatnonzero(scores >= min_similarity)
    best = best[np.lexsort((best, -scores[best]))][: max(k, 0)]
    found = zip(texts_of(parts.store.columns, np.array(numbers, np.int64)[best]), scores[best].tolist(), strict=True)
    return [
        Similar(iri, names.label(parts.store, iri), types_of(parts, iri), score, tuple(mentions_of(parts.store, iri)))
        for iri, score in found
    ]


def _texts(parts: Parts) -> Iterator[Text]:
    for row in parts.catalog.sources():
        if row.text_sha256 is not None:
            sha = row.text_sha256
            yield Text(row.name, row.item or source_iri(row.name), sha, lambda sha=sha: parts.blobs.read_text(sha))  # type: ignore[misc]


def _where(parts: Parts, hit: Hit) -> str:
    row = parts.catalog.source(hit.name) if hit.kind == "text" else None
    spot = hit.matches[0] if hit.matches else (hit.start, hit.end)
    return place_of(parts.blobs, row, *spot).words if row is not None else ""


def _within(parts: Parts, hit: Hit) -> list[MentionRecord]:
    """What was extracted from a passage, in the order of its characters."""
    source = named(source_iri(hit.name))
    places = (q.subject for q in parts.store.quads(None, prov.HAS_SOURCE, source, GRAPH_PROVENANCE))
    records = (mention_record(parts.store, text(place)) for place in places)
    found = [
        (r.selector.start, r.selector.end, r.iri, r)
        for r in records
        if r is not None
        and isinstance(r.selector, TextSpan)
        and r.selector.start < hit.end
        and r.selector.end > hit.start
    ]
    return [record for *_, record in sorted(found, key=lambda f: f[:3])]


def types_of(parts: Parts, iri: str) -> tuple[str, ...]:
    """IRIs of a thing's classes."""
    quads = parts.store.quads(named(iri), named(RDF + "type"))
    return tuple(sorted(str(plain(q.object)) for q in quads if isinstance(q.object, ox.NamedNode)))


def _described(parts: Parts) -> tuple[list[int], list[str]]:
    """Numbers of the things that have a name, and the texts that say what they are."""
    columns = parts.store.columns
    labels, definitions = names.labels(columns), names.best_by(columns, _DEFINITIONS)
    numbers = sorted(labels)
    texts = [f"{labels[n]}: {definitions[n]}" if n in definitions else labels[n] for n in numbers]
    return numbers, texts


def _place(parts: Parts, name: str, numbers: list[int]) -> int | None:
    """Where in the numbers the thing is; ``None`` for a text."""
    try:
        iri = parts.graph.iri(name)
    except UsageError:
        return None
    number = number_of(parts.store.columns, f"<{iri}>")
    if number in (known := {n: at for at, n in enumerate(numbers)}):
        return known[number]
    if number >= 0 or "://" in iri:
        raise UsageError(f"the graph has no name for {iri}", remedy="give a text that describes it")
    return None


def _vectors(parts: Parts, texts: list[str], on_event: OnEvent) -> npt.NDArray[np.float32]:
    from kgfuse.workspace.encoderview import text_features

    on_event("encode", 0, len(texts), "")
    found = text_features(parts, texts)
    on_event("encode", len(texts), len(texts), "")
    return found


def _cosines(vectors: npt.NDArray[np.float32], query: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Cosines, rounded so that one in the last place does not change the order."""
    import numpy as np

    found = np.zeros(len(vectors))
    length = float(np.linalg.norm(query)) or 1.0
    for start in range(0, len(vectors), _CHUNK):
        part = vectors[start : start + _CHUNK]
        lengths = np.linalg.norm(part, axis=1)
        found[start : start + _CHUNK] = part @ query / np.where(lengths > 0, lengths, 1.0) / length
    return found.round(5)

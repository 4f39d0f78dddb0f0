"""The graph as the encoders see it: asserted facts and what follows from them, without labels and bookkeeping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyoxigraph as ox

from kgfuse.catalog import ItemRow
from kgfuse.extract.resolve import Resolution
from kgfuse.fuse.data import GraphArrays
from kgfuse.graph.nodes import text
from kgfuse.ontology import Vocabulary
from kgfuse.reason.closure import closure
from kgfuse.terms.mentions import Fact
from kgfuse.terms.namespaces import DCTERMS, KGF, OWL, PROV, RDF, RDFS, SKOS, digest, source_iri
from kgfuse.workspace import facts as graph_facts
from kgfuse.workspace.leakage import Mask
from kgfuse.workspace.links import OWL_CLASS
from kgfuse.workspace.parts import Parts

_BOOKKEEPING = frozenset(
    KGF + name
    for name in (
        "hasText",
        "hasImage",
        "hasAudio",
        "fileName",
        "sha256",
        "srgb",
        "displayColour",
        "nerLabel",
        "perceptualHash",
        "nearDuplicateOf",
    )
)
_NAMES = (SKOS + "prefLabel", RDFS + "label")
_TEXTUAL = frozenset(
    [*_NAMES, SKOS + "altLabel", SKOS + "hiddenLabel", SKOS + "definition", RDFS + "comment", RDFS + "isDefinedBy"]
)
_SCHEMA = (OWL, RDF, RDFS, "http://www.w3.org/2001/XMLSchema#")
_KEPT_SCHEMA = frozenset({RDF + "type", RDFS + "subClassOf"})


Key = tuple[str, str, str]
"""Subject, predicate, object; a literal is in N-Triples form."""


@dataclass(frozen=True, slots=True)
class EncoderView:
    """Triples that the encoders may read, sorted, and the names of the nodes in them.

    Args:
        triples: what they read.
        names: text that describes a node; items have none, since an identifier may name the label.
        asserted: those of the triples that sources assert; the others follow from them and the packs.
    """

    triples: tuple[Key, ...]
    names: dict[str, str]
    asserted: dict[Key, ox.Triple]


def encoder_view(
    parts: Parts, resolution: Resolution, mask: Mask, items: Sequence[ItemRow], extra: Sequence[Fact] = ()
) -> EncoderView:
    """Compute the view from what sources and packs assert, labels hidden, and its own closure.

    Args:
        parts: the workspace.
        resolution: all facts of the workspace.
        mask: what is hidden.
        items: of the workspace, and new ones to classify.
        extra: facts of new items that are not in the workspace.
    """
    hidden_items = frozenset(i.iri for i in items if OWL_CLASS not in i.types)
    asserted = _visible(parts, resolution, mask, items, extra, hidden_items)
    ontology = {t for pack in parts.packs for t in pack.triples}
    names: dict[str, str] = {}
    for t in asserted | ontology:
        subject = text(t.subject)
        if t.predicate.value in _NAMES and isinstance(t.object, ox.Literal) and subject not in hidden_items:
            names[subject] = min(t.object.value, names.get(subject, t.object.value))
    taxonomy = (t for t in ontology if t.predicate.value == RDFS + "subClassOf")
    said = {k: t for t in asserted if (k := key_of(t)) is not None}
    kept = said.keys() | {k for t in taxonomy if (k := key_of(t)) is not None}
    data = {n for s, _, o in kept for n in (s, o)}
    inferred = {
        k
        for t in closure(asserted | ontology, parts.rules)
        if t.predicate.value not in mask.revealing
        and t.predicate.value != RDFS + "subClassOf"
        and (k := key_of(t)) is not None
        and k[0] in data
        and k not in kept
    }
    inferred -= copies(kept | inferred, parts.vocabulary)
    return EncoderView(tuple(sorted(kept | inferred)), names, said)


def asserted_keys(parts: Parts, resolution: Resolution, mask: Mask, items: Sequence[ItemRow]) -> set[Key]:
    """What sources assert of what encoders may read, without what follows from it; see :func:`encoder_view`."""
    hidden_items = frozenset(i.iri for i in items if OWL_CLASS not in i.types)
    visible = _visible(parts, resolution, mask, items, (), hidden_items)
    return {k for t in visible if (k := key_of(t)) is not None}


def _visible(
    parts: Parts,
    resolution: Resolution,
    mask: Mask,
    items: Sequence[ItemRow],
    extra: Sequence[Fact],
    hidden_items: frozenset[str],
) -> set[ox.Triple]:
    return {
        t
        for t in _asserted(parts, resolution, mask, items, extra, hidden_items)
        if not mask.hides(text(t.subject), t.predicate.value, text(t.object), hidden_items)
    }


def arrays(view: EncoderView, parts: Parts) -> GraphArrays:
    """The view as integers, with a text feature for every named node and literal."""
    nodes = sorted({n for s, _, o in view.triples for n in (s, o)})
    relations = sorted({p for _, p, _ in view.triples})
    at = {n: i for i, n in enumerate(nodes)}
    rel = {r: i for i, r in enumerate(relations)}
    edges = np.array([(at[s], rel[p], at[o]) for s, p, o in view.triples], np.int64).reshape(-1, 3)
    return GraphArrays(tuple(nodes), tuple(relations), edges, text_features(parts, [_text_of(n, view) for n in nodes]))


def text_features(parts: Parts, texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Vectors (n, dim) of texts, zero for blank ones, through the workspace's cache."""
    encoder = parts.text_encoder
    keys = [digest("text", t) for t in texts]
    _, known = parts.features.get(encoder.sha256, keys)
    missing = sorted({t for t, k in zip(texts, known, strict=True) if not k and t.strip()})
    for start in range(0, len(missing), 1024):
        chunk = missing[start : start + 1024]
        parts.features.put(encoder.sha256, [digest("text", t) for t in chunk], encoder.encode(chunk))
    found, _ = parts.features.get(encoder.sha256, keys)
    if found.shape[1] == 0:
        return np.zeros((len(texts), encoder.dim), np.float32)
    return np.asarray(found, np.float32)


def copies(keys: Iterable[Key], vocabulary: Vocabulary) -> set[Key]:
    """Triples that say what another says under a more special property: they tell an encoder nothing."""
    return {
        (s, parent, o)
        for s, p, o in keys
        if (known := vocabulary.properties.get(p)) is not None
        for parent in known.parents
        if parent != p
    }


def _asserted(
    parts: Parts,
    resolution: Resolution,
    mask: Mask,
    items: Sequence[ItemRow],
    extra: Sequence[Fact],
    hidden_items: frozenset[str],
) -> Iterator[ox.Triple]:
    for item in items:
        rows = parts.catalog.sources(item=item.iri)
        unlabelled = ItemRow(
            iri=item.iri,
            identifier=item.identifier,
            label=item.label,
            types=item.types,
            manifest=item.manifest,
            links=item.links,
        )
        yield from graph_facts.item_triples(unlabelled, rows)
    for fact in (*resolution.facts, *extra):
        if not mask.hides_fact(fact, hidden_items):
            yield graph_facts.fact_triple(fact)
    for row in parts.catalog.sources(kind="rdf"):
        yield from (q.triple for q in parts.store.quads(graph=source_iri(row.name)))


def key_of(t: ox.Triple) -> Key | None:
    """A triple's key, or ``None`` for what no encoder needs."""
    predicate = t.predicate.value
    if not isinstance(t.subject, ox.NamedNode) or predicate in _TEXTUAL or predicate in _BOOKKEEPING:
        return None
    if predicate.startswith((*_SCHEMA, PROV, DCTERMS)) and predicate not in _KEPT_SCHEMA:
        return None
    if isinstance(t.object, ox.Literal):
        return (t.subject.value, predicate, str(t.object))
    if not isinstance(t.object, ox.NamedNode) or t.object.value.startswith(_SCHEMA):
        return None
    return (t.subject.value, predicate, t.object.value)


def _text_of(node: str, view: EncoderView) -> str:
    if node.startswith('"'):
        return node[1 : node.rindex('"')]
    return view.names.get(node, "")

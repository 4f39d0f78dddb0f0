"""Answers in the graph: ``kgf:predicted``, apart from what is asserted, and never read back as evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kgfuse.graph import GraphStore
from kgfuse.graph.nodes import named, text
from kgfuse.graph.provenance_lines import decimal
from kgfuse.terms.namespaces import GRAPH_PREDICTED, KGF, MODEL, PROV, RDF, STATEMENT, digest

_ABOUT = named(KGF + "aboutItem")
_PREDICATE = named(RDF + "predicate")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the graph keeps it.

    Args:
        item: IRI.
        property: IRI of the property that was predicted.
        values: (IRI, probability) of the classes given; none where the model abstains.
        model: name of the model.
    """

    item: str
    property: str
    values: tuple[tuple[str, float], ...]
    model: str


def write_answers(store: GraphStore, answers: Sequence[Answer]) -> None:
    """Write answers in place of what was predicted of these items and properties before."""
    if not answers:
        return
    renewed = {(a.item, a.property) for a in answers}
    triples = [q.triple for q in store.quads(graph=GRAPH_PREDICTED)]
    item = {t.subject: text(t.object) for t in triples if t.predicate == _ABOUT}
    prop = {t.subject: text(t.object) for t in triples if t.predicate == _PREDICATE}
    stale = {s for s in item if (item[s], prop.get(s, "")) in renewed}
    kept = [t for t in triples if t.subject not in stale and (text(t.subject), t.predicate.value) not in renewed]
    fresh = [t for a in answers for value, p in a.values for t in _statement(a, value, p)]
    store.replace_graph(GRAPH_PREDICTED, [*kept, *fresh])


def _statement(answer: Answer, value: str, probability: float) -> Iterator[ox.Triple]:
    model = named(MODEL + answer.model)
    s, p, o = named(answer.item), named(answer.property), named(value)
    node = named(STATEMENT + digest(GRAPH_PREDICTED, answer.item, answer.property, value, model.value))
    yield ox.Triple(s, p, o)
    yield ox.Triple(node, named(RDF + "type"), named(RDF + "Statement"))
    yield ox.Triple(node, named(RDF + "subject"), s)
    yield ox.Triple(node, _PREDICATE, p)
    yield ox.Triple(node, named(RDF + "object"), o)
    yield ox.Triple(node, _ABOUT, s)
    yield ox.Triple(node, named(KGF + "probability"), decimal(probability))
    yield ox.Triple(node, named(PROV + "wasGeneratedBy"), model)

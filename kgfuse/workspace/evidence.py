"""The evidence chain: from an answer to the statements it rests on, and from those to characters and pixels.

What is cited is tested: the answer is computed again without it, beside the same with as much removed at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kgfuse.encode.preprocess_text import sentences
from kgfuse.explain.chain import Evidence, Explanation, Neighbour, Passage, Place
from kgfuse.explain.nearest import nearest_items
from kgfuse.explain.shares import modality_shares
from kgfuse.terms.mentions import Fact, Mention, Region, TextSpan
from kgfuse.terms.namespaces import local_name
from kgfuse.workspace import facts as graph_facts
from kgfuse.workspace.consequences import consequences, neighbourhood
from kgfuse.workspace.counterfactuals import Counterfactuals, Unit, change_of, check_of, effects_of
from kgfuse.workspace.encoderview import Key, key_of
from kgfuse.workspace.whereabouts import place_of

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Context, Prediction

CITED = 3
NEAREST = 3


def explain(prediction: Prediction, context: Context) -> Explanation:
    """Explain one answer; see :class:`Explanation`."""
    counter = Counterfactuals(prediction, context)
    statements, statement_units = _statements(counter)
    passages, passage_units = _passages(counter)
    units = [*statement_units, *passage_units]
    effects = effects_of(counter, units)
    statements = [replace(e, effect=effects[n]) for n, e in enumerate(statements)]
    passages = [replace(p, effect=effects[n]) for n, p in enumerate(passages, len(statements))]
    order = sorted(range(len(units)), key=lambda n: -effects[n])
    cited = [n for n in order[:CITED] if effects[n] > 0]
    check = check_of(counter, units, cited)
    said = [*(e.text for e in statements), *map(_said, passages)]
    change = change_of(counter, units, effects, said)
    statements = [replace(e, cited=n in cited) for n, e in enumerate(statements)]
    passages = [replace(p, cited=n in cited) for n, p in enumerate(passages, len(statements))]
    shares = modality_shares(
        context.model, context.dataset.data, np.array([context.row]), prediction.target, np.array([counter.answer])
    )
    return Explanation(
        item=prediction.item,
        name=prediction.name,
        label=prediction.ranking[0].label,
        label_iri=prediction.ranking[0].iri,
        probability=prediction.probability,
        shares={m: round(float(v), 6) for m, v in zip(shares.modalities, shares.contribution[0], strict=True)},
        statements=tuple(sorted(statements, key=lambda e: -e.effect)),
        passages=tuple(sorted(passages, key=lambda p: -p.effect)),
        check=check,
        change=change,
        nearest=_nearest(counter),
    )


def _said(passage: Passage) -> str:
    place = passage.place
    if place.box is not None:
        x, y, w, h = place.box
        return f"the region {x},{y} {w}×{h} px of {place.source}"
    return f"“{place.exact}”"


def _nearest(counter: Counterfactuals) -> tuple[Neighbour, ...]:
    """Training items most like the item, with their answers."""
    context, data = counter.context, counter.data
    target = data.target(counter.question)
    learned = [n for n, iri in enumerate(data.items) if iri in context.learned and target.labelled[n]]
    alike = nearest_items(
        context.model, data, counter.row, np.array(learned, np.int64), NEAREST, prepared=counter.prepared
    )
    found = []
    for one in alike:
        item, labels = context.dataset.samples[one.row].item, target.labels[one.row]
        own = np.flatnonzero(labels) if target.multi_label else [int(labels)]
        by = {str(m): round(v, 4) for m, v in one.by.items()}
        names = tuple(target.classes.labels[int(c)] for c in own)
        found.append(Neighbour(item.iri, item.label or item.identifier, names, round(one.likeness, 4), by))
    return tuple(found)


def _statements(counter: Counterfactuals) -> tuple[list[Evidence], list[Unit]]:
    """Every asserted statement about the item, to be removed with all that follows from it."""
    context = counter.context
    view, graph = context.dataset.view, context.dataset.data.graph
    item = context.dataset.samples[context.row].item.iri
    at = {n: i for i, n in enumerate(graph.nodes)}
    relation = {r: i for i, r in enumerate(graph.relations)}
    position = {tuple(e): i for i, e in enumerate(graph.edges.tolist())}

    def edge(key: Key) -> int | None:
        s, p, o = key
        if s not in at or o not in at or p not in relation:
            return None
        return position.get((at[s], relation[p], at[o]))

    local = neighbourhood(view.asserted, item)
    asserted = sorted(k for k in local if item in (k[0], k[2]) and edge(k) is not None)
    ontology = [t for pack in context.parts.packs for t in pack.triples]
    lost = consequences(local, ontology, context.parts.rules, asserted)
    facts = _facts_by_key(context)
    found, units = [], []
    for key in asserted:
        follows = [k for k in lost[key] if edge(k) is not None]
        unit = Unit(edges=np.array([n for k in (key, *follows) if (n := edge(k)) is not None], np.int64))
        found.append(_evidence(key, follows, facts.get(key, []), context))
        units.append(unit)
    return found, units


def _facts_by_key(context: Context) -> dict[Key, list[Fact]]:
    item = context.dataset.samples[context.row].item.iri
    found: dict[Key, list[Fact]] = {}
    for fact in (*context.found.resolution.facts, *context.extra):
        if item in (fact.subject, fact.object):
            key = key_of(graph_facts.fact_triple(fact))
            if key is not None:
                found.setdefault(key, []).append(fact)
    return found


def _evidence(key: Key, follows: Sequence[Key], facts: Sequence[Fact], context: Context) -> Evidence:
    mentions = {m.iri: m for f in facts for m in f.evidence}
    places = [p for iri in sorted(mentions) if (p := place(mentions[iri], context)) is not None]
    return Evidence(
        subject=key[0],
        predicate=key[1],
        object=key[2],
        text=words(key, context),
        effect=0.0,
        follows=tuple(words(k, context) for k in follows),
        confidence=max((f.confidence for f in facts), default=1.0),
        extractor=facts[0].extractor if facts else "import",
        reason="; ".join(sorted({f.reason for f in facts})),
        places=tuple(places),
    )


def words(key: Key, context: Context) -> str:
    """A statement in words."""

    def name(term: str) -> str:
        if term.startswith('"'):
            return term
        item = context.parts.catalog.item(term)
        if item is not None:
            return item.label or item.identifier
        return context.dataset.view.names.get(term) or local_name(term).replace("-", " ")

    known = context.parts.vocabulary.properties.get(key[1])
    return f"{name(key[0])} · {known.label if known else local_name(key[1])} · {name(key[2])}"


def place(mention: Mention, context: Context) -> Place | None:
    """Where a mention stands, with the sentence around it."""
    from kgfuse.terms.namespaces import source_iri

    row = next((r for r in _rows(context) if source_iri(r[0]) == mention.source), None)
    if row is None:
        return None
    name, text, sha = row
    selector = mention.selector
    if isinstance(selector, Region):
        return Place(name, "image", box=(selector.x, selector.y, selector.w, selector.h), sha256=sha)
    if isinstance(selector, TextSpan) and text is not None:
        here = (selector.start, selector.end, selector.exact)
        around = next((s for s in sentences(text) if s[0] <= selector.start < s[1]), here)
        spot = Place(name, "text", *here, context_start=around[0], context=around[2])
        return _in_document(spot, context)
    return None


def _in_document(spot: Place, context: Context) -> Place:
    """The place with its page, element or seconds, where its text is a document's or a recording's."""
    row = context.parts.catalog.source(spot.source)
    if row is None:
        return spot
    where = place_of(context.parts.blobs, row, spot.start, spot.end)
    return replace(spot, page=where.page, where=where.words, seconds=where.time)


def _rows(context: Context) -> list[tuple[str, str | None, str]]:
    """Name, text and hash of the item's sources."""
    return [(s.name, s.text, s.sha256) for s in context.dataset.samples[context.row].sources]


def _passages(counter: Counterfactuals) -> tuple[list[Passage], list[Unit]]:
    """Sentences of the item's texts and regions of its pictures."""
    context = counter.context
    found, units = [], []
    texts = [(name, text) for name, text, _ in _rows(context) if text is not None]
    for n, exact in enumerate(counter.sentences):
        unit = Unit(sentence=n)
        name, start = next(((name, t.find(exact)) for name, t in texts if exact in t), ("", -1))
        spot = _in_document(Place(name, "text", start, start + len(exact), exact, start, exact), context)
        found.append(Passage(spot, 0.0))
        units.append(unit)
    for n, spot in enumerate(counter.occlusion.places):
        unit = Unit(region=n)
        found.append(Passage(spot, 0.0))
        units.append(unit)
    return found, units

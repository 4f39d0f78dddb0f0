"""The evidence chain: from an answer to the statements it rests on, and from those to characters and pixels.

What is cited is tested: the answer is computed again without it, beside the same with as much removed at random.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kgfuse.encode.preprocess_text import sentences
from kgfuse.explain.chain import Change, Check, Evidence, Explanation, Neighbour, Passage, Place
from kgfuse.explain.flips import smallest_flip
from kgfuse.explain.nearest import nearest_items
from kgfuse.explain.shares import modality_shares
from kgfuse.fuse.data import BoolArray, FusionData
from kgfuse.terms.mentions import Fact, Mention, Region, TextSpan
from kgfuse.terms.namespaces import local_name
from kgfuse.workspace import facts as graph_facts
from kgfuse.workspace.consequences import consequences, neighbourhood
from kgfuse.workspace.dataset import prepared_text
from kgfuse.workspace.encoderview import Key, key_of, text_features
from kgfuse.workspace.occlusion import Occlusion
from kgfuse.workspace.whereabouts import place_of

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Context, Prediction

CITED = 3
RANDOM_CONTROLS = 10
NEAREST = 3


@dataclass(frozen=True, eq=False, slots=True)
class _Unit:
    """Something that can be removed: edges of the graph, a sentence of the text, or a region of the picture."""

    edges: BoolArray | None = None
    sentence: int = -1
    region: int = -1


class _Counterfactuals:
    """Answers about one item with parts of its evidence removed."""

    def __init__(self, prediction: Prediction, context: Context) -> None:
        self.context = context
        self.data = context.dataset.data
        self.row = context.row
        self.question = prediction.target
        self.prepared = context.model.prepare(self.data)
        scores = self._scores(self.data, None)
        self.classes = scores.classes
        self.answer = int(np.argmax(scores.probabilities[0]))
        self.before = float(scores.probabilities[0, self.answer])
        sample = context.dataset.samples[context.row]
        self.sentences = [exact for text in sample.texts for _, _, exact in sentences(text)]
        self.occlusion = Occlusion(context)
        self._known: dict[frozenset[_Unit], tuple[float, int]] = {}

    def probability(self, units: Iterable[_Unit]) -> tuple[float, int]:
        """Probability of the answer, and the best class, without these."""
        removed = frozenset(units)
        if removed not in self._known:
            self._known[removed] = self._without_units(removed)
        return self._known[removed]

    def _without_units(self, units: Iterable[_Unit]) -> tuple[float, int]:
        drop: BoolArray | None = None
        hidden_sentences, hidden_regions = set(), []
        for unit in units:
            if unit.edges is not None:
                drop = unit.edges if drop is None else drop | unit.edges
            if unit.sentence >= 0:
                hidden_sentences.add(unit.sentence)
            if unit.region >= 0:
                hidden_regions.append(unit.region)
        hidden_regions.sort()
        scores = self._scores(self._without(hidden_sentences, hidden_regions), drop)
        return float(scores.probabilities[0, self.answer]), int(np.argmax(scores.probabilities[0]))

    def label(self, number: int) -> str:
        """Name of a class for people."""
        classes = self.data.target(self.question).classes
        return dict(zip(classes.iris, classes.labels, strict=True))[self.classes[number]]

    def _scores(self, data: FusionData, drop: BoolArray | None) -> Any:
        rows = np.array([self.row], np.int64)
        return self.context.model.predict(data, rows, drop_edges=drop, prepared=self.prepared)[self.question]

    def _without(self, hidden_sentences: set[int], hidden_regions: Sequence[int]) -> FusionData:
        data = self.data
        if hidden_sentences:
            left = [s for n, s in enumerate(self.sentences) if n not in hidden_sentences]
            text, mask = data.text.copy(), data.text_mask.copy()
            text[self.row] = text_features(self.context.parts, [prepared_text(self.context.parts, left)])[0]
            mask[self.row] = bool(left)
            data = replace(data, text=text, text_mask=mask)
        if hidden_regions:
            image = data.image.copy()
            untouched = self.occlusion.features(())
            image[self.row] = data.image[self.row] + self.occlusion.features(hidden_regions) - untouched
            data = replace(data, image=image)
        return data


def explain(prediction: Prediction, context: Context) -> Explanation:
    """Explain one answer; see :class:`Explanation`."""
    counter = _Counterfactuals(prediction, context)
    statements, statement_units = _statements(counter)
    passages, passage_units = _passages(counter)
    units = [*statement_units, *passage_units]
    effects = _effects(counter, units)
    statements = [replace(e, effect=effects[n]) for n, e in enumerate(statements)]
    passages = [replace(p, effect=effects[n]) for n, p in enumerate(passages, len(statements))]
    order = sorted(range(len(units)), key=lambda n: -effects[n])
    cited = [n for n in order[:CITED] if effects[n] > 0]
    check = _check(counter, units, cited)
    said = [*(e.text for e in statements), *map(_said, passages)]
    change = _change(counter, units, effects, said)
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


def _effects(counter: _Counterfactuals, units: Sequence[_Unit]) -> list[float]:
    """What each does to the probability: mean of its removal from all, and of its presence without the others.

    Where two say the same, the answer loses nothing without either.
    """
    none, _ = counter.probability(units)
    found = []
    for unit in units:
        lost = counter.before - counter.probability([unit])[0]
        alone = counter.probability([other for other in units if other is not unit])[0] - none
        found.append(round((lost + alone) / 2, 6))
    return found


def _change(
    counter: _Counterfactuals, units: Sequence[_Unit], effects: Sequence[float], said: Sequence[str]
) -> Change | None:
    flip = smallest_flip(lambda some: counter.probability([units[n] for n in some])[1], effects, counter.answer)
    if flip is None:
        return None
    return Change(tuple(said[n] for n in flip.parts), counter.label(flip.answer), flip.smallest)


def _said(passage: Passage) -> str:
    place = passage.place
    if place.box is not None:
        x, y, w, h = place.box
        return f"the region {x},{y} {w}×{h} px of {place.source}"
    return f"“{place.exact}”"


def _nearest(counter: _Counterfactuals) -> tuple[Neighbour, ...]:
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


def _check(counter: _Counterfactuals, units: Sequence[_Unit], cited: Sequence[int]) -> Check:
    others = [n for n in range(len(units)) if n not in cited]
    without, best = counter.probability([units[n] for n in cited])
    rng = np.random.default_rng(0)
    size = min(len(cited), len(others))
    drawn = [rng.choice(others, size, replace=False) for _ in range(RANDOM_CONTROLS)] if size else []
    random = [counter.probability([units[n] for n in picked])[0] for picked in drawn] or [counter.before]
    only, _ = counter.probability([units[n] for n in others])
    spread = (float(np.mean(random)), float(np.std(random)))
    return Check(counter.before, without, spread, only, counter.label(best))


def _statements(counter: _Counterfactuals) -> tuple[list[Evidence], list[_Unit]]:
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
        mask = np.zeros(len(graph.edges), np.bool_)
        mask[[n for k in (key, *follows) if (n := edge(k)) is not None]] = True
        unit = _Unit(edges=mask)
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


def _passages(counter: _Counterfactuals) -> tuple[list[Passage], list[_Unit]]:
    """Sentences of the item's texts and regions of its pictures."""
    context = counter.context
    found, units = [], []
    texts = [(name, text) for name, text, _ in _rows(context) if text is not None]
    for n, exact in enumerate(counter.sentences):
        unit = _Unit(sentence=n)
        name, start = next(((name, t.find(exact)) for name, t in texts if exact in t), ("", -1))
        spot = _in_document(Place(name, "text", start, start + len(exact), exact, start, exact), context)
        found.append(Passage(spot, 0.0))
        units.append(unit)
    for n, spot in enumerate(counter.occlusion.places):
        unit = _Unit(region=n)
        found.append(Passage(spot, 0.0))
        units.append(unit)
    return found, units

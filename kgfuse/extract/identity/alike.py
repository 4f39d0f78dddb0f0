"""Reasons to take two names for one: short forms within a document, spellings and shared facts across all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from kgfuse.extract.gating.joint import Candidate
from kgfuse.extract.gating.same_value import value_key
from kgfuse.extract.identity.names import initials_fit, misspelt
from kgfuse.extract.identity.unify import Cluster, Clusters, Edge, Key
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import KGF, RDF, label_key

_CROWD = 10
"""So many names around one thing say nothing of each other any more."""


def within(units: Mapping[Key, Cluster], vocabulary: Vocabulary, clusters: Clusters) -> Iterator[Edge]:
    """Short forms of a name that the same document has in full, where only one name fits."""
    people = persons(vocabulary)
    documents: defaultdict[str, list[Key]] = defaultdict(list)
    for key in sorted(units):
        documents[key[1]].append(key)
    for keys in documents.values():
        ends: defaultdict[str, list[Key]] = defaultdict(list)
        starts: defaultdict[str, list[Key]] = defaultdict(list)
        acronyms: defaultdict[str, list[Key]] = defaultdict(list)
        for key in keys:
            name = units[key].name
            if len(name.words) > 1:
                ends[name.words[-1]].append(key)
                starts[name.words[0]].append(key)
            for acronym in name.acronyms:
                acronyms[acronym].append(key)
        for key in sorted(keys, key=lambda k: (-len(units[k].name.words), k)):
            unit = units[key]
            words = unit.name.words
            if unit.name.is_acronym:
                full = [k for k in acronyms[unit.name.short] if k != key]
                yield from _only(key, full, clusters, 0.9, "its initials, in the same document")
                continue
            if not words:
                continue
            fitting = [k for k in ends[words[-1]] if initials_fit(words, units[k].name.words)]
            yield from _only(key, fitting, clusters, 0.9, "initials and surname, in the same document")
            if len(words) == 1:
                named = [k for k in ends[words[0]] if _is_person(units, key, k, people)]
                yield from _only(key, named, clusters, 0.88, "surname of the only such person in the document")
                if not named:
                    given = [k for k in starts[words[0]] if _is_person(units, key, k, people)]
                    yield from _only(key, given, clusters, 0.8, "given name of the only such person in the document")


def across(named: Iterable[Candidate], units: Mapping[Key, Cluster], vocabulary: Vocabulary) -> Iterator[Edge]:
    """Other spellings of one name, and names that share what only one thing can have."""
    first: dict[str, Key] = {}
    for key in sorted(units):
        first.setdefault(key[0], key)
    spelt: defaultdict[tuple[str, ...], list[Key]] = defaultdict(list)
    for key in sorted(first.values()):
        if units[key].name.words:
            spelt[units[key].name.words].append(key)
    for words in sorted(spelt):
        if len(spelt[words]) > 1:
            yield from _variants(spelt[words], units, vocabulary)
    yield from _facts_shared(named, units, vocabulary)


def persons(vocabulary: Vocabulary) -> frozenset[str]:
    """Classes of persons: what the tagger's PERSON stands for, and what is called so."""
    tops = {c for c, k in vocabulary.classes.items() if label_key(k.label) in ("person", "human", "human being")}
    tagged = vocabulary.ner_classes.get("PERSON")
    return frozenset(d for top in (*tops, *((tagged,) if tagged else ())) for d in vocabulary.descendants(top))


def _variants(keys: Sequence[Key], units: Mapping[Key, Cluster], vocabulary: Vocabulary) -> Iterator[Edge]:
    """Spellings of one name; where one has a title or legal form and the other has not, their types must agree."""
    first: dict[tuple[str, ...], Key] = {}
    for key in keys:
        name = units[key].name
        if name.is_surname_with_title:
            continue
        head = first.setdefault(name.folded, key)
        if head != key:
            yield Edge(key, head, 0.95, "the same name but for accents or punctuation")
    heads = sorted(first.values())
    for key in heads[1:]:
        if _related(units[key], units[heads[0]], vocabulary):
            yield Edge(key, heads[0], 0.9, "the same name but for title or legal form")


def _related(one: Cluster, two: Cluster, vocabulary: Vocabulary) -> bool:
    if not one.types and not two.types:
        return True
    return any(a in vocabulary.ancestors(b) or b in vocabulary.ancestors(a) for a in one.types for b in two.types)


def _is_person(units: Mapping[Key, Cluster], short: Key, full: Key, people: frozenset[str]) -> bool:
    """One of them surely is one, and nothing takes either for anything else."""
    known = [units[k].types for k in (short, full) if units[k].types]
    return bool(known) and not any(people.isdisjoint(types) for types in known)


def _only(key: Key, full: Sequence[Key], clusters: Clusters, confidence: float, reason: str) -> Iterator[Edge]:
    """An edge where all that fits is one thing already."""
    if full and len({clusters.root(k) for k in full}) == 1:
        head = min(full, key=lambda k: (-len(clusters.units[k].name.label), k))
        yield Edge(key, head, confidence, reason, directed=True, local=True)


def _facts_shared(named: Iterable[Candidate], units: Mapping[Key, Cluster], vocabulary: Vocabulary) -> Iterator[Edge]:
    identifying: defaultdict[tuple[str, str, bool], dict[str, Key]] = defaultdict(dict)
    around: defaultdict[tuple[str, str, bool], dict[str, Key]] = defaultdict(dict)
    for one in named:
        s = one.statement
        if s.assertion != "asserted" or s.predicate == RDF + "type" or s.predicate.startswith(KGF):
            continue
        key = (one.subject, s.source)
        if key in units:
            around[s.predicate, value_key(one.object), False].setdefault(one.subject, key)
            for limit, turned in vocabulary.limits.get(s.predicate, ()):
                if limit.rule == "functional" and limit.inverse and not limit.cls and not turned:
                    literal = isinstance(one.object, Value)
                    identifying[limit.property, value_key(one.object), literal].setdefault(one.subject, key)
        if isinstance(one.object, str) and (key := (one.object, s.source)) in units:
            around[s.predicate, one.subject, True].setdefault(one.object, key)
    for (prop, _, literal), who in sorted(identifying.items()):
        keys = sorted(who.values())
        for a, b in combinations(keys[:_CROWD], 2):
            if literal or not set(units[a].name.words).isdisjoint(units[b].name.words):
                yield Edge(a, b, 0.93, f"both have the same “{vocabulary.label(prop)}”, which only one thing has")
    for (prop, _, _), who in sorted(around.items()):
        if not 1 < len(who) <= _CROWD:
            continue
        for a, b in combinations(sorted(who.values()), 2):
            yield from _neighbours(a, b, units, vocabulary.label(prop))


def _neighbours(a: Key, b: Key, units: Mapping[Key, Cluster], prop: str) -> Iterator[Edge]:
    """Names that resemble each other and share a fact."""
    one, two = units[a].name.words, units[b].name.words
    if initials_fit(one, two):
        yield Edge(a, b, 0.85, f"initials and surname fit, and “{prop}” says the same of both", directed=True)
    elif initials_fit(two, one):
        yield Edge(b, a, 0.85, f"initials and surname fit, and “{prop}” says the same of both", directed=True)
    elif misspelt(one, two):
        yield Edge(a, b, 0.8, f"almost the same spelling, and “{prop}” says the same of both")

"""Which names mean one thing, and where one name means two: within a document and across all of them.

What one document calls by one name is one thing, and a unit here. Units are joined for reasons of very different
strength: names, types, what else is said of them, what a person says. Only units that share a key are ever compared, so
the work grows with the number of mentions. Nothing is lost: a merge is a record that can be taken back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kgfuse.extract.gating.conflict import TYPE
from kgfuse.extract.gating.joint import Candidate
from kgfuse.extract.gating.same_value import PRECISIONS, value_key
from kgfuse.extract.identity.alike import across, within
from kgfuse.extract.identity.gazetteer import Entry, Gazetteer
from kgfuse.extract.identity.linking import Links, Unclear, Wish, link
from kgfuse.extract.identity.names import Name
from kgfuse.extract.identity.unify import Cluster, Clusters, Edge, Key
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Value
from kgfuse.terms.namespaces import ENTITY, digest, entity_iri, label_key

__all__ = ["Identity", "Merge", "Unclear", "Wish", "identify"]

_FIRM = 0.9
"""Types less sure than this let no two things of one name come apart: taggers err more often than that."""
_HOMONYMS = 20


@dataclass(frozen=True, slots=True)
class Merge:
    """A name that is taken for another one, or (where ``apart``) for none of the things that have the same name.

    Args:
        iri: of the name.
        into: what it is taken for.
        label: the name as it is written.
        sources: where that holds.
        reason: for people.
        confidence: 0 to 1.
        apart: it was told from others of its name.
    """

    iri: str
    into: str
    label: str
    sources: tuple[str, ...]
    reason: str
    confidence: float
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """What each name of each source means, where that is not what its own IRI says.

    Args:
        of: IRI by name and source.
        why: the merge that says so.
        merges: all of them.
        linked: entries of gazetteers that names were linked to, by IRI.
        unclear: names that fit several entries, between which nothing decides.
        lasting: what a further source may rely on: names that mean the same other thing in every source, for reasons
            that do not lie within one of them.
    """

    of: Mapping[Key, str] = field(default_factory=dict)
    why: Mapping[Key, Merge] = field(default_factory=dict)
    merges: tuple[Merge, ...] = ()
    linked: Mapping[str, Entry] = field(default_factory=dict)
    unclear: tuple[Unclear, ...] = ()
    lasting: tuple[Wish, ...] = ()

    def apply(self, one: Candidate) -> Candidate:
        """A statement about what its names mean."""
        source = one.statement.source
        subject = self.of.get((one.subject, source), one.subject)
        value = self.of.get((one.object, source), one.object) if isinstance(one.object, str) else one.object
        if subject == one.subject and value == one.object:
            return one
        whys = (self.why.get((end, source)) for end in (one.subject, one.object) if isinstance(end, str))
        subject_types = one.subject_types if subject == one.subject else self._types(subject)
        object_types = one.object_types
        if isinstance(value, str) and value != one.object:
            object_types = self._types(value)
        note = "; ".join(f"“{w.label}” taken for {_short(w.into)}: {w.reason}" for w in whys if w is not None)
        return replace(
            one, subject=subject, object=value, subject_types=subject_types, object_types=object_types, note=note
        )

    def _types(self, iri: str) -> tuple[str, ...]:
        return self.linked[iri].types if iri in self.linked else ()


def identify(
    named: Sequence[Candidate],
    vocabulary: Vocabulary,
    wishes: Iterable[Wish] = (),
    gazetteer: Gazetteer | None = None,
) -> Identity:
    """Decide which names mean the same; the outcome depends on the set of statements alone.

    Args:
        named: statements with their ends named, in a fixed order.
        vocabulary: disjointness, functional properties, which class is that of persons.
        wishes: what people decided; it comes before everything else.
        gazetteer: identifiers to link to.
    """
    units = _units(named, vocabulary)
    if not units:
        return Identity()
    asked = sorted(wishes, key=lambda w: (w.a, w.b))
    links = Links() if gazetteer is None else link(named, units, vocabulary, gazetteer, asked)
    clusters = Clusters(units, vocabulary, [(w.a, w.b) for w in asked if not w.same])
    keys = sorted(units)
    at: defaultdict[str, list[Key]] = defaultdict(list)
    for key in keys:
        at[key[0]].append(key)
    told = {w.a: w for w in asked if w.same and w.b not in at and w.a in at}
    for wish in asked:
        if wish.same and wish.b in at:
            for key in at.get(wish.a, ()):
                clusters.join(Edge(key, at[wish.b][0], 1.0, wish.reason, directed=True), force=True)
            for key in at[wish.b]:
                clusters.join(Edge(key, at[wish.b][0], 1.0, "same name"), force=True)
    short = set()
    for edge in within(units, vocabulary, clusters):
        if clusters.join(edge) and not units[edge.a].name.is_acronym:
            short.add(edge.a)
    _same_names(at, short, clusters)
    for edge in across(named, units, vocabulary):
        clusters.join(edge)
    names = _names(clusters, units, vocabulary)
    return _identity(units, clusters, names, links, told, asked)


def _same_names(at: Mapping[str, Sequence[Key]], short: set[Key], clusters: Clusters) -> None:
    """Join what has one name, unless something tells one from another."""
    for iri in sorted(at):
        rest = [key for key in at[iri] if key not in short]
        rest.sort(key=lambda k: (-clusters.units[k].uses, k))
        heads: list[Key] = []
        for key in rest:
            edges = (Edge(key, head, 0.95, "same name") for head in heads[:_HOMONYMS])
            if not any(clusters.join(edge, homonym=True) for edge in edges):
                heads.append(key)


def _units(named: Iterable[Candidate], vocabulary: Vocabulary) -> dict[Key, Cluster]:
    spellings: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    units: dict[Key, Cluster] = {}
    for one in named:
        s = one.statement
        if s.assertion == "negated":
            continue
        for node, iri in ((s.subject, one.subject), (s.object, one.object)):
            if isinstance(node, Mention) and isinstance(iri, str) and iri.startswith(ENTITY):
                key = (iri, s.source)
                unit = units.setdefault(key, Cluster())
                spellings[key][node.label.strip()] += 1
                unit.uses += 1
                unit.types.update(node.types)
                if node.confidence >= _FIRM:
                    unit.firm.update(node.types)
        key = (one.subject, s.source)
        if key not in units:
            continue
        if s.predicate == TYPE and isinstance(one.object, str) and one.object in vocabulary.classes:
            units[key].types.add(one.object)
            units[key].firm.add(one.object)
        for limit, turned in vocabulary.limits.get(s.predicate, ()):
            if limit.rule == "functional" and not limit.cls and not limit.inverse and not turned:
                if isinstance(one.object, Value) and one.object.datatype in PRECISIONS:
                    units[key].dates[limit.property].add(one.object.lexical)
                else:
                    units[key].values[limit.property].add(value_key(one.object))
    names: dict[str, Name] = {}  # what a name consists of is worked out once, however many sources use it
    for key, unit in units.items():
        label = min(spellings[key].items(), key=lambda c: (-c[1], c[0]))[0]
        unit.name = names.setdefault(label, Name(label))
        unit.iris.add(key[0])
    return units


def _names(clusters: Clusters, units: Mapping[Key, Cluster], vocabulary: Vocabulary) -> dict[Key, str]:
    """An IRI for each cluster, by its root: that of the name it is best known under, told apart where two want it."""
    wanted: defaultdict[str, list[tuple[int, Key, Key]]] = defaultdict(list)
    names: dict[Key, str] = {}
    for root, members in clusters.groups():
        if links := clusters.units[root].links:
            names[root] = min(links)
            continue
        uses: Counter[str] = Counter()
        for key in members:
            if key not in clusters.shortened:
                uses[key[0]] += units[key].uses
        if not uses:
            uses.update(key[0] for key in members)
        best = min(uses, key=lambda i: ("(" in i or "%28" in i, -uses[i], -len(i), i))
        wanted[best].append((-sum(units[k].uses for k in members), min(members), root))
    for iri in sorted(wanted):
        used = {iri}
        for n, (_, first, root) in enumerate(sorted(wanted[iri])):
            name = iri
            if n:
                kinds = sorted(clusters.units[root].firm)
                name = f"{iri}--{entity_iri(vocabulary.label(kinds[0])).removeprefix(ENTITY)}" if kinds else iri
                if name in used:
                    name = f"{iri}--{digest(first[1])[:6]}"
            used.add(name)
            names[root] = name
    return names


def _identity(
    units: Mapping[Key, Cluster],
    clusters: Clusters,
    names: Mapping[Key, str],
    links: Links,
    told: Mapping[str, Wish],
    asked: Iterable[Wish],
) -> Identity:
    renamed = {w.a: w for w in asked if w.same}
    of: dict[Key, str] = {}
    why: dict[Key, Merge] = {}
    grouped: defaultdict[tuple[str, str, str, float, bool], list[Key]] = defaultdict(list)
    meant: defaultdict[str, set[str]] = defaultdict(set)
    bound: set[str] = set()
    for key in sorted(units):
        into = names[clusters.root(key)]
        wish = told.get(key[0]) or renamed.get(into)
        apart = into != key[0] and into.startswith(key[0] + "--")
        edge = clusters.reason(key)
        reason, confidence = (edge.reason, edge.confidence) if edge is not None else ("", 1.0)
        if apart:
            reason, confidence = "other things of this name are of another kind or time", 0.9
        if into in links.entries:
            own = links.reasons.get(key)
            reason = own or reason or "as in other sources, where it is linked"
            confidence = min(confidence, 0.9)
        if wish is not None and wish.b != key[0]:
            into, reason, confidence, apart = wish.b, wish.reason, 1.0, False
        meant[key[0]].add(into)
        if apart or (edge is not None and edge.local and wish is None):
            bound.add(key[0])
        if into != key[0]:
            of[key] = into
            grouped[key[0], into, reason, confidence, apart].append(key)
    merges: list[Merge] = []
    for (iri, into, reason, confidence, apart), keys in sorted(grouped.items()):
        label = units[keys[0]].name.label
        merges.append(Merge(iri, into, label, tuple(k[1] for k in keys), reason, confidence, apart))
        why.update(dict.fromkeys(keys, merges[-1]))
    used = set(of.values())
    linked = {iri: entry for iri, entry in links.entries.items() if iri in used}
    lasting = tuple(
        Wish(iri, into, True)
        for iri, intos in sorted(meant.items())
        for into in intos
        if len(intos) == 1 and into != iri and iri not in bound
    )
    return Identity(of, why, tuple(merges), linked, links.unclear, lasting)


def _short(iri: str) -> str:
    return f"“{label_key(iri.removeprefix(ENTITY))}”" if iri.startswith(ENTITY) else f"<{iri}>"

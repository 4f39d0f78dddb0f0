"""Joining units into clusters in which nothing contradicts anything, each join with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from kgfuse.extract.gating.same_value import dates_agree
from kgfuse.extract.identity.names import Name
from kgfuse.ontology.vocabulary import Vocabulary

Key: TypeAlias = tuple[str, str]
"""A name's IRI and the source that uses it."""


def _sets() -> defaultdict[str, set[str]]:
    return defaultdict(set)


@dataclass(slots=True)
class Cluster:
    """What is known of what a name means in one source, or of all names joined.

    Args:
        name: most frequent spelling.
        uses: how often it is mentioned.
        types: all classes that anybody takes it for.
        firm: those that are all but certain.
        dates, values: what it has of functional properties.
        iris: names in the cluster.
        links: identifiers from gazetteers.
        unclear: a gazetteer has several things of this name, and nothing decides between them.
    """

    name: Name = field(default_factory=lambda: Name(""))
    uses: int = 0
    types: set[str] = field(default_factory=set)
    firm: set[str] = field(default_factory=set)
    dates: defaultdict[str, set[str]] = field(default_factory=_sets)
    values: defaultdict[str, set[str]] = field(default_factory=_sets)
    iris: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A reason to take two units for one.

    A directed one says that ``a`` is the shorter or less usual name, a local one holds within one document only.
    """

    a: Key
    b: Key
    confidence: float
    reason: str
    directed: bool = False
    local: bool = False


class Clusters:
    """A union of units that refuses what contradicts.

    Args:
        units: by key.
        vocabulary: for disjoint classes.
        apart: pairs of IRIs that a person keeps apart.
    """

    def __init__(self, units: Mapping[Key, Cluster], vocabulary: Vocabulary, apart: Iterable[tuple[str, str]]) -> None:
        self._parent = {key: key for key in units}
        self._vocabulary = vocabulary
        self._apart: defaultdict[str, set[str]] = defaultdict(set)
        for a, b in apart:
            self._apart[a].add(b)
            self._apart[b].add(a)
        self.units: dict[Key, Cluster] = {
            key: Cluster(
                u.name,
                u.uses,
                set(u.types),
                set(u.firm),
                _copied(u.dates),
                _copied(u.values),
                set(u.iris),
                set(u.links),
                u.unclear,
            )
            for key, u in units.items()
        }
        self.shortened: set[Key] = set()
        self._reasons: dict[Key, Edge] = {}

    def root(self, key: Key) -> Key:
        """The unit that stands for the cluster."""
        while self._parent[key] != key:
            self._parent[key] = key = self._parent[self._parent[key]]
        return key

    def reason(self, key: Key) -> Edge | None:
        """Why a unit is where it is."""
        return self._reasons.get(key)

    def groups(self) -> Iterator[tuple[Key, list[Key]]]:
        """Every cluster with its units."""
        found: defaultdict[Key, list[Key]] = defaultdict(list)
        for key in sorted(self._parent):
            found[self.root(key)].append(key)
        yield from sorted(found.items())

    def join(self, edge: Edge, *, homonym: bool = False, force: bool = False) -> bool:
        """Join two clusters; false where that would contradict something.

        Args:
            edge: why.
            homonym: they have one name; only firm types and dates tell them apart.
            force: a person wants it.
        """
        a, b = self.root(edge.a), self.root(edge.b)
        if a != b:
            one, two = self.units[a], self.units[b]
            if not force and self._clash(one, two, homonym=homonym):
                return False
            self._parent[a] = b
            two.unclear = two.unclear or one.unclear
            two.uses += one.uses
            for mine, theirs in (
                (two.types, one.types),
                (two.firm, one.firm),
                (two.iris, one.iris),
                (two.links, one.links),
            ):
                mine |= theirs
            for said, more in ((two.dates, one.dates), (two.values, one.values)):
                for prop, values in more.items():
                    said[prop] |= values
        if edge.a[0] != edge.b[0]:
            for key in (edge.a,) if edge.directed else (edge.a, edge.b):
                self._reasons.setdefault(key, edge)
            if edge.directed:
                self.shortened.add(edge.a)
        return True

    def _clash(self, one: Cluster, two: Cluster, *, homonym: bool) -> bool:
        if any(not self._apart[i].isdisjoint(two.iris) for i in one.iris if i in self._apart):
            return True
        if one.links and two.links and one.links.isdisjoint(two.links):
            return True
        if homonym and ((one.unclear and two.links) or (two.unclear and one.links)):
            return True
        if homonym and _agree(one, two):
            return False
        mine, theirs = (one.firm, two.firm) if homonym else (one.types, two.types)
        if mine != theirs and any(self._vocabulary.are_disjoint(x, y) for x in mine for y in theirs):
            return True
        for prop, dates in one.dates.items():
            other = two.dates.get(prop, set())
            if other and not any(dates_agree(x, y) for x in dates for y in other):
                return True
        if homonym:  # two sources may well differ on one thing; the gate then decides between them
            return False
        return any((v := two.values.get(p)) and v.isdisjoint(values) for p, values in one.values.items())


def _agree(one: Cluster, two: Cluster) -> bool:
    return any(not values.isdisjoint(two.values.get(p, ())) for p, values in one.values.items())


def _copied(sets: Mapping[str, set[str]]) -> defaultdict[str, set[str]]:
    return defaultdict(set, {key: set(values) for key, values in sets.items()})

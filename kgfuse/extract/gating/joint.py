"""The gate's joint decision: of all that sources say, the most believable set in which nothing contradicts anything.

A triple is a choice, and so is a type that an extractor is sure of. A choice weighs what it would take for all sources
that say so to be wrong: the sum over them of ``-log(1 - confidence)``. What a person decided is fixed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from kgfuse.extract.gating.choose import Bound, Option, Problem, best
from kgfuse.extract.gating.conflict import TYPE, Choice, Explaining
from kgfuse.extract.gating.gate import CLASS_LIKE, TOP
from kgfuse.extract.gating.same_value import ladder, value_key
from kgfuse.ontology.limits import Limit
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import REVIEW, Statement, Value

_CERTAIN: Final = 0.999
_SHARE: Final = 0.5
"""What is only supposed or reported weighs this much of what is asserted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement with both ends named, what is known of them whatever is decided here, and how they were named."""

    statement: Statement
    run: str
    subject: str
    object: str | Value
    subject_types: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()
    note: str = ""

    @property
    def triple(self) -> tuple[str, str, str]:
        """What it says, to compare."""
        return self.subject, self.statement.predicate, repr(self.object)


@dataclass(frozen=True, slots=True)
class TypeClaim:
    """Extractors are sure that a thing is of a class: how sure, by source."""

    iri: str
    cls: str
    sources: tuple[tuple[str, float], ...]

    @property
    def surest(self) -> float:
        """The highest confidence."""
        return max(confidence for _, confidence in self.sources)


@dataclass(frozen=True, slots=True)
class Given:
    """A triple that holds whatever sources say, such as a manifest's link."""

    subject: str
    predicate: str
    object: str | Value
    source: str


Givens: TypeAlias = Callable[[Collection[str]], Iterable[Given]]
"""What is given that has to do with some things."""


def nothing(ends: Collection[str]) -> Iterable[Given]:
    """Nothing is given."""
    return ()


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome.

    Args:
        rejected: candidates by their place among those given, with rule and reason.
        types: accepted type claims.
    """

    rejected: Mapping[int, tuple[str, str]]
    types: tuple[TypeClaim, ...]


@dataclass(slots=True)
class _Building:
    """The problem under construction."""

    vocabulary: Vocabulary
    # classes that statements speak of as if they were things: what is said of their members is not said of them
    classes: frozenset[str]
    choices: list[Choice] = field(default_factory=list)
    claims: defaultdict[str, list[tuple[int, tuple[str, ...]]]] = field(default_factory=lambda: defaultdict(list))
    known: dict[tuple[str, str], int] = field(default_factory=dict)
    counted: defaultdict[tuple[Limit, str], list[tuple[int, str | Value]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, choice: Choice) -> int:
        self.choices.append(choice)
        return len(self.choices) - 1

    def certain_type(self, iri: str, cls: str) -> None:
        """Note a type that is no matter of choice."""
        if (iri, cls) not in self.known:
            n = self.add(Choice(iri, TYPE, cls, fixed=True, is_type=True))
            self.known[iri, cls] = n
            self.claims[iri].append((n, (cls,)))

    def says(self, n: int) -> None:
        """Note what a statement makes of its ends, and which limits count it."""
        choice = self.choices[n]
        if choice.predicate == TYPE:
            if isinstance(choice.object, str) and choice.object not in TOP:
                self.claims[choice.subject].append((n, (choice.object,)))
            return
        prop = self.vocabulary.properties.get(choice.predicate)
        if prop is not None:
            for node, classes in ((choice.subject, prop.domain), (choice.object, prop.range)):
                if isinstance(node, str) and classes and _binds(classes) and node not in self.classes:
                    self.claims[node].append((n, classes))
        for limit, turned in self.vocabulary.limits.get(choice.predicate, ()):
            if limit.rule == "asymmetric":
                if isinstance(choice.object, str) and choice.object != choice.subject:
                    ends = (choice.subject, choice.object)
                    first, second = reversed(ends) if turned else ends
                    self.counted[limit, "\n".join(sorted(ends))].append((n, f"{first}\n{second}"))
            elif turned == limit.inverse:
                self.counted[limit, choice.subject].append((n, choice.object))
            else:
                self.counted[limit, value_key(choice.object)].append((n, choice.subject))


def decide(
    candidates: Sequence[Candidate],
    claims: Iterable[TypeClaim],
    vocabulary: Vocabulary,
    given: Givens = nothing,
) -> Decided:
    """Choose what enters the graph.

    Args:
        candidates: statements that nothing speaks against when each is looked at alone.
        claims: types that extractors are sure of, for things that nobody knows.
        vocabulary: domains, ranges, disjointness and limits.
        given: triples that hold already.
    """
    building = _Building(vocabulary, _classes(candidates, vocabulary))
    type_choices = {building.add(_type_choice(c)): c for c in sorted(claims, key=lambda c: (c.iri, c.cls))}
    for n, claim in type_choices.items():
        building.claims[claim.iri].append((n, (claim.cls,)))
    ends = {end for one in candidates for end in (one.subject, one.object) if isinstance(end, str)}
    for one in sorted(given(ends), key=repr):
        building.says(building.add(Choice(one.subject, one.predicate, one.object, (), (one.source,), fixed=True)))
    grouped: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for n, candidate in enumerate(candidates):
        grouped[candidate.triple].append(n)
    for triple in sorted(grouped):
        building.says(building.add(_statement_choice(candidates, grouped[triple])))
    for candidate in candidates:
        for iri, types in ((candidate.subject, candidate.subject_types), (candidate.object, candidate.object_types)):
            if isinstance(iri, str):
                for cls in types:
                    if cls not in CLASS_LIKE and cls not in TOP:
                        building.certain_type(iri, cls)
    choices = building.choices
    problem = Problem(
        [c.weight for c in choices],
        vocabulary.are_disjoint,
        frozenset(n for n, c in enumerate(choices) if c.fixed),
        building.claims,
        _bounds(building),
    )
    chosen, tight = best(problem)
    rejected: dict[int, tuple[str, str]] = {}
    explaining = Explaining(choices, vocabulary, tight, chosen)
    for n, choice in enumerate(choices):
        if n not in chosen and choice.of:
            for i in choice.of:
                rejected[i] = explaining.why(n, candidates[i].statement)
    return Decided(rejected, tuple(c for n, c in type_choices.items() if n in chosen))


def _binds(classes: Sequence[str]) -> bool:
    return TOP.isdisjoint(classes) and CLASS_LIKE.isdisjoint(classes)


def _classes(candidates: Iterable[Candidate], vocabulary: Vocabulary) -> frozenset[str]:
    found = set(vocabulary.classes)
    for one in candidates:
        if not CLASS_LIKE.isdisjoint(one.subject_types):
            found.add(one.subject)
        if not CLASS_LIKE.isdisjoint(one.object_types) and isinstance(one.object, str):
            found.add(one.object)
    return frozenset(found)


def _type_choice(claim: TypeClaim) -> Choice:
    weight = sum(_weight(confidence) for _, confidence in claim.sources)
    sources = tuple(sorted(source for source, _ in claim.sources))
    return Choice(claim.iri, TYPE, claim.cls, (), sources, claim.surest, max(weight, 1), is_type=True)


def _statement_choice(candidates: Sequence[Candidate], group: Sequence[int]) -> Choice:
    by_source: defaultdict[str, int] = defaultdict(int)
    fixed = False
    for n in group:
        s = candidates[n].statement
        share = 1.0 if s.assertion == "asserted" else _SHARE
        by_source[s.source] = max(by_source[s.source], round(share * _weight(s.confidence)))
        fixed = fixed or s.extractor == REVIEW
    first = candidates[group[0]]
    return Choice(
        first.subject,
        first.statement.predicate,
        first.object,
        tuple(group),
        tuple(sorted(by_source, key=lambda s: (-by_source[s], s))),
        max(candidates[n].statement.confidence for n in group),
        max(sum(by_source.values()), 1),
        fixed,
        words=_words(first),
    )


def _words(one: Candidate) -> str:
    """What a candidate says, as its source calls things; empty where an end is known by its IRI alone."""
    s = one.statement
    ends = [getattr(end, "label", getattr(end, "lexical", "")) for end in (s.subject, s.object)]
    return " · ".join(ends) if all(ends) else ""


def _weight(confidence: float) -> int:
    """Thousandths of a nat; never nothing, so that what contradicts nothing always enters."""
    return max(round(-1000 * math.log1p(-min(confidence, _CERTAIN))), 1)


def _bounds(building: _Building) -> list[Bound]:
    """What is limited and could overstep its limit."""
    found: list[Bound] = []
    for (limit, node), values in building.counted.items():
        if len(values) <= limit.most:
            continue
        when: tuple[int, ...] = ()
        if limit.cls:
            members = _of_class(building, node, limit.cls)
            if members is None:
                continue
            when = members
        for rung in ladder([value for _, value in values]):
            options = _options(building, limit, [(n, rung.get(value)) for n, value in values])
            if len(options) > limit.most:
                found.append(Bound(options, limit.most, when, (limit, node)))
    return sorted(found, key=lambda b: repr(b.name))


def _options(building: _Building, limit: Limit, values: Iterable[tuple[int, str | None]]) -> tuple[Option, ...]:
    grouped: defaultdict[str, list[int]] = defaultdict(list)
    for n, key in values:
        if key is not None:
            grouped[key].append(n)
    found: list[Option] = []
    for key in sorted(grouped):
        choices = tuple(sorted(set(grouped[key])))
        when: tuple[int, ...] = ()
        value = building.choices[choices[0]].object
        if limit.filler and isinstance(value, Value):
            if value.datatype != limit.filler:
                continue
        elif limit.filler:
            members = _of_class(building, key, limit.filler)
            if members is None:
                continue
            when = members
        found.append(Option(choices, when))
    return tuple(found)


def _of_class(building: _Building, node: str, cls: str) -> tuple[int, ...] | None:
    """The choices that make a node a member; none where it surely is one, ``None`` where nothing makes it one."""
    found = {
        n
        for n, classes in building.claims.get(node, ())
        if len(classes) == 1 and cls in building.vocabulary.ancestors(classes[0])
    }
    if any(building.choices[n].fixed for n in found):
        return ()
    return tuple(sorted(found)) or None

"""How many values a thing may have of a property: functional properties, OWL cardinalities, ``sh:maxCount``.

Least numbers are no concern of anything here: what a text leaves out may be true all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kgfuse.ontology import reading
from kgfuse.ontology.reading import Index
from kgfuse.terms.namespaces import OWL, RDF, SH

_COUNTS: Final = (
    *(OWL + n for n in ("maxCardinality", "cardinality")),
    *(OWL + n for n in ("maxQualifiedCardinality", "qualifiedCardinality")),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many values.

    Args:
        property: that is limited, with all below it.
        most: distinct values that are allowed.
        rule: what it comes from; ``asymmetric`` allows one direction between two things.
        cls: only members of this class are limited; empty limits everything.
        filler: only values of this class are counted; empty counts all.
        inverse: the things that point to one value are counted, not the values of one thing.
    """

    property: str
    most: int
    rule: Literal["functional", "cardinality", "asymmetric"]
    cls: str = ""
    filler: str = ""
    inverse: bool = False


def read_limits(index: Index, shapes: Iterable[Index]) -> tuple[Limit, ...]:
    """All limits that an ontology and its shapes set, each once, in a fixed order."""
    found: set[Limit] = set()
    for p in index.subjects(reading.TYPE):
        if p.startswith("_:"):
            continue
        types = index.nodes(p, reading.TYPE)
        if OWL + "FunctionalProperty" in types:
            found.add(Limit(p, 1, "functional"))
        if OWL + "InverseFunctionalProperty" in types:
            found.add(Limit(p, 1, "functional", inverse=True))
        if OWL + "AsymmetricProperty" in types:
            found.add(Limit(p, 1, "asymmetric"))
    for predicate in (reading.SUBCLASS, OWL + "equivalentClass"):
        for cls in index.subjects(predicate):
            if not cls.startswith("_:"):
                for expression in index.nodes(cls, predicate):
                    found.update(_restrictions(index, cls, expression))
    for cls in index.subjects(OWL + "intersectionOf"):
        if not cls.startswith("_:"):
            found.update(_restrictions(index, cls, cls))
    for shape_index in shapes:
        found.update(_shape_limits(shape_index))
    return tuple(sorted(found, key=repr))


def by_property(
    limits: Sequence[Limit], below: Callable[[str], Iterable[str]], mirrors: Callable[[str], Iterable[str]]
) -> Mapping[str, tuple[tuple[Limit, bool], ...]]:
    """The limits that a statement of each property falls under.

    Args:
        limits: all there are.
        below: a property and all below it.
        mirrors: the properties that say the same with the ends exchanged.

    Returns:
        With each limit, whether the statement says it with its ends exchanged.
    """
    found: defaultdict[str, dict[tuple[Limit, bool], None]] = defaultdict(dict)
    for limit in limits:
        for p in sorted(below(limit.property)):
            found[p].setdefault((limit, False))
            for other in mirrors(p):
                for q in sorted(below(other)):
                    found[q].setdefault((limit, True))
    return {p: tuple(of) for p, of in found.items()}


def _restrictions(index: Index, cls: str, expression: str, depth: int = 8) -> Iterable[Limit]:
    """Limits that hold of all members of a class expression."""
    if (depth and expression.startswith("_:")) or expression == cls:
        for head in index.nodes(expression, OWL + "intersectionOf"):
            for member in index.members(head):
                if member.startswith("_:"):
                    yield from _restrictions(index, cls, member, depth - 1)
    for on in index.nodes(expression, OWL + "onProperty"):
        most = [n for c in _COUNTS if (n := _number(index.one(expression, c))) is not None]
        inverse = next((p for p in index.nodes(on, OWL + "inverseOf") if on.startswith("_:")), "")
        name = inverse or on
        if not most or name.startswith("_:"):
            continue
        fillers = index.nodes(expression, OWL + "onClass", OWL + "onDataRange")
        if any(f.startswith("_:") for f in fillers):
            continue  # a filler without a name cannot be told apart
        filler = next((f for f in fillers if f not in reading.THINGS), "")
        yield Limit(name, min(most), "cardinality", cls, filler, bool(inverse))


def _shape_limits(index: Index) -> Iterable[Limit]:
    """``sh:maxCount`` on a property, for the classes a shape targets; warnings are advice, and limit nothing."""
    for shape in index.subjects(SH + "property"):
        classes = index.nodes(shape, SH + "targetClass")
        if not reading.CLASS_TYPES.isdisjoint(index.nodes(shape, RDF + "type")):
            classes.append(shape)
        for prop in index.nodes(shape, SH + "property"):
            most = _number(index.one(prop, SH + "maxCount"))
            severity = [*index.nodes(shape, SH + "severity"), *index.nodes(prop, SH + "severity")]
            if most is None or any(s != SH + "Violation" for s in severity):
                continue
            for path in index.nodes(prop, SH + "path"):
                inverse = next(iter(index.nodes(path, SH + "inversePath")), "") if path.startswith("_:") else ""
                name = inverse or path
                if name.startswith("_:"):
                    continue
                for cls in classes:
                    yield Limit(name, most, "cardinality", cls, "", bool(inverse))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None

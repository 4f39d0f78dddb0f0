"""Random small graphs that use every construct of the rule table, over few names, so that rules meet."""

from __future__ import annotations

import pyoxigraph as ox
from hypothesis import strategies as st

from kgfuse.reason.rules import RULES, Rule
from tests.reason.turtle import iri, triples

LISTS = triples(
    """:l1 rdf:first :a ; rdf:rest :l1b . :l1b rdf:first :b ; rdf:rest rdf:nil .
       :l2 rdf:first :p ; rdf:rest :l2b . :l2b rdf:first :q ; rdf:rest rdf:nil .
       :l3 rdf:first :r ; rdf:rest rdf:nil . :l4 rdf:first :c ; rdf:rest :l4 ."""
)
NODES = st.sampled_from([iri(n) for n in "abcdx"])
PROPERTIES = st.sampled_from([iri(n) for n in "pqr"])
HEADS = st.sampled_from([iri(n) for n in ("l1", "l2", "l3", "l4")])
VALUES = st.one_of(NODES, st.sampled_from([ox.Literal("1"), ox.Literal("v", language="en"), iri("p")]))


@st.composite
def premises(draw: st.DrawFn) -> list[ox.Triple]:
    """Most of the premises of a rule, its variables drawn from few names."""
    rule: Rule = draw(st.sampled_from(RULES))
    owners = {v.value for v, _ in rule.members} | {premise.list.value for premise in rule.lists}
    predicates = {p[1].value for p in rule.premises if isinstance(p[1], ox.Variable)}
    predicates |= {p[2].value for p in rule.premises if isinstance(p[2], ox.Variable) and "onProperty" in str(p[1])}
    bound: dict[str, object] = {}

    def ground(slot: object) -> object:
        if not isinstance(slot, ox.Variable):
            return slot
        if slot.value not in bound:
            kind = HEADS if slot.value in owners else PROPERTIES if slot.value in predicates else NODES
            bound[slot.value] = draw(kind)
        return bound[slot.value]

    found = [ox.Triple(*map(ground, pattern)) for pattern in rule.premises]
    return found if draw(st.integers(0, 3)) else found[1:]


FACTS = st.builds(lambda s, p, o: [ox.Triple(s, p, o)], NODES, PROPERTIES, VALUES)
TYPES = st.builds(lambda s, o: [ox.Triple(s, triples(":x a :y .")[0].predicate, o)], NODES, NODES)
LIST = st.builds(lambda i: [LISTS[i]], st.integers(0, len(LISTS) - 1))


@st.composite
def graphs(draw: st.DrawFn, most: int = 10) -> list[ox.Triple]:
    """A graph; its lists are whole unless one of their triples is left out."""
    parts = draw(st.lists(st.one_of(premises(), FACTS, TYPES), max_size=most))
    left_out = draw(st.sets(st.integers(0, len(LISTS) - 1), max_size=1))
    spine = [t for i, t in enumerate(LISTS) if i not in left_out]
    return sorted({t for part in parts for t in part} | set(spine), key=str)

"""The OWL 2 RL closure, jointly with packs' CONSTRUCT rules.

``closure`` numbers the terms and lets the engine work on integers. ``plain_closure`` puts the same rule table to a
store as SPARQL, rule by rule; both agree, and a test says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.reason import construct
from kgfuse.reason.construct import ConstructRule, parse_rules
from kgfuse.reason.forward import applicable, consequences
from kgfuse.reason.infer import MAX_ROUNDS, infer
from kgfuse.reason.symbols import Numbering
from kgfuse.reason.trivial import is_premise, is_trivial
from kgfuse.terms.namespaces import RDF

_LISTS: Final = (ox.NamedNode(RDF + "first"), ox.NamedNode(RDF + "rest"))


def closure(
    triples: Iterable[ox.Triple], rules: Sequence[ConstructRule | str] = (), *, max_rounds: int = MAX_ROUNDS
) -> set[ox.Triple]:
    """Everything new that follows from the triples, trivial and generalised triples left out.

    Args:
        triples: what is asserted, with the ontology, as a store gives them back (Oxigraph writes ``007`` as ``7``);
            triples about triple terms take no part; lists are those that are asserted.
        rules: CONSTRUCT rules, or texts of rule files; applied to a joint fixpoint.
        max_rounds: how often the rules may find something new before they are taken to run for ever.

    Returns:
        Inferred triples, none of them in the input. A set: its content, not its order, is determined by the input.

    Raises:
        PackError: a rule creates blank nodes, or the rules find no end.

    >>> a, b, x = (ox.NamedNode("http://example.org/" + n) for n in "abx")
    >>> rdf, rdfs = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/01/rdf-schema#"
    >>> kind, sub = ox.NamedNode(rdf + "type"), ox.NamedNode(rdfs + "subClassOf")
    >>> closure([ox.Triple(a, sub, b), ox.Triple(x, kind, a)]) == {ox.Triple(x, kind, b)}
    True
    """
    numbering = Numbering()
    rows = numbering.rows(triples)
    return set(numbering.triples(infer(rows, numbering, _parsed(rules), max_rounds=max_rounds)))


def plain_closure(
    triples: Iterable[ox.Triple], rules: Sequence[ConstructRule | str] = (), *, max_rounds: int = MAX_ROUNDS
) -> set[ox.Triple]:
    """The same as ``closure`` by the rule table alone: slower, and the yardstick of the fast path."""
    given, constructs = set(triples), _parsed(rules)
    given = {t for t in given if not isinstance(t.object, ox.Triple) and not isinstance(t.subject, ox.Triple)}
    holds = set(given)
    store = ox.Store()
    store.bulk_extend(ox.Quad(*triple) for triple in holds)
    lists = ox.Store()
    lists.extend(ox.Quad(*triple) for triple in given if triple.predicate in _LISTS)
    _saturate(store, lists, constructs, holds, max_rounds)
    return {triple for triple in holds - given if not is_trivial(triple)}


def _parsed(rules: Sequence[ConstructRule | str]) -> list[ConstructRule]:
    parsed = (parse_rules(rule) if isinstance(rule, str) else [rule] for rule in rules)
    return [rule for group in parsed for rule in group]


def _saturate(
    store: ox.Store, lists: ox.Store, rules: Sequence[ConstructRule], holds: set[ox.Triple], max_rounds: int
) -> None:
    """Apply the rules until none finds anything new."""
    for _ in range(max_rounds):
        new = sum(_keep(store, consequences(store, rule, lists), holds) for rule in applicable(store))
        new += sum(_keep(store, construct.consequences(store, rule), holds) for rule in rules)
        if not new:
            return
    names = ", ".join(rule.name for rule in rules) or "none"
    raise PackError(
        f"the rules still find something new after {max_rounds} rounds (CONSTRUCT rules: {names})",
        remedy="some rule mints new IRIs or values from its own results: let it depend on asserted values only",
    )


def _keep(store: ox.Store, derived: Iterable[ox.Triple], holds: set[ox.Triple]) -> int:
    """Add to the store what is new and something may follow from; returns how many that were."""
    new = {triple for triple in derived if triple not in holds and is_premise(triple)}
    holds |= new
    store.extend(ox.Quad(*triple) for triple in new)
    return len(new)

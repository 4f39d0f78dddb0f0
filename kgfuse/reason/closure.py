"""The OWL 2 RL closure, jointly with packs' CONSTRUCT rules.

``closure`` takes the fast path: `reasonable` for the rules that it has, the rule table for those that it lacks.
``plain_closure`` applies the table alone; both agree, and a test says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.reason import construct, fast
from kgfuse.reason.construct import ConstructRule, parse_rules
from kgfuse.reason.forward import applicable, consequences
from kgfuse.reason.rules import NOT_IN_FAST_PATH, RULES, Rule
from kgfuse.reason.trivial import is_premise, is_trivial

MAX_ROUNDS: Final = 100
_SLOW: Final = tuple(rule for rule in RULES if rule.name in NOT_IN_FAST_PATH)


def closure(
    triples: Iterable[ox.Triple], rules: Sequence[ConstructRule | str] = (), *, max_rounds: int = MAX_ROUNDS
) -> set[ox.Triple]:
    """Everything new that follows from the triples, trivial and generalised triples left out.

    Args:
        triples: what is asserted, with the ontology, as a store gives them back (Oxigraph writes ``007`` as ``7``);
            triples about triple terms take no part.
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
    given, constructs = set(triples), _parsed(rules)
    holds = set(given)
    store = ox.Store()
    store.bulk_extend(ox.Quad(*triple) for triple in holds)
    # The rules that the fast reasoner lacks are mostly about the schema, and cheap: going first spares it a round.
    _saturate(store, _SLOW, constructs, holds, max_rounds)
    while _keep(store, fast.entail(holds), holds) and _saturate(store, _SLOW, constructs, holds, max_rounds):
        pass
    return {triple for triple in holds - given if not is_trivial(triple)}


def plain_closure(
    triples: Iterable[ox.Triple], rules: Sequence[ConstructRule | str] = (), *, max_rounds: int = MAX_ROUNDS
) -> set[ox.Triple]:
    """The same as ``closure`` by the rule table alone: slower, and the yardstick of the fast path."""
    given, constructs = set(triples), _parsed(rules)
    holds = set(given)
    store = ox.Store()
    store.bulk_extend(ox.Quad(*triple) for triple in holds)
    _saturate(store, RULES, constructs, holds, max_rounds)
    return {triple for triple in holds - given if not is_trivial(triple)}


def _parsed(rules: Sequence[ConstructRule | str]) -> list[ConstructRule]:
    parsed = (parse_rules(rule) if isinstance(rule, str) else [rule] for rule in rules)
    return [rule for group in parsed for rule in group]


def _saturate(
    store: ox.Store, table: Sequence[Rule], rules: Sequence[ConstructRule], holds: set[ox.Triple], max_rounds: int
) -> int:
    """Apply the rules until none finds anything new; returns how many triples they added."""
    added = 0
    for _ in range(max_rounds):
        new = sum(_keep(store, consequences(store, rule), holds) for rule in applicable(store, table))
        new += sum(_keep(store, construct.consequences(store, rule), holds) for rule in rules)
        if not new:
            return added
        added += new
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

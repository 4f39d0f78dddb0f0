"""The closure under the rule table and any CONSTRUCT rules, over integers: what a build calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.reason import construct
from kgfuse.reason.compiled import CompiledRule
from kgfuse.reason.conjunctive import compile_rules
from kgfuse.reason.construct import ConstructRule
from kgfuse.reason.engine import close, renew
from kgfuse.reason.relations import Ints
from kgfuse.reason.symbols import Symbols
from kgfuse.reason.trivial import is_premise

MAX_ROUNDS: Final = 100


def infer(
    asserted: Ints,
    symbols: Symbols,
    rules: Sequence[ConstructRule] = (),
    *,
    before: tuple[Ints, Ints] | None = None,
    max_rounds: int = MAX_ROUNDS,
) -> Ints:
    """Everything new that follows from triples, by the rule table and CONSTRUCT rules jointly.

    Args:
        asserted: triples (n, 3).
        symbols: the numbering of their terms.
        rules: CONSTRUCT rules. Where all of them compile (`compile_rules`), a change costs what it touches; where one
            does not, everything is computed anew, since it may take back what it said.
        before: what was asserted, and what was inferred from it by the same rules.
        max_rounds: how often rules that do not compile may find something new before they are taken to run for ever.

    Returns:
        Inferred triples (m, 3), none of them asserted, sorted by subject, predicate and object.

    Raises:
        PackError: a rule creates blank nodes, or the rules find no end.
    """
    compiled, rest = compile_rules(rules)
    if rest:
        return _jointly(asserted, symbols, compiled, rest, max_rounds)
    if before is None:
        return close(asserted, symbols, constructs=compiled)
    return renew(asserted, *before, symbols, constructs=compiled)


def _jointly(
    asserted: Ints,
    symbols: Symbols,
    compiled: Sequence[CompiledRule],
    rest: Sequence[ConstructRule],
    max_rounds: int,
) -> Ints:
    """To a joint fixpoint: the engine's closure, then the other rules by SPARQL over a scratch store, and again."""
    store = ox.Store()
    given = asserted
    inferred = close(given, symbols, constructs=compiled)
    stored = np.concatenate((given, inferred))
    for _ in range(max_rounds):
        store.extend(_quads(stored, symbols))
        # only what is derived must say something; what is asserted may be trivial
        new = {
            triple
            for rule in rest
            for triple in construct.consequences(store, rule)
            if is_premise(triple) and ox.Quad(*triple) not in store
        }
        if not new:
            return _minus(np.concatenate((given, inferred)), asserted)
        number: Any = symbols.number
        rows = np.array([[number(term) for term in triple] for triple in sorted(new, key=str)], np.int64)
        before = given, inferred
        given = np.concatenate((given, rows))
        inferred = renew(given, *before, symbols, constructs=compiled)
        stored = np.concatenate((rows, inferred))
    names = ", ".join(rule.name for rule in rest)
    raise PackError(
        f"the rules still find something new after {max_rounds} rounds (CONSTRUCT rules: {names})",
        remedy="some rule mints new IRIs or values from its own results: let it depend on asserted values only",
    )


def _quads(rows: Ints, symbols: Symbols) -> list[ox.Quad]:
    terms: dict[int, Any] = {n: symbols.term(n) for n in np.unique(rows).tolist()}
    return [ox.Quad(terms[s], terms[p], terms[o]) for s, p, o in rows.tolist()]


def _minus(rows: Ints, others: Ints) -> Ints:
    """Rows that are not among the others, sorted, each once."""
    taken = set(map(tuple, others.tolist()))
    left = sorted({row for row in map(tuple, rows.tolist()) if row not in taken})
    return np.array(left, np.int64).reshape(-1, 3)

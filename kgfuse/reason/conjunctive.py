"""CONSTRUCT rules that are conjunctions of triple patterns, taken apart so that the engine can run them.

What compiles: basic graph patterns, VALUES, BIND of a constant, UNION, and filters that join ``!=``, ``=``,
``sameTerm``, ``isIRI``, ``isBlank`` and ``isLiteral`` (or their negation) by ``&&``. All such rules are monotone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.reason.backward import algebra_of, slot_of
from kgfuse.reason.compiled import CompiledRule, Test
from kgfuse.reason.construct import ConstructRule
from kgfuse.reason.rules import Pattern
from kgfuse.reason.symbols import BLANK, BUILT_IN, IRI, LITERAL

_KINDS: Final = {
    "Builtin_isIRI": (IRI, BUILT_IN),
    "Builtin_isURI": (IRI, BUILT_IN),
    "Builtin_isBLANK": (BLANK,),
    "Builtin_isLITERAL": (LITERAL,),
}


class _Beyond(Exception):  # noqa: N818 - never seen outside
    """The rule says something that is no conjunction."""


@dataclass(frozen=True)
class _Branch:
    """One conjunction: patterns, values of variables, tests."""

    patterns: tuple[Pattern, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    tests: tuple[Test, ...] = ()

    def with_(self, other: _Branch) -> _Branch | None:
        """Both; ``None`` where they give a variable different values."""
        values = dict(self.values)
        for name, term in other.values:
            if values.setdefault(name, term) != term:
                return None
        return _Branch(self.patterns + other.patterns, tuple(values.items()), self.tests + other.tests)


def compile_rules(
    rules: Sequence[ConstructRule],
) -> tuple[tuple[CompiledRule, ...], tuple[ConstructRule, ...]]:
    """Rules for the engine, and the rules that are no conjunctions: those are left to SPARQL."""
    compiled: list[CompiledRule] = []
    rest: list[ConstructRule] = []
    for rule in rules:
        found = compile_rule(rule)
        if found is None:
            rest.append(rule)
        else:
            compiled += found
    return tuple(compiled), tuple(rest)


@lru_cache(maxsize=256)
def compile_rule(rule: ConstructRule) -> tuple[CompiledRule, ...] | None:
    """One engine rule for each branch and conclusion; ``None`` where the rule is no conjunction."""
    algebra = algebra_of(rule.query)
    try:
        if algebra.datasetClause or algebra.p.name != "Project":
            return None
        branches = _branches(algebra.p.p)
        triples = algebra.template or [t for branch in branches for t in branch.patterns]
        heads = [tuple(_slot(term) for term in triple) for triple in triples]
        return tuple(c for branch in branches for head in heads if (c := _rule(rule.name, branch, head)) is not None)
    except _Beyond:
        return None


def _rule(name: str, branch: _Branch, head: tuple[Any, ...]) -> CompiledRule | None:
    values = dict(branch.values)

    def ground(slot: Any) -> Any:
        return values.get(slot.value, slot) if isinstance(slot, ox.Variable) else slot

    patterns = tuple(dict.fromkeys((ground(s), ground(p), ground(o)) for s, p, o in branch.patterns))
    if not patterns:
        raise _Beyond
    bound = {t.value for pattern in patterns for t in pattern if isinstance(t, ox.Variable)}
    no_literals = {t.value for s, p, _ in patterns for t in (s, p) if isinstance(t, ox.Variable)}
    s, p, o = (ground(slot) for slot in head)
    if any(isinstance(t, ox.Variable) and t.value not in bound for t in (s, p, o)):
        return None  # left unbound in this branch: such a triple is not constructed
    if isinstance(s, ox.Literal) or not isinstance(p, ox.NamedNode | ox.Variable):
        return None
    tests = []
    for test in branch.tests:
        left, right = ground(test.left), ground(test.right)
        for t in (left, right):
            if isinstance(t, ox.Variable) and t.value not in bound:
                raise _Beyond
        if test.filter in ("value eq", "value ne"):  # of two literals SPARQL compares the values
            if not any(not isinstance(t, ox.Literal | ox.Variable) or _name(t) in no_literals for t in (left, right)):
                raise _Beyond
            test = replace(test, filter=test.filter.removeprefix("value "))
        tests.append(replace(test, left=left, right=right))
    if any(isinstance(s, ox.Literal) or isinstance(p, ox.Literal | ox.BlankNode) for s, p, _ in patterns):
        return None  # matches nothing
    return CompiledRule(name, patterns, (s, p, o), tuple(tests))


def _name(slot: Any) -> str:
    return slot.value if isinstance(slot, ox.Variable) else ""


def _branches(part: Any) -> list[_Branch]:
    name = getattr(part, "name", "")
    if name == "BGP":
        # a blank node of a pattern is a variable that nothing else asks for
        return [_Branch(tuple((_slot(s, True), _slot(p), _slot(o, True)) for s, p, o in part.triples))]
    if name == "Join":
        both = [a.with_(b) for a in _branches(part.p1) for b in _branches(part.p2)]
        return [branch for branch in both if branch is not None]
    if name == "Union":
        return [*_branches(part.p1), *_branches(part.p2)]
    if name == "ToMultiSet" and getattr(part.p, "name", "") == "values":
        rows = []
        for row in part.p.res:
            if any(not _is_term(term) for term in row.values()):
                raise _Beyond  # UNDEF
            rows.append(_Branch(values=tuple(sorted((str(v), slot_of(term)) for v, term in row.items()))))
        return rows
    if name == "Extend" and _is_term(part.expr):
        bound = _Branch(values=((str(part.var), slot_of(part.expr)),))
        return [b for branch in _branches(part.p) if (b := branch.with_(bound)) is not None]
    if name == "Filter":
        tests = _Branch(tests=tuple(_tests(part.expr)))
        return [b for branch in _branches(part.p) if (b := branch.with_(tests)) is not None]
    raise _Beyond


def _tests(expression: Any) -> list[Test]:
    name = getattr(expression, "name", "")
    if name == "ConditionalAndExpression":
        return [test for e in (expression.expr, *expression.other) for test in _tests(e)]
    if name == "RelationalExpression" and expression.op in ("=", "!=") and expression.other is not None:
        word = "value eq" if expression.op == "=" else "value ne"
        return [Test(word, _slot(expression.expr), _slot(expression.other))]
    if name == "Builtin_sameTerm":
        return [Test("eq", _slot(expression.arg1), _slot(expression.arg2))]
    if name in _KINDS:
        return [Test("in", _slot(expression.arg), kinds=_KINDS[name])]
    if name == "UnaryNot":
        (test,) = _tests(expression.expr) or (None,)
        opposite = {"eq": "ne", "in": "out", "value eq": "value ne", "value ne": "value eq"}
        if test is None or test.filter not in opposite:
            raise _Beyond
        return [replace(test, filter=opposite[test.filter])]
    raise _Beyond


def _is_term(term: Any) -> bool:
    import rdflib

    return isinstance(term, rdflib.URIRef | rdflib.Literal) and str(term) != "UNDEF"


def _slot(term: Any, blank: bool = False) -> Any:
    import rdflib

    if isinstance(term, ox.Variable | ox.NamedNode | ox.Literal):
        return term
    if isinstance(term, rdflib.BNode) and blank:
        return ox.Variable(f"blank_{term}")
    if isinstance(term, rdflib.Variable | rdflib.URIRef | rdflib.Literal):
        return slot_of(term)
    raise _Beyond

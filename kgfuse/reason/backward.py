"""One step back: which applications of which rules, over what holds, conclude a given triple."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.reason.construct import ConstructRule
from kgfuse.reason.forward import list_members
from kgfuse.reason.holding import asserting
from kgfuse.reason.routes import Routes
from kgfuse.reason.rules import RULES, Binding, Pattern, Rule, bind, expand, unify
from kgfuse.reason.trivial import reflexivity
from kgfuse.terms.namespaces import OWL, RDF

WIDE: Final = 24
"""From how many applications of one rule on a proof goes only where what is asserted is near."""

_LOOKED_AT: Final = 2000
_TRANSITIVE: Final = frozenset({"eq-trans", "prp-trp", "scm-sco", "scm-spo"})
_SAME: Final = ox.NamedNode(OWL + "sameAs")
_TYPE: Final = ox.NamedNode(RDF + "type")
_TRANSITIVE_PROPERTY: Final = ox.NamedNode(OWL + "TransitiveProperty")


@dataclass(frozen=True, slots=True)
class Step:
    """One application of a rule."""

    rule: str
    premises: tuple[ox.Triple, ...]
    conclusion: ox.Triple
    binding: tuple[tuple[str, str], ...] = ()


def steps_to(
    store: ox.Store,
    triple: ox.Triple,
    constructs: Sequence[ConstructRule] = (),
    *,
    only: str | None = None,
    routes: Routes | None = None,
) -> Iterator[Step]:
    """Rule applications whose premises hold in the default graph and whose conclusion is the triple.

    Applications that need the triple itself are left out.

    Args:
        store: what holds.
        triple: the conclusion.
        constructs: CONSTRUCT rules.
        only: name of the one rule to look at.
        routes: where there are more than ``WIDE`` applications of a rule, the ways that lead to what is asserted; all
            applications without it.
    """
    name = reflexivity(triple.subject, triple.predicate, triple.object)
    if name is not None and only in (None, name):
        yield Step(name, (), triple)
    for rule in RULES:
        if only is None or rule.name == only:
            found = (step for step in _table_steps(store, rule, triple) if triple not in step.premises)
            yield from found if routes is None else _narrowed(store, rule, triple, found, routes)
    for construct in constructs:
        if only is None or construct.name == only:
            for step in _construct_steps(store, construct, triple):
                if triple not in step.premises:
                    yield step


def _narrowed(store: ox.Store, rule: Rule, triple: ox.Triple, steps: Iterator[Step], routes: Routes) -> Iterator[Step]:
    """All steps where they are few, else those that promise most."""
    few = [] if rule.name in _TRANSITIVE and routes.knows(triple) else list(islice(steps, WIDE + 1))
    if 0 < len(few) <= WIDE:
        yield from few
        return
    if few and rule.name in ("eq-rep-s", "eq-rep-o") and triple.predicate == _SAME:
        return  # symmetry and transitivity say the same
    if rule.name in _TRANSITIVE and (few or routes.knows(triple)):
        middle = routes.middle(triple)
        if middle is not None:
            p = triple.predicate
            if rule.premises[-1][1] not in (p, *_variables(rule)):
                return  # that is another rule's predicate
            axioms = (ox.Triple(p, _TYPE, _TRANSITIVE_PROPERTY),) if rule.name == "prp-trp" else ()
            if any(ox.Quad(*axiom) not in store for axiom in axioms):
                return
            halves = ox.Triple(triple.subject, p, middle), ox.Triple(middle, p, triple.object)  # type: ignore[arg-type]
            yield Step(rule.name, (*axioms, *halves), triple)
            return
    looked_at = [*few, *islice(steps, _LOOKED_AT)]
    known: dict[ox.Triple, bool] = {}

    def open_premises(step: Step) -> int:
        for premise in step.premises:
            if premise not in known:
                known[premise] = not asserting(store, premise)
        return sum(known[premise] for premise in step.premises)

    least = min(map(open_premises, looked_at), default=0)
    yield from [step for step in looked_at if open_premises(step) == least][:WIDE]


def _variables(rule: Rule) -> tuple[ox.Variable, ...]:
    return tuple(t for pattern in rule.premises for t in pattern if isinstance(t, ox.Variable))


def _table_steps(store: ox.Store, rule: Rule, triple: ox.Triple) -> Iterator[Step]:
    start = unify(rule.conclusion, tuple(triple), {})
    if start is None:
        return
    owners = {variable for variable, _ in rule.members} | {premise.list for premise in rule.lists}
    if not owners:
        for binding in match(store, list(rule.premises), start):
            yield Step(rule.name, _ground(rule.premises, binding), triple)
        return
    (owner,) = owners
    axioms = [p for p in rule.premises if p[2] == owner]
    others = [p for p in rule.premises if p[2] != owner]
    for binding in match(store, axioms, start):
        found = list_members(store, binding[owner.value])
        if found is None or not found[1]:
            continue
        spine, members = found
        patterns = others + [p for premise in rule.lists for p in expand(premise, members)]
        for extra in _choices(rule, members, binding):
            for full in match(store, patterns, extra):
                yield Step(rule.name, (*_ground(axioms, full), *spine, *_ground(patterns, full)), triple)


def _choices(rule: Rule, members: Sequence[Any], binding: Binding) -> Iterator[Binding]:
    """The binding with the list's member variable bound to each member in turn that it does not contradict."""
    if not rule.members:
        yield binding
    for _, variable in rule.members:
        for member in members:
            if binding.get(variable.value, member) == member:
                yield {**binding, variable.value: member}


def match(store: ox.Store, patterns: Sequence[Pattern], binding: Binding) -> Iterator[Binding]:
    """All bindings under which every pattern is a triple of the default graph; the most bound pattern goes first."""
    if not patterns:
        yield binding
        return
    bound = [bind(p, binding) for p in patterns]
    at = min(range(len(bound)), key=lambda i: sum(isinstance(t, ox.Variable) for t in bound[i]))
    rest = [p for i, p in enumerate(patterns) if i != at]
    s, p, o = (None if isinstance(t, ox.Variable) else t for t in bound[at])
    if isinstance(s, ox.Literal | ox.Triple) or not isinstance(p, ox.NamedNode | None):
        return
    if reflexivity(s, p, o) is not None:  # true of every class and property, and never stored
        yield from match(store, rest, binding)
        return
    for quad in store.quads_for_pattern(s, p, o, ox.DefaultGraph()):
        extended = unify(bound[at], tuple(quad.triple), binding)
        if extended is not None:
            yield from match(store, rest, extended)


def _ground(patterns: Sequence[Pattern], binding: Binding) -> tuple[ox.Triple, ...]:
    return tuple(ox.Triple(*bind(pattern, binding)) for pattern in patterns)  # type: ignore[arg-type]


def _construct_steps(store: ox.Store, rule: ConstructRule, triple: ox.Triple) -> Iterator[Step]:
    template, patterns, where, prologue = _read(rule.query)
    seen = set()
    for head in template:
        start = unify(head, tuple(triple), {})
        if start is None:
            continue
        substitutions = {ox.Variable(name): term for name, term in start.items()}
        query = f"{prologue}\nSELECT * {where}"
        solutions = store.query(query, substitutions=substitutions)
        assert isinstance(solutions, ox.QuerySolutions)
        names = [variable.value for variable in solutions.variables]
        for solution in solutions:
            binding: Binding = {**start, **{n: term for n in names if (term := solution[n]) is not None}}
            ground = tuple(dict.fromkeys(_holding(store, patterns, binding)))
            shown = tuple(sorted((name, str(term)) for name, term in binding.items()))
            if (ground, shown) not in seen and ground:
                seen.add((ground, shown))
                yield Step(rule.name, ground, triple, shown)


def _holding(store: ox.Store, patterns: Sequence[Pattern], binding: Binding) -> Iterator[ox.Triple]:
    """The rule's positive triple patterns under the binding, those that hold: of a UNION the side that matched."""
    for pattern in patterns:
        s, p, o = bind(pattern, binding)
        if (
            isinstance(s, ox.NamedNode | ox.BlankNode)
            and isinstance(p, ox.NamedNode)
            and not isinstance(o, ox.Variable)
        ):
            triple = ox.Triple(s, p, o)
            if ox.Quad(*triple) in store:
                yield triple


@lru_cache(maxsize=256)
def _read(query: str) -> tuple[tuple[Pattern, ...], tuple[Pattern, ...], str, str]:
    """A CONSTRUCT query taken apart: template, positive triple patterns, the text from WHERE on, the prologue."""
    from kgfuse.reason.sparql import tokens

    algebra = algebra_of(query)
    patterns = tuple(_pattern(t) for t in _positive(algebra.p))
    template = tuple(_pattern(t) for t in algebra.template) if algebra.template else patterns
    stream = [token for token in tokens(query) if token.kind != "comment"]
    at = next(i for i, t in enumerate(stream) if t.kind == "word" and t.text.upper() == "CONSTRUCT")
    prologue = query[: stream[at].start]
    after = at + 1
    if stream[after].kind == "open":  # skip the template
        after = next(i for i in range(after + 1, len(stream)) if stream[i].kind == "close" and stream[i].depth == 0) + 1
    return template, patterns, query[stream[after].start :], prologue


@lru_cache(maxsize=256)
def algebra_of(query: str) -> Any:
    """A query's algebra, as rdflib gives it."""
    from rdflib.plugins.sparql import prepareQuery

    return prepareQuery(query).algebra


def _positive(part: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Triple patterns that a solution must (or, in OPTIONAL and UNION, may) match; none from under a negation."""
    if part is None or not hasattr(part, "name"):
        return
    yield from dict.get(part, "triples") or ()
    if part.name in ("Graph", "Minus"):
        if part.name == "Minus":
            yield from _positive(part.p1)
        return
    for name in ("p", "p1", "p2"):
        yield from _positive(dict.get(part, name))


def _pattern(triple: tuple[Any, Any, Any]) -> Pattern:
    s, p, o = (slot_of(term) for term in triple)
    return s, p, o


def slot_of(term: Any) -> Any:
    """An rdflib term as a pyoxigraph one; blank nodes and property paths become variables that stay unbound."""
    import rdflib

    if isinstance(term, rdflib.Variable):
        return ox.Variable(str(term))
    if isinstance(term, rdflib.URIRef):
        return ox.NamedNode(str(term))
    if isinstance(term, rdflib.Literal):
        if term.language:
            return ox.Literal(str(term), language=term.language)
        return (
            ox.Literal(str(term), datatype=ox.NamedNode(str(term.datatype))) if term.datatype else ox.Literal(str(term))
        )
    return ox.Variable(f"unbound{abs(hash(str(term)))}")

"""Forward application of the rule table to a store: each rule becomes SPARQL CONSTRUCT queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from kgfuse.reason.rules import RULES, Binding, Pattern, Rule, Slot, bind, expand
from kgfuse.terms.namespaces import GRAPH_INFERRED, RDF

_FIRST: Final = ox.NamedNode(RDF + "first")
_REST: Final = ox.NamedNode(RDF + "rest")
_NIL: Final = ox.NamedNode(RDF + "nil")
_INFERRED: Final = ox.NamedNode(GRAPH_INFERRED)


def list_members(store: ox.Store, head: object) -> tuple[list[ox.Triple], list[ox.NamedNode | ox.BlankNode]] | None:
    """Members of an RDF list in the default graph, with the triples that make the list; ``None`` when it is broken."""
    spine: list[ox.Triple] = []
    members: list[ox.NamedNode | ox.BlankNode] = []
    seen = set()
    node = head
    while node != _NIL:
        if not isinstance(node, ox.NamedNode | ox.BlankNode) or node in seen:
            return None
        seen.add(node)
        first, rest = _said(store, node, _FIRST), _said(store, node, _REST)
        if len(first) != 1 or len(rest) != 1:
            return None
        member = first[0].object
        if not isinstance(member, ox.NamedNode | ox.BlankNode):
            return None
        spine += [first[0], rest[0]]
        members.append(member)
        node = rest[0].object
    return spine, members


def _said(store: ox.Store, node: ox.NamedNode | ox.BlankNode, predicate: ox.NamedNode) -> list[ox.Triple]:
    """Triples of a list's node: those that are asserted, where ``owl:sameAs`` has copied others onto it."""
    quads = list(store.quads_for_pattern(node, predicate, None, ox.DefaultGraph()))
    if len(quads) > 1:
        asserted = [q for q in quads if _is_asserted(store, q.triple)]
        quads = asserted or quads
    return [q.triple for q in quads]


def _is_asserted(store: ox.Store, triple: ox.Triple) -> bool:
    named = store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    return any(q.graph_name not in (ox.DefaultGraph(), _INFERRED) for q in named)


def consequences(store: ox.Store, rule: Rule, lists: ox.Store | None = None) -> Iterator[ox.Triple]:
    """What the rule concludes from the default graph in one step; generalised triples are left out.

    Args:
        store: what holds.
        rule: of the table.
        lists: where lists are read from, if not from what holds: they are those that are asserted.
    """
    for pattern, binding in _list_free(store, rule, lists or store):
        body = [bind(p, binding) for p in pattern]
        head = bind(rule.conclusion, binding)
        if not isinstance(head[0], ox.Literal) and isinstance(head[1], ox.NamedNode | ox.Variable):
            yield from _construct(store, body, head)


def _list_free(store: ox.Store, rule: Rule, lists: ox.Store) -> Iterator[tuple[list[Pattern], Binding]]:
    """The rule's premises with lists replaced by what they stand for, one by one for every list in the store."""
    owners = [variable for variable, _ in rule.members] + [premise.list for premise in rule.lists]
    if not owners:
        yield list(rule.premises), {}
        return
    (owner,) = set(owners)
    axiom = next(p for p in rule.premises if p[2] == owner)
    predicate = axiom[1]
    assert isinstance(predicate, ox.NamedNode)  # the table says so
    for quad in store.quads_for_pattern(None, predicate, None, ox.DefaultGraph()):
        found = list_members(lists, quad.object)
        if found is None or not found[1]:
            continue
        members = found[1]
        binding: Binding = {owner.value: quad.object}
        if isinstance(axiom[0], ox.Variable):
            binding[axiom[0].value] = quad.subject
        rest = [p for p in rule.premises if p is not axiom]
        for premise in rule.lists:
            rest += expand(premise, members)
        if not rule.members:
            yield rest, binding
        for _, variable in rule.members:
            for member in members:
                yield rest, {**binding, variable.value: member}


def _construct(store: ox.Store, body: list[Pattern], head: Pattern) -> Iterable[ox.Triple]:
    names: dict[str, str] = {}
    substitutions: dict[ox.Variable, ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple] = {}

    def text(slot: Slot) -> str:
        if isinstance(slot, ox.BlankNode):  # in a query a blank node would be a variable: bind one to it instead
            name = names.setdefault(slot.value, f"blank{len(names)}")
            substitutions[ox.Variable(name)] = slot
            return f"?{name}"
        return str(slot)

    template = " ".join(map(text, head))
    where = " . ".join(" ".join(map(text, p)) for p in body)
    query = f"CONSTRUCT {{ {template} }} WHERE {{ {where} }}"
    result = store.query(query, substitutions=substitutions)
    assert isinstance(result, ox.QueryTriples)
    return result


def applicable(store: ox.Store, rules: Iterable[Rule] = RULES) -> list[Rule]:
    """Rules whose fixed predicates and objects all occur in the default graph: the others cannot fire."""

    def possible(pattern: Pattern) -> bool:
        s, p, o = (None if isinstance(t, ox.Variable) else t for t in pattern)
        if isinstance(s, ox.Literal) or isinstance(p, ox.Literal | ox.BlankNode):
            return False
        return next(store.quads_for_pattern(s, p, o, ox.DefaultGraph()), None) is not None  # type: ignore[arg-type]

    return [rule for rule in rules if all(possible(p) for p in rule.premises if _fixed(p))]


def _fixed(pattern: Pattern) -> bool:
    return any(not isinstance(t, ox.Variable) for t in pattern)

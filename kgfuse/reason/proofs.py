"""Why a triple holds: a shortest proof from the rule table and the CONSTRUCT rules, down to what sources assert.

The store already holds all that follows, so a rule is read backwards: its conclusion is matched with the triple, its
premises with the default graph. Level by level this finds every step that a proof of that depth could use; the least
proof among them is then picked bottom-up (Knuth, "A generalization of Dijkstra's algorithm", 1977), which no cycle of
symmetric, inverse or ``owl:sameAs`` statements can lead astray. Where a rule has very many ways to a triple, as in a
large transitive or ``owl:sameAs`` closure, only the ways closest to what is asserted are looked at (`routes`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.reason.backward import Step, steps_to
from kgfuse.reason.construct import ConstructRule, parse_rules
from kgfuse.reason.holding import Holding, asserting, raw_store
from kgfuse.reason.routes import Routes

ASSERTED: Final = "asserted"
MAX_STEPS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Proof:
    """A tree: the triple, the rule that gives it, and the proofs of its premises.

    Args:
        triple: what is proved.
        rule: W3C name of the rule, the name of a CONSTRUCT rule, or ``asserted``.
        premises: proofs of the rule's premises, in the rule's order; none for an asserted triple.
        graphs: sources and ontologies that assert the triple; none for an inferred one.
        binding: what the variables of a CONSTRUCT rule stand for, in N-Triples form; empty for the table's rules.
    """

    triple: ox.Triple
    rule: str
    premises: tuple[Proof, ...] = ()
    graphs: tuple[str, ...] = ()
    binding: tuple[tuple[str, str], ...] = ()

    @property
    def depth(self) -> int:
        """How many rules lie between the triple and what is asserted: 0 for an asserted triple."""
        return 1 + max((p.depth for p in self.premises), default=0) if self.rule != ASSERTED else 0

    def leaves(self) -> list[Proof]:
        """The asserted triples that the proof rests on, each once, in the order of the tree."""
        if self.rule == ASSERTED:
            return [self]
        return list(dict.fromkeys(leaf for premise in self.premises for leaf in premise.leaves()))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {
            "subject": _term(self.triple.subject),
            "predicate": _term(self.triple.predicate),
            "object": _term(self.triple.object),
            "rule": self.rule,
        }
        if self.graphs:
            found["graphs"] = list(self.graphs)
        if self.binding:
            found["binding"] = dict(self.binding)
        if self.premises:
            found["premises"] = [premise.to_dict() for premise in self.premises]
        return found

    def to_rdf(self) -> list[ox.Triple]:
        """As PROV and statement nodes, sorted, without blank nodes; `kgfuse.reason.proofrdf` reads it back."""
        from kgfuse.reason.proofrdf import proof_to_rdf

        return proof_to_rdf(self)

    def lines(self, prefixes: Mapping[str, str] | None = None) -> list[str]:
        """One line a triple, indented by depth, with its rule or its sources."""
        why = "asserted in " + ", ".join(_short(g, prefixes) for g in self.graphs) if self.graphs else f"by {self.rule}"
        text = " ".join(_short(_term(t), prefixes) for t in self.triple)
        below = [f"  {line}" for premise in self.premises for line in premise.lines(prefixes)]
        return [f"{text}   [{why}]", *below]


def prove(
    store: Holding,
    subject: str | ox.NamedNode | ox.BlankNode,
    predicate: str | ox.NamedNode,
    object_: str | ox.NamedNode | ox.BlankNode | ox.Literal,
    *,
    rules: Sequence[ConstructRule | str] = (),
    max_steps: int = MAX_STEPS,
) -> Proof | None:
    """A proof of least depth, and at that depth of few steps, of a triple of the default graph.

    Where more than `kgfuse.reason.backward.WIDE` applications of one rule lead to a triple, it is a proof of little
    depth: over a shortest path of asserted statements, halved and halved again.

    Args:
        store: as kgfuse keeps it: what holds in the default graph, who says so in named graphs.
        subject: a term, or an IRI as text.
        predicate: a term, or an IRI as text.
        object_: a term, or an IRI as text.
        rules: the CONSTRUCT rules that the closure was made with, or texts of rule files.
        max_steps: how many rule applications to look at; past it, the best proof found so far is returned.

    Returns:
        The proof; ``None`` when the triple does not hold, or follows from no rule known here.

    Raises:
        UsageError: no proof among the first ``max_steps`` rule applications.
    """
    store = raw_store(store)
    goal = ox.Triple(_node(subject), _predicate(predicate), _node(object_))
    if ox.Quad(*goal) not in store:
        return None
    constructs = [r for rule in rules for r in (parse_rules(rule) if isinstance(rule, str) else [rule])]
    found = _search(store, goal, constructs, Routes(store), max_steps)
    return found if found is not None else _search(store, goal, constructs, None, max_steps)


def _search(
    store: ox.Store, goal: ox.Triple, constructs: Sequence[ConstructRule], routes: Routes | None, max_steps: int
) -> Proof | None:
    leaves: dict[ox.Triple, tuple[str, ...]] = {}
    steps: list[Step] = []
    seen = {goal}
    level = [goal]
    found: Proof | None = None
    for reached in count():
        open_goals = []
        for triple in level:
            graphs = asserting(store, triple)
            if graphs:
                leaves[triple] = graphs
            else:
                open_goals.append(triple)
        found = _least(goal, leaves, steps)
        if found is not None and (found.depth <= reached or not open_goals):
            return found  # all steps of a proof this deep are known: none can be shorter
        if not level:
            return found
        level = []
        for triple in open_goals:
            for step in steps_to(store, triple, constructs, routes=routes):
                steps.append(step)
                if len(steps) > max_steps and found is not None:
                    return found
                if len(steps) > max_steps:
                    raise UsageError(
                        f"no proof of {goal} among {max_steps:,} rule applications", remedy="raise max_steps"
                    )
                fresh = [p for p in dict.fromkeys(step.premises) if p not in seen]
                seen.update(fresh)
                level += fresh
    return found


def check(proof: Proof, store: Holding, *, rules: Sequence[ConstructRule | str] = ()) -> list[str]:
    """Verify every step of a proof; returns what is wrong, one line each: nothing when the proof is sound.

    A leaf must be asserted by just the graphs it names; a step must be one that its rule allows, with its premises.
    """
    raw = raw_store(store)
    constructs = [r for rule in rules for r in (parse_rules(rule) if isinstance(rule, str) else [rule])]
    return list(_faults(proof, raw, constructs, ()))


def _faults(
    proof: Proof, store: ox.Store, constructs: Sequence[ConstructRule], above: tuple[ox.Triple, ...]
) -> Iterator[str]:
    if proof.triple in above:
        yield f"{proof.triple} is used to prove itself"
        return
    if proof.rule == ASSERTED:
        if proof.premises or not proof.graphs or not set(proof.graphs) <= set(asserting(store, proof.triple)):
            yield f"{proof.triple} is not asserted in {', '.join(proof.graphs) or 'any graph'}"
        return
    premises = tuple(premise.triple for premise in proof.premises)
    allowed = steps_to(store, proof.triple, constructs, only=proof.rule)
    if not any(sorted(map(str, step.premises)) == sorted(map(str, premises)) for step in allowed):
        yield f"{proof.triple} does not follow by {proof.rule} from {'; '.join(map(str, premises)) or 'nothing'}"
    for premise in proof.premises:
        yield from _faults(premise, store, constructs, (*above, proof.triple))


def _least(goal: ox.Triple, leaves: Mapping[ox.Triple, tuple[str, ...]], steps: Sequence[Step]) -> Proof | None:
    """The least proof by (depth, number of steps, text), built from the leaves upwards."""
    using: dict[ox.Triple, list[int]] = {}
    waiting = []
    for i, step in enumerate(steps):
        needed = set(step.premises)
        waiting.append(len(needed))
        for premise in needed:
            using.setdefault(premise, []).append(i)
    queue: list[tuple[int, int, str, int, ox.Triple, Step | None]] = []
    for triple in leaves:
        heapq.heappush(queue, (0, 1, str(triple), len(queue), triple, None))
    number = count(len(queue))
    for step in steps:
        if not step.premises:
            heapq.heappush(queue, (1, 1, step.rule, next(number), step.conclusion, step))
    cost: dict[ox.Triple, tuple[int, int]] = {}
    by: dict[ox.Triple, Step | None] = {}
    while queue and goal not in cost:
        depth, size, _, _, triple, made_by = heapq.heappop(queue)
        if triple in cost:
            continue
        cost[triple], by[triple] = (depth, size), made_by
        for i in using.get(triple, ()):
            waiting[i] -= 1
            step = steps[i]
            if waiting[i] == 0 and step.conclusion not in cost:
                deep = 1 + max(cost[p][0] for p in step.premises)
                many = 1 + sum(cost[p][1] for p in step.premises)
                order = f"{step.rule} {' '.join(map(str, step.premises))}"
                heapq.heappush(queue, (deep, many, order, next(number), step.conclusion, step))
    return _tree(goal, by, leaves) if goal in cost else None


def _tree(triple: ox.Triple, by: Mapping[ox.Triple, Step | None], leaves: Mapping[ox.Triple, tuple[str, ...]]) -> Proof:
    step = by[triple]
    if step is None:
        return Proof(triple, ASSERTED, graphs=leaves[triple])
    return Proof(triple, step.rule, tuple(_tree(p, by, leaves) for p in step.premises), binding=step.binding)


def _node(term: str | ox.NamedNode | ox.BlankNode | ox.Literal) -> Any:
    return ox.NamedNode(term) if isinstance(term, str) else term


def _predicate(term: str | ox.NamedNode) -> ox.NamedNode:
    return ox.NamedNode(term) if isinstance(term, str) else term


def _term(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else str(term)


def _short(text: str, prefixes: Mapping[str, str] | None) -> str:
    for name, iri in sorted((prefixes or {}).items(), key=lambda item: -len(item[1])):
        if text.startswith(iri) and len(text) > len(iri):
            return f"{name}:{text.removeprefix(iri)}"
    return text

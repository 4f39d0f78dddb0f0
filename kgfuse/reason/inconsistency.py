"""What in the graph contradicts itself, with a minimal set of the asserted triples that make it so, and who says them.

Matches are found over integers, in the whole graph at once. The few that are reported are then explained: proofs lead
from what contradicts down to asserted triples; of these, one after the other is left out wherever the rest still
contradicts itself. So of a reported set no triple can be spared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.reason.construct import ConstructRule, parse_rules
from kgfuse.reason.engine import Problem
from kgfuse.reason.falsity import FALSITIES, Falsity, Matches, contradictions, premises
from kgfuse.reason.forward import list_members
from kgfuse.reason.holding import Holding, asserting, raw_store
from kgfuse.reason.infer import infer
from kgfuse.reason.proofs import Proof, prove
from kgfuse.reason.relations import Ints
from kgfuse.reason.rules import RULES
from kgfuse.reason.symbols import Numbering, Symbols
from kgfuse.terms.namespaces import OWL, RDF, RDFS, SKOS, XSD, local_name

LIMIT: Final = 100
_SCHEMA: Final = (RDF, RDFS, OWL, XSD)
_NAMES: Final = (SKOS + "prefLabel", RDFS + "label")
_TYPE: Final = ox.NamedNode(RDF + "type")


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """One contradiction.

    Args:
        rule: W3C name of the rule that concludes it.
        message: a sentence for people.
        premises: what contradicts itself, inferred triples among it.
        axioms: those of the premises, and of the asserted triples, that belong to the ontology.
        asserted: a minimal set of asserted triples from which the contradiction follows.
        graphs: for each of them, in that order, the sources and ontologies that assert it.
    """

    rule: str
    message: str
    premises: tuple[ox.Triple, ...]
    axioms: tuple[ox.Triple, ...]
    asserted: tuple[ox.Triple, ...]
    graphs: tuple[tuple[str, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        said = [
            {"triple": [str(t) for t in triple], "graphs": list(graphs)}
            for triple, graphs in zip(self.asserted, self.graphs, strict=True)
        ]
        return {
            "rule": self.rule,
            "message": self.message,
            "premises": [[str(t) for t in triple] for triple in self.premises],
            "axioms": [[str(t) for t in triple] for triple in self.axioms],
            "asserted": said,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Args:
        found: the contradictions that are explained, no two with the same asserted triples.
        counts: how many matches each rule has in all, by its name; one asserted cause can make many.
    """

    found: tuple[Inconsistency, ...]
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many matches there are."""
        return sum(self.counts.values())


def inconsistencies(
    store: Holding,
    *,
    rules: Sequence[ConstructRule | str] = (),
    holds: Ints | None = None,
    asserted: Ints | None = None,
    symbols: Symbols | None = None,
    limit: int = LIMIT,
) -> Report:
    """Everything that contradicts itself in what holds.

    Args:
        store: as kgfuse keeps it: what holds in the default graph, who says so in named graphs.
        rules: the CONSTRUCT rules that the closure was made with, or texts of rule files.
        holds: what holds, as integers (n, 3), where the caller has it; else it is read from the store.
        asserted: what is asserted, likewise.
        symbols: the numbering of ``holds`` and ``asserted``; where its order is that of the terms' text, as in what is
            read from the store, which contradictions are reported first is the same for the same graph.
        limit: how many to explain.

    Returns:
        The explained ones, by rule, and the number of all.
    """
    raw = raw_store(store)
    constructs = [r for rule in rules for r in (parse_rules(rule) if isinstance(rule, str) else [rule])]
    if holds is None or asserted is None or symbols is None:
        holds, asserted, symbols = _read(raw)
    matches = _detected(holds, asserted, symbols, limit)
    counts: dict[str, int] = {}
    for match in matches:
        counts[match.rule.name] = counts.get(match.rule.name, 0) + match.count
    found: dict[tuple[ox.Triple, ...], Inconsistency] = {}
    for rule, binding in islice(_bindings(matches, symbols), 4 * limit):
        if len(found) == limit:
            break
        one = _explained(raw, rule, binding, constructs)
        found.setdefault(one.asserted or one.premises, one)
    return Report(tuple(found.values()), counts)


def contradictory(triples: Iterable[ox.Triple], rules: Sequence[ConstructRule] = ()) -> bool:
    """Whether asserted triples, with all that follows from them, contradict themselves."""
    numbering = Numbering()
    rows = numbering.rows(triples)
    if not len(rows):
        return False
    holds = np.concatenate((rows, infer(rows, numbering, rules)))
    return bool(_detected(holds, rows, numbering, 1))


def _detected(holds: Ints, asserted: Ints, symbols: Symbols, most: int) -> list[Matches]:
    for rule in FALSITIES:
        for pattern in rule.premises:
            for term in pattern:
                if not isinstance(term, ox.Variable):
                    symbols.number(term)
    problem = Problem(symbols, RULES, (), holds, asserted)
    full = problem.load(holds)
    return contradictions(full, problem.lists(problem.load(asserted)), symbols, problem.kinds, most)


def _read(store: ox.Store) -> tuple[Ints, Ints, Symbols]:
    """What holds and what is asserted, terms numbered in the order of their text."""
    triples = [q.triple for q in store.quads_for_pattern(None, None, None, ox.DefaultGraph())]
    numbering = Numbering()
    for term in sorted({t for triple in triples for t in triple}, key=str):
        numbering.number(term)
    rows = numbering.rows(triples)
    said = [t for t in triples if t.predicate.value in (RDF + "first", RDF + "rest") and asserting(store, t)]
    return rows, numbering.rows(said), numbering


def _bindings(matches: Sequence[Matches], symbols: Symbols) -> Iterator[tuple[Falsity, dict[str, Any]]]:
    """Matches, one of each rule in turn, so that one rule's thousands do not hide another's."""
    for i in range(max((len(m.rows) for m in matches), default=0)):
        for match in matches:
            if i < len(match.rows):
                terms = (symbols.term(n) for n in match.rows[i].tolist())
                yield match.rule, dict(zip(match.variables, terms, strict=True))


def _explained(
    store: ox.Store, rule: Falsity, binding: Mapping[str, Any], rules: Sequence[ConstructRule]
) -> Inconsistency:
    contradicting = premises(rule, binding)
    for owner in dict.fromkeys(variable for variable, _ in rule.members):
        listed = list_members(store, binding[owner.value])
        contradicting += listed[0] if listed else []
    leaves: dict[ox.Triple, None] = {}
    for triple in contradicting:
        proof = _proof(store, triple, rules)
        if proof is not None:
            leaves.update((leaf.triple, None) for leaf in proof.leaves())
    asserted = minimal(sorted(leaves, key=str), rules)
    axioms = [t for t in dict.fromkeys([*contradicting, *asserted]) if _is_axiom(t)]
    return Inconsistency(
        rule.name,
        rule.says.format(**{name: _label(store, term) for name, term in binding.items()}),
        tuple(contradicting),
        tuple(axioms),
        tuple(asserted),
        tuple(asserting(store, t) for t in asserted),
    )


def _proof(store: ox.Store, triple: ox.Triple, rules: Sequence[ConstructRule]) -> Proof | None:
    try:
        return prove(store, *triple, rules=rules)
    except UsageError:  # too many ways to look at: reported without its asserted triples
        return None


def minimal(triples: Sequence[ox.Triple], rules: Sequence[ConstructRule] = ()) -> list[ox.Triple]:
    """Of asserted triples that contradict themselves a part that does, and no part of which does.

    Args:
        triples: in the order in which they are tried to be spared.
        rules: CONSTRUCT rules.

    Returns:
        The part, in the same order; nothing where the triples do not contradict themselves.
    """
    if not contradictory(triples, rules):
        return []
    kept = list(triples)
    for triple in triples:
        rest = [t for t in kept if t != triple]
        if contradictory(rest, rules):
            kept = rest
    return kept


def _is_axiom(triple: ox.Triple) -> bool:
    if triple.predicate == _TYPE:
        return isinstance(triple.object, ox.NamedNode) and triple.object.value.startswith(_SCHEMA)
    return triple.predicate.value.startswith(_SCHEMA) and triple.predicate.value not in (*_NAMES, OWL + "sameAs")


def _label(store: ox.Store, term: Any) -> str:
    """What people call it: an English or plain label, else the end of its IRI."""
    if isinstance(term, ox.Literal):
        return f"“{term.value}”"
    for name in _NAMES:
        found = [
            (q.object.language not in (None, "en"), q.object.value)
            for q in store.quads_for_pattern(term, ox.NamedNode(name), None, ox.DefaultGraph())
            if isinstance(q.object, ox.Literal)
        ]
        if found:
            return min(found)[1]
    return local_name(term.value) if isinstance(term, ox.NamedNode) else "an unnamed class"

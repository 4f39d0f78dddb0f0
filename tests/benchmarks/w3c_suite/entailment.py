"""Entailment tests: the query over HTTP, on a default graph that holds the data and its closure.

``kgfuse.reason.closure`` leaves out what holds of everything, of a thing and itself, or of the vocabulary of RDFS and
OWL. Where a test fails without, it is run again with these *trivial* triples written out, and with the class
expressions that its query speaks of, and counted apart.
Ours are the tests under RDF, RDFS and D, and those under OWL semantics whose profiles include RL; the others need more
than a rule engine gives (existentials, unions, disjunctive reasoning, RIF rules) and are counted for the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox

from kgfuse.reason.closure import closure
from kgfuse.terms.namespaces import OWL, RDF, RDFS, XSD
from tests.benchmarks.w3c_suite.endpoint import endpoint
from tests.benchmarks.w3c_suite.manifest import Suite, Test
from tests.benchmarks.w3c_suite.outcome import Outcome
from tests.benchmarks.w3c_suite.queries import over_http

REGIMES: Final = ("RDF", "RDFS", "D", "OWL-RDF-Based", "OWL-Direct", "RIF")
_RULE_BASED: Final = {"RDF", "RDFS", "D"}
_BUILT_IN: Final = (RDF, RDFS, OWL, XSD)
_PREFIX: Final = re.compile(r"PREFIX\s+([\w-]*):\s*<([^>]*)>", re.I)
_EXPRESSION: Final = re.compile(r"\[[^\[\]?$]*\]")
_MEMBER: Final = re.compile(re.escape(RDF) + r"_[1-9]\d*$")


@dataclass(frozen=True)
class Entailed:
    """What became of an entailment test.

    Args:
        outcome: as of any test.
        regimes: those under which the expected answer holds.
        ours: whether RDFS or OWL 2 RL are enough.
        trivial: whether it needed the trivial triples.
    """

    outcome: Outcome
    regimes: tuple[str, ...]
    ours: bool
    trivial: bool


def run(suite: Suite, tests: Sequence[Test]) -> list[Entailed]:
    """Run the tests."""
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda test: _one(suite, test), tests))


def ours(test: Test) -> bool:
    """Whether RDFS entailment or the rules of OWL 2 RL are enough for a test."""
    return bool(_RULE_BASED & set(test.regimes)) or "RL" in test.profiles


def _one(suite: Suite, test: Test) -> Entailed:
    given = [quad.triple for quad in suite.quads(test.data(suite))]
    holds = set(given) | closure(given)
    outcome, trivial_needed = _asked(suite, test, holds), False
    if outcome.status != "passed":
        owl = any(regime.startswith("OWL") for regime in test.regimes)
        holds |= class_expressions(suite.text(test.query)) if owl else set()
        holds |= closure(holds)
        more = holds | set(trivial(holds, owl=owl))
        again = _asked(suite, test, more | closure(more))
        outcome, trivial_needed = (again, True) if again.status == "passed" else (outcome, False)
    if outcome.status != "passed" and not ours(test):
        outcome = Outcome(test.label, "beyond", outcome.reason)
    return Entailed(outcome, test.regimes, ours(test), trivial_needed)


def _asked(suite: Suite, test: Test, triples: set[ox.Triple]) -> Outcome:
    quads = [ox.Quad(*triple) for triple in triples]
    with endpoint(quads) as client:
        return over_http(suite, test, client, quads)


def class_expressions(query: str) -> set[ox.Triple]:
    """Class expressions that a query has in brackets, without variables: under OWL they are classes like any other."""
    prefixes = "".join(f"@prefix {name}: <{iri}> . " for name, iri in _PREFIX.findall(query))
    turtle = prefixes + " . ".join(text + " a <" + OWL + "Class>" for text in _EXPRESSION.findall(query)) + " ."
    return {q.triple for q in ox.parse(turtle, format=ox.RdfFormat.TURTLE)} if "[" in turtle else set()


def trivial(triples: set[ox.Triple], *, owl: bool) -> Iterator[ox.Triple]:
    """What RDFS entails of these triples that says nothing: types of what has a role, and reflexivity.

    Rules rdfD2, rdfs4a, rdfs4b, rdfs6, rdfs8, rdfs10, rdfs12 of RDF 1.1 Semantics; eq-ref and scm-cls of OWL 2 RL.
    """

    def node(name: str) -> ox.NamedNode:
        return ox.NamedNode(name)

    kind, sub_class, sub_property = node(RDF + "type"), node(RDFS + "subClassOf"), node(RDFS + "subPropertyOf")
    class_, datatype = node(RDFS + "Class"), node(RDFS + "Datatype")
    own = {t for t in triples if not _built_in(t.subject)}
    for s, p, o in own:
        yield ox.Triple(p, kind, node(RDF + "Property"))
        yield ox.Triple(p, sub_property, p)
        for term in (s, o):
            if not isinstance(term, ox.Literal):
                yield ox.Triple(term, kind, node(RDFS + "Resource"))
                if owl and not _built_in(term):
                    yield ox.Triple(term, node(OWL + "sameAs"), term)
        if _MEMBER.match(p.value):
            yield ox.Triple(p, kind, node(RDFS + "ContainerMembershipProperty"))
            yield ox.Triple(p, sub_property, node(RDFS + "member"))
    classes = {t.object for t in own if t.predicate == kind}
    classes |= {term for t in own if t.predicate == sub_class for term in (t.subject, t.object)}
    classes |= {t.object for t in own if t.predicate in (node(RDFS + "domain"), node(RDFS + "range"))}
    classes |= {t.subject for t in own if t.predicate == kind and t.object in (class_, node(OWL + "Class"), datatype)}
    for found in classes:
        if isinstance(found, ox.NamedNode | ox.BlankNode):
            yield ox.Triple(found, sub_class, found)
            yield ox.Triple(found, kind, class_)
            yield ox.Triple(found, sub_class, node(RDFS + "Resource"))
            if owl and not _built_in(found):
                yield ox.Triple(found, sub_class, node(OWL + "Thing"))
                yield ox.Triple(node(OWL + "Nothing"), sub_class, found)


def _built_in(term: object) -> bool:
    return isinstance(term, ox.NamedNode) and term.value.startswith(_BUILT_IN)

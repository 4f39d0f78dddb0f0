"""Proofs as RDF, and back: statement nodes, as provenance has them, joined by PROV activities that apply a rule.

Every IRI is derived from what its node says, and blank nodes are skolemised (RDF 1.1 Concepts, section 3.5): the same
proof is always the same triples, and the steps that proofs share are shared. A leaf names the graphs that assert it.
The premises of a step are ``rdf:_1``, ``rdf:_2`` … of its activity, in the rule's order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, unquote

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.reason.proofs import ASSERTED, Proof
from kgfuse.terms.namespaces import BASE, KGF, PROV, RDF, digest

PROOF: Final = BASE + "proof/"
SKOLEM: Final = BASE + ".well-known/genid/"
TYPE: Final = ox.NamedNode(RDF + "type")
SUBJECT: Final = ox.NamedNode(RDF + "subject")
PREDICATE: Final = ox.NamedNode(RDF + "predicate")
OBJECT: Final = ox.NamedNode(RDF + "object")
RULE: Final = ox.NamedNode(KGF + "rule")
BINDING: Final = ox.NamedNode(KGF + "binding")
IN_GRAPH: Final = ox.NamedNode(KGF + "inGraph")
DERIVED_FROM: Final = ox.NamedNode(PROV + "wasDerivedFrom")
GENERATED_BY: Final = ox.NamedNode(PROV + "wasGeneratedBy")
USED: Final = ox.NamedNode(PROV + "used")

_STATEMENT: Final = ox.NamedNode(RDF + "Statement")
_STEP: Final = ox.NamedNode(KGF + "Step")
_ACTIVITY: Final = ox.NamedNode(PROV + "Activity")
_JSON: Final = ox.NamedNode(RDF + "JSON")
_ORDINAL: Final = RDF + "_"


def proof_iri(proof: Proof) -> str:
    """IRI of a proof's root."""
    return _iri(proof, {})


def _iri(proof: Proof, known: dict[int, str]) -> str:
    found = known.get(id(proof))
    if found is None:
        found = known[id(proof)] = PROOF + digest(
            *map(str, proof.triple),
            proof.rule,
            _binding(proof),
            str(len(proof.graphs)),
            *proof.graphs,
            *(_iri(premise, known) for premise in proof.premises),
        )
    return found


def _binding(proof: Proof) -> str:
    return json.dumps(dict(proof.binding), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def proof_to_rdf(proof: Proof) -> list[ox.Triple]:
    """The proof as triples, sorted, without blank nodes."""
    return sorted(set(_described(proof, {}, set())), key=str)


def _described(proof: Proof, known: dict[int, str], done: set[str]) -> Iterator[ox.Triple]:
    iri = _iri(proof, known)
    if iri in done:
        return
    done.add(iri)
    node = ox.NamedNode(iri)
    yield ox.Triple(node, TYPE, _STATEMENT)
    yield ox.Triple(node, SUBJECT, _named(proof.triple.subject))
    yield ox.Triple(node, PREDICATE, proof.triple.predicate)
    yield ox.Triple(node, OBJECT, _named(proof.triple.object))
    for graph in proof.graphs:
        yield ox.Triple(node, IN_GRAPH, ox.NamedNode(graph))
    if proof.rule == ASSERTED:
        return
    activity = ox.NamedNode(iri + "/step")
    yield ox.Triple(node, GENERATED_BY, activity)
    yield ox.Triple(activity, TYPE, _STEP)
    yield ox.Triple(activity, TYPE, _ACTIVITY)
    yield ox.Triple(activity, RULE, ox.Literal(proof.rule))
    if proof.binding:
        yield ox.Triple(activity, BINDING, ox.Literal(_binding(proof), datatype=_JSON))
    for i, premise in enumerate(proof.premises, 1):
        below = ox.NamedNode(_iri(premise, known))
        yield ox.Triple(node, DERIVED_FROM, below)
        yield ox.Triple(activity, USED, below)
        yield ox.Triple(activity, ox.NamedNode(f"{_ORDINAL}{i}"), below)
        yield from _described(premise, known, done)


def proof_from_rdf(triples: Iterable[ox.Triple | ox.Quad], root: str | None = None) -> Proof:
    """Read a proof; `kgfuse.reason.proofs.check` then says whether it is sound.

    Args:
        triples: as ``Proof.to_rdf`` gives them; others among them are ignored.
        root: IRI of what is proved; without it, the one statement that no other rests on.

    Raises:
        UsageError: there is no such proof, it is not complete, or it rests on itself.
    """
    said: dict[str, dict[str, list[Any]]] = {}
    for triple in dict.fromkeys(t.triple if isinstance(t, ox.Quad) else t for t in triples):
        if isinstance(triple.subject, ox.NamedNode):
            said.setdefault(triple.subject.value, {}).setdefault(triple.predicate.value, []).append(triple.object)
    if root is None:
        statements = {iri for iri, about in said.items() if _STATEMENT in about.get(TYPE.value, ())}
        used = {o.value for about in said.values() for o in about.get(DERIVED_FROM.value, ())}
        roots = sorted(statements - used)
        if len(roots) != 1:
            raise UsageError(f"{len(roots)} statements here rest under no other", remedy="name the root's IRI")
        (root,) = roots
    return _read(root, said, {}, ())


def _read(iri: str, said: dict[str, dict[str, list[Any]]], known: dict[str, Proof], above: tuple[str, ...]) -> Proof:
    if iri in known:
        return known[iri]
    if iri in above:
        raise UsageError(f"the proof of <{iri}> rests on itself", remedy="write the proof again")
    about = said.get(iri, {})
    triple = ox.Triple(
        _blank(_only(iri, about, SUBJECT)), _only(iri, about, PREDICATE), _blank(_only(iri, about, OBJECT))
    )
    graphs = tuple(sorted(g.value for g in about.get(IN_GRAPH.value, ())))
    if GENERATED_BY.value not in about:
        proof = Proof(triple, ASSERTED, graphs=graphs)
    else:
        step = said.get(_only(iri, about, GENERATED_BY).value, {})
        ordered = sorted(
            (int(p.removeprefix(_ORDINAL)), o.value)
            for p, objects in step.items()
            if p.startswith(_ORDINAL) and p.removeprefix(_ORDINAL).isdigit()
            for o in objects
        )
        premises = tuple(_read(below, said, known, (*above, iri)) for _, below in ordered)
        binding = json.loads(step[BINDING.value][0].value) if BINDING.value in step else {}
        proof = Proof(triple, _only(iri, step, RULE).value, premises, graphs, tuple(sorted(binding.items())))
    known[iri] = proof
    return proof


def _only(iri: str, about: dict[str, list[Any]], predicate: ox.NamedNode) -> Any:
    values = about.get(predicate.value, [])
    if len(values) != 1:
        raise UsageError(
            f"<{iri}> has {len(values)} values of <{predicate.value}>, not one", remedy="write the proof again"
        )
    return values[0]


def _named(term: Any) -> Any:
    return ox.NamedNode(SKOLEM + quote(term.value, safe="")) if isinstance(term, ox.BlankNode) else term


def _blank(term: Any) -> Any:
    if isinstance(term, ox.NamedNode) and term.value.startswith(SKOLEM):
        return ox.BlankNode(unquote(term.value.removeprefix(SKOLEM)))
    return term

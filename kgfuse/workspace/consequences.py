"""What follows from single statements about an item: what else goes when one of them is removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyoxigraph as ox

from kgfuse.graph.nodes import text
from kgfuse.reason.closure import closure
from kgfuse.reason.construct import ConstructRule
from kgfuse.terms.namespaces import OWL, RDF, RDFS
from kgfuse.workspace.encoderview import Key, key_of

_VOCABULARY = (OWL, RDF, RDFS)


def neighbourhood(asserted: dict[Key, ox.Triple], item: str) -> dict[Key, ox.Triple]:
    """Asserted triples that touch the item or start at one of its neighbours."""
    near = {item} | {n for s, _, o in asserted if item in (s, o) for n in (s, o)}
    return {k: t for k, t in asserted.items() if item in (k[0], k[2]) or k[0] in near}


def consequences(
    local: dict[Key, ox.Triple],
    ontology: Iterable[ox.Triple],
    rules: Sequence[ConstructRule],
    removed: Iterable[Key],
) -> dict[Key, list[Key]]:
    """For each triple to be removed, the inferred ones that hold no longer without it.

    Args:
        local: the triples around the item.
        ontology: axioms and individuals of the packs.
        rules: the packs' CONSTRUCT rules.
        removed: keys of ``local`` to be removed, one at a time.
    """
    axioms = relevant(ontology, local.values())
    everything = _keys(closure([*local.values(), *axioms], rules))
    lost = {}
    for key in removed:
        rest = [t for k, t in local.items() if k != key]
        left = _keys(closure([*rest, *axioms], rules))
        lost[key] = sorted(k for k in everything - left if k not in local)
    return lost


def relevant(ontology: Iterable[ox.Triple], data: Iterable[ox.Triple]) -> list[ox.Triple]:
    """The part of an ontology that conclusions about some data can depend on.

    That is every axiom, and of the facts about individuals those that the data lead to; names and definitions are
    left out.
    """
    axioms: list[ox.Triple] = []
    facts: dict[str, list[ox.Triple]] = {}
    for t in ontology:
        named = not isinstance(t.subject, ox.BlankNode)
        if named and isinstance(t.object, ox.Literal) and not t.predicate.value.startswith(OWL):
            continue
        schema = t.predicate.value.startswith(_VOCABULARY) and (
            t.predicate.value != RDF + "type" or text(t.object).startswith(_VOCABULARY)
        )
        if schema or not named:
            axioms.append(t)
        else:
            facts.setdefault(text(t.subject), []).append(t)
    todo = [text(n) for t in data for n in (t.subject, t.object)]
    reached: set[str] = set()
    found: list[ox.Triple] = []
    while todo:
        node = todo.pop()
        if node not in reached:
            reached.add(node)
            for t in facts.get(node, ()):
                found.append(t)
                todo.append(text(t.object))
    return [*axioms, *found]


def _keys(triples: Iterable[ox.Triple]) -> set[Key]:
    return {k for t in triples if (k := key_of(t)) is not None}

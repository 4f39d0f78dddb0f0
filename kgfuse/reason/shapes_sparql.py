"""What the SPARQL constraints of shapes can touch, read from their queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kgfuse.terms.namespaces import SH

if TYPE_CHECKING:
    import rdflib

_PREBOUND = frozenset({"this", "PATH"})
"""Variables that SHACL binds before a query runs; ``PATH`` stands for a path of the shapes graph."""


@dataclass(slots=True)
class Touched:
    """What queries can touch.

    Args:
        iris: every IRI in them: properties, classes, nodes.
        asks_for_types: whether one asks for ``rdf:type``.
    """

    iris: set[str] = field(default_factory=set)
    asks_for_types: bool = False


def touched_by_queries(shapes: rdflib.Graph) -> Touched | None:
    """What the queries of ``sh:select`` and ``sh:ask`` can touch; ``None`` where it may be anything.

    Anything is touched by a property that is a variable or negated, and by a path that may be empty between two
    variables that no pattern beside it binds: it begins at every node there is.
    """
    import rdflib
    from rdflib.plugins.sparql import prepareQuery

    found = Touched()
    for name in ("select", "ask"):
        for constraint, text in shapes.subject_objects(rdflib.URIRef(SH + name)):
            try:
                algebra = prepareQuery(str(text), initNs=_prefixes(shapes, constraint)).algebra
            except Exception:  # whatever is wrong with it, pySHACL is the one to say so
                return None
            if not _read(algebra, found):
                return None
    return found


def _prefixes(shapes: rdflib.Graph, constraint: rdflib.term.Node) -> dict[str, Any]:
    import rdflib

    known: dict[str, Any] = dict(shapes.namespaces())
    for ontology in shapes.objects(constraint, rdflib.URIRef(SH + "prefixes")):
        for declared in shapes.objects(ontology, rdflib.URIRef(SH + "declare")):
            prefix = shapes.value(declared, rdflib.URIRef(SH + "prefix"))
            known[str(prefix)] = str(shapes.value(declared, rdflib.URIRef(SH + "namespace")))
    return known


def _read(algebra: Any, found: Touched) -> bool:
    """Add what a query touches; whether it can be told."""
    import rdflib
    from rdflib.paths import NegatedPath, Path

    for part in _parts(algebra):
        if isinstance(part, rdflib.URIRef):
            found.iris.add(str(part))
            found.asks_for_types |= part == rdflib.RDF.type
        elif isinstance(part, NegatedPath) or getattr(part, "name", "") in ("Graph", "ServiceGraphPattern"):
            return False
        bound, open_ended = set(_PREBOUND), []
        for s, p, o in _triples(part):
            if isinstance(p, rdflib.Variable) and str(p) != "PATH":
                return False
            ends = {str(end) for end in (s, o) if isinstance(end, rdflib.Variable)}
            if not isinstance(p, Path):
                bound |= ends
            elif isinstance(s, rdflib.Variable) and isinstance(o, rdflib.Variable):
                open_ended.append(ends)
        if not all(ends & bound for ends in open_ended):
            return False
    return True


def _parts(node: Any) -> Iterator[Any]:
    """Every part of an algebra tree, once each time it occurs."""
    from rdflib.paths import Path

    yield node
    below: Any = ()
    if isinstance(node, dict):
        below = dict.values(node)
    elif isinstance(node, list | tuple | set | frozenset):
        below = node
    elif isinstance(node, Path):
        below = vars(node).values()
    for part in below:
        yield from _parts(part)


def _triples(part: Any) -> list[tuple[Any, Any, Any]]:
    if not isinstance(part, dict):
        return []
    return [t for t in (dict.get(part, "triples") or ()) if isinstance(t, tuple) and len(t) == 3]

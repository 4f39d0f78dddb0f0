"""What the reasoner reads: a pyoxigraph store whose default graph is what holds, or anything that has one."""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias

import pyoxigraph as ox

from kgfuse.terms.namespaces import GRAPH_INFERRED, GRAPH_PREDICTED, GRAPH_PROVENANCE

NOT_ASSERTED: Final = frozenset({GRAPH_INFERRED, GRAPH_PREDICTED, GRAPH_PROVENANCE})


class HasStore(Protocol):
    """Such as `kgfuse.graph.store.GraphStore`."""

    raw: ox.Store


Holding: TypeAlias = ox.Store | HasStore


def raw_store(store: Holding) -> ox.Store:
    """The pyoxigraph store itself."""
    return store if isinstance(store, ox.Store) else store.raw


def asserting(store: ox.Store, triple: ox.Triple) -> tuple[str, ...]:
    """Sources and ontologies whose graphs hold the triple, sorted."""
    quads = store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    names = {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}
    return tuple(sorted(names - NOT_ASSERTED))
